"""The lines of a log as bytes, from either end, over all its files, also while it is written and its files change."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeAlias

from aotel.audit import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    _Identity: TypeAlias = tuple[int, int]

LONGEST: Final = 16 << 20
"""Bytes that a line may have, its end included; a pod's requests have far fewer."""

_BUFFER: Final = 1 << 18  # bytes that are read at a time going forwards
_STEP: Final = 1 << 20  # and backwards
_PAUSE: Final = 0.1  # seconds between looks at a log that grows


class Line(NamedTuple):
    r"""A line of a file.

    Args:
        file: where it is.
        number: which one of the file it is, from 1.
        data: its bytes, with the "\n". Without one it is half a line at the end of the file, or what fits of a line
            that is too long.
    """

    file: Path
    number: int
    data: bytes

    @property
    def is_whole(self) -> bool:
        """Whether it has its end."""
        return self.data.endswith(b"\n")

    @property
    def is_too_long(self) -> bool:
        """Whether it is one of which only the beginning is here."""
        return len(self.data) >= LONGEST and not self.is_whole


def forwards(path: Path, goes_on: Callable[[], bool] | None = None) -> Iterator[Line]:
    """Yield the lines of a log in their order.

    Args:
        path: of a directory with a log, or of its newest file; files that were put away come first.
        goes_on: asked at the end of the log, again and again, whether to wait for more.
    """
    log = _Files(path)
    try:
        while not log.advance():
            if goes_on is None or not goes_on():
                return
            time.sleep(_PAUSE)
        while True:
            yield from _of_file(log, goes_on)
            if not log.step():
                return
    finally:
        log.close()


def backwards(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a log, the last one first, without their ends; those that are too long are left out."""
    for file in reversed(files.in_order(path)):
        with contextlib.suppress(FileNotFoundError), file.open("rb", buffering=0) as stream:
            yield from _backwards(stream.fileno())


class _Files:
    """Goes through the files of a log, one open at a time, and the next one as soon as it is there.

    Files that were put away keep their names. The newest one does not: it is known by its identity, which is no other's
    while it is open.
    """

    def __init__(self, path: Path) -> None:
        self.file = files.newest(path)
        self.stream: BinaryIO | None = None
        self._path = path
        self._number = 0  # of the open file, or of the last one before it that has a number
        self._is_newest = False  # whether the open file had the newest one's name when it was opened
        self._known: deque[tuple[int, Path]] = deque()  # files with higher numbers
        self._following: tuple[int | None, Path, BinaryIO] | None = None

    def advance(self) -> bool:
        """Have the file after the open one opened, if there is one; say whether it is there."""
        if self._following is None:
            self._following = self._after()
        if self._following is None:
            return False
        if self.stream is None:
            number, self.file, self.stream = self._following
            self._following = None
            self._is_newest = number is None
            self._number = number or self._number
        return True

    def step(self) -> bool:
        """Go to the file that `advance` has opened; say whether it has."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None
        return self._following is not None and self.advance()

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
        if self._following is not None:
            self._following[2].close()

    def _after(self) -> tuple[int | None, Path, BinaryIO] | None:
        if self._is_newest and not self._is_put_away():
            return None
        while True:
            self._known = self._known or self._higher()
            if self._known:
                number, file = self._known.popleft()
                stream = _opened(file)
                if stream is not None:
                    return number, file, stream
                continue
            newest = files.newest(self._path)
            stream = _opened(newest)
            self._known = self._higher()
            if not self._known:  # else it was put away at this very moment, and another has its name
                return None if stream is None else (None, newest, stream)
            if stream is not None:
                stream.close()

    def _is_put_away(self) -> bool:
        """Say whether the newest file that was opened is no longer the newest; then find its number."""
        if self.stream is None:
            return True
        opened = _identity(os.fstat(self.stream.fileno()))
        if _identity_of(files.newest(self._path)) == opened:
            return False
        self._is_newest = False
        for number, file in reversed(self._higher()):
            if _identity_of(file) == opened:
                self._number = number
                break
        return True

    def _higher(self) -> deque[tuple[int, Path]]:
        return deque(each for each in files.rotated(self._path) if each[0] > self._number)


def _opened(file: Path) -> BinaryIO | None:
    try:
        return file.open("rb", buffering=_BUFFER)
    except FileNotFoundError:
        return None


def _identity_of(file: Path) -> _Identity | None:
    try:
        return _identity(file.stat())
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino


def _of_file(log: _Files, goes_on: Callable[[], bool] | None) -> Iterator[Line]:
    """Yield the lines of the open file until there is a next one, or nobody waits for more."""
    stream, file = log.stream, log.file
    if stream is None:
        return
    number, ends = 0, False
    while True:
        data = stream.readline(LONGEST)
        if data.endswith(b"\n"):
            number += 1
            yield Line(file, number, data)
        elif len(data) >= LONGEST:
            number += 1
            _pass_over_line(stream)
            yield Line(file, number, data)
        elif ends:
            if data:
                yield Line(file, number + 1, data)
            return
        else:
            # Half a line is read again from its beginning: it may have been cut off, and another one be there by then.
            position = stream.tell() - len(data)
            # What was written before the file was put away is there for sure when the next one is.
            ends = log.advance() or goes_on is None or not goes_on()
            if not ends:
                time.sleep(_PAUSE)
            stream.seek(0, os.SEEK_END)  # else what is buffered would be read again, and not what the file has
            stream.seek(min(position, os.fstat(stream.fileno()).st_size))


def _pass_over_line(stream: BinaryIO) -> None:
    while (data := stream.readline(_STEP)) and not data.endswith(b"\n"):
        pass


def _backwards(descriptor: int) -> Iterator[bytes]:
    position = os.fstat(descriptor).st_size
    pieces: list[bytes] = []  # of the line whose beginning is still to come, the last one first
    length = 0
    is_half = True  # what stands behind the last line end: nothing, or half a line
    while position > 0:
        step = min(position, _STEP)
        position -= step
        *begun, last = _read_at(descriptor, step, position).split(b"\n")
        pieces.append(last)
        length += len(last)
        if length > LONGEST:
            pieces.clear()
        if not begun:
            continue
        if not is_half and length < LONGEST:
            yield b"".join(reversed(pieces))
        yield from reversed(begun[1:])
        pieces, length, is_half = [begun[0]], len(begun[0]), False
    if not is_half and length < LONGEST:
        yield b"".join(reversed(pieces))


def _read_at(descriptor: int, length: int, position: int) -> bytes:
    parts: list[bytes] = []
    while length and (data := os.pread(descriptor, length, position)):
        parts.append(data)
        length -= len(data)
        position += len(data)
    return b"".join(parts)
