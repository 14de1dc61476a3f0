"""Reading the log: as a stream, from its end, and while it grows."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from aotel.audit import files
from aotel.audit.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_decoder: Final = msgspec.json.Decoder(Entry)
_STEP: Final = 1 << 20  # bytes that are read at a time
_PAUSE: Final = 0.1  # seconds between looks at a log that grows


def parse(line: bytes) -> Entry | None:
    """Return the entry of a line, or None where it is none."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read(
    path: Path,
    *,
    since: datetime | None = None,
    follow: Callable[[], bool] | bool = False,
    on_bad_line: Callable[[Path, int], None] | None = None,
) -> Iterator[Entry]:
    """Yield the entries of a log in their order, one at a time, however large it is.

    Args:
        path: of a directory with a log, or of its newest file; files that were put away come first.
        since: the time of the first entry to yield.
        follow: whether to wait for more at the end, also over rotations; a function is asked again and again.
        on_bad_line: is told of lines that are no entries, by file and number; they are passed over.
    """
    earliest = None if since is None else since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    for file, number, line in _lines(path, follow if callable(follow) else lambda: bool(follow)):
        entry = parse(line)
        if entry is None:
            if on_bad_line is not None and line.strip():
                on_bad_line(file, number)
        elif earliest is None or entry.timestamp >= earliest:
            yield entry


def tail(path: Path, lines: int) -> list[Entry]:
    """Return the last entries of a log, in their order, reading no more of it than that.

    Args:
        path: of a directory with a log, or of its newest file.
        lines: how many entries at most.
    """
    return list(islice(newest_first(path), lines))[::-1]


def newest_first(path: Path) -> Iterator[Entry]:
    """Yield the entries of a log from its end on, one at a time.

    Args:
        path: of a directory with a log, or of its newest file.
    """
    for file in reversed(files.in_order(path)):
        for line in _backwards(file):
            entry = parse(line)
            if entry is not None:
                yield entry


def _lines(path: Path, goes_on: Callable[[], bool]) -> Iterator[tuple[Path, int, bytes]]:
    """Yield whole lines with where they are; at the end of the newest file, wait for more if asked to."""
    done: set[int] = set()
    while True:
        waiting = [file for file in files.in_order(path) if _identity(file) not in done]
        for file in waiting:
            with file.open("rb") as stream:
                opened = os.fstat(stream.fileno()).st_ino
                if opened in done:
                    continue
                number, rest = 0, b""
                while True:
                    chunk = stream.readline()
                    if chunk.endswith(b"\n"):
                        number += 1
                        yield file, number, rest + chunk
                        rest = b""
                        continue
                    rest += chunk
                    if not (file == files.newest(path) and goes_on()) or _identity(file) != opened:
                        break
                    if not chunk:
                        time.sleep(_PAUSE)
                # Half a line at the end is one that is being written, or was torn: verification tells of it.
                done.add(opened)
        if not goes_on():
            return
        time.sleep(_PAUSE)


def _identity(file: Path) -> int:
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return -1


def _backwards(file: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file, the last one first."""
    with file.open("rb") as stream:
        position = stream.seek(0, os.SEEK_END)
        rest = b""
        first = True
        while position > 0:
            step = min(position, _STEP)
            position -= step
            stream.seek(position)
            lines = (stream.read(step) + rest).split(b"\n")
            if first:
                lines.pop()  # nothing, or half a line
                first = False
            rest = lines.pop(0) if lines else b""
            yield from reversed(lines)
        if rest:
            yield rest
