"""Opening a log to write it: as its one writer, with the right key, and after putting aside what a crash has left."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.audit import links, scanning
from aotel.errors import AotelError

if TYPE_CHECKING:
    from pathlib import Path

_STEP: Final = 1 << 16  # bytes that are read at a time
_LOOKED_AT: Final = 16  # lines that would all have to be damaged before the key is said to be the wrong one


class AuditLockedError(AotelError):
    """The log is being written by another process."""


class AuditKeyError(AotelError):
    """The log was written with another key: going on with this one would break its chain."""


class HalfLine(NamedTuple):
    """What a crash had left at the end of a file.

    Args:
        length: in bytes.
        file: where it is now.
    """

    length: int
    file: Path


def lock(directory: Path) -> int:
    """Become the writer of the log in a directory, and return the descriptor that keeps others out.

    Raises:
        AuditLockedError: another process is.
        OSError: the file can't be opened.
    """
    descriptor = _opened(directory / "audit.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AuditLockedError(
            f"the audit log in {directory} is being written by another process: stop that pod, or use another directory"
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def unlock(descriptor: int) -> None:
    """Let another process write."""
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def open_file(path: Path) -> int:
    """Open a file of the log to append to it; made if there is none, for its owner alone.

    Raises:
        OSError: it can't be opened.
    """
    return _opened(path, os.O_RDWR | os.O_APPEND)


def put_half_line_aside(descriptor: int, path: Path) -> HalfLine | None:
    """Move half a line at the end of a file to a file of its own.

    Args:
        descriptor: of the file.
        path: of the file.

    Raises:
        OSError: it can't be moved; the file is as it was, then.
    """
    size = os.fstat(descriptor).st_size
    end = _end_of_lines(descriptor, size)
    if end == size:
        return None
    aside = path.with_name(f"{path.name}.torn-{time.time_ns()}")
    copy = _opened(aside, os.O_WRONLY | os.O_EXCL)
    try:
        position = end
        while data := os.pread(descriptor, _STEP, position):
            write_all(copy, data)
            position += len(data)
        os.fsync(copy)
    except OSError:
        aside.unlink()
        raise
    finally:
        os.close(copy)
    os.ftruncate(descriptor, end)
    return HalfLine(size - end, aside)


def check_key(directory: Path, key: bytes | None) -> None:
    """Make sure that the lines of a log go with a key: one of the last ones has to; the others may be damaged.

    Raises:
        AuditKeyError: none does.
    """
    digest = links.hasher(key)
    found = [link for line in islice(scanning.backwards(directory), _LOOKED_AT) if (link := links.link_of(line))]
    if found and not any(digest(link.prev.encode() + link.content) == link.hash for link in found):
        given = "without a key" if key is None else "with another key, or without one"
        before = "with one" if key is None else given
        raise AuditKeyError(
            f"the audit log in {directory} was written {before}, or was changed: "
            "open it with the key that it was written with, or begin a new log in another directory"
        )


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, however little the system takes at a time.

    Raises:
        OSError: it can't be written; a part of it may be.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _opened(path: Path, flags: int) -> int:
    # Who can write the directory could else have the log of a more powerful user end up in a file of theirs, or wait.
    safe = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | safe, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(f"{path.name} is a symbolic link") from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no regular file")
    return descriptor


def _end_of_lines(descriptor: int, size: int) -> int:
    """Return where the last whole line of a file ends."""
    start = size
    while start > 0:
        step = min(start, _STEP)
        start -= step
        found = os.pread(descriptor, step, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0
