"""Envelopes to a file: JSON lines, appended, by as many processes as like to."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from typing import TYPE_CHECKING

from aotel.export.backlog import Backlog
from aotel.export.exporter import EnvelopeExporter, envelope_line
from aotel.export.health import Backoff, Health

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

_WRITE_BYTES = 1 << 20  # of one write, whole lines
_LOCK_PATIENCE = 1.0  # seconds to wait for another process's write
_LOCK_PAUSE = 0.005


class FileExporter(EnvelopeExporter):
    """Appends each batch to a file in one write, so that lines of several processes never mix.

    The file is made if there is none, with its directories, for its owner only (0600); it is opened again when it
    was moved or deleted. What can't be written is kept for later, within bounds.

    Args:
        path: of the file; relative to the working directory of now.
        backoff: how long to wait between attempts at a file that can't be written.
    """

    def __init__(self, path: str, *, backoff: Backoff | None = None) -> None:
        super().__init__(f"file:{path}")
        self.path = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  as typed: links stay links
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None
        self._regular = True
        self._backlog: Backlog[bytes] = Backlog()
        self._health = Health(
            f"the file {self.path}",
            consequence="envelopes are kept in memory, the latest of them, until it can be written",
            backoff=backoff or Backoff(longest=30.0),
        )

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        for record in batch:
            line = envelope_line(record) + b"\n"
            self._backlog.add(line, len(line))
        if self._health.due:
            self._write_backlog()
        dropped = self._backlog.trim()
        self.counts.dropped += dropped
        self.counts.waiting = len(self._backlog)
        return not dropped

    def _flush(self) -> bool:
        self._write_backlog()
        self.counts.waiting = len(self._backlog)
        return not self._backlog

    def _write_backlog(self) -> None:
        while lines := self._backlog.take(_WRITE_BYTES):
            try:
                self._append(b"".join(line for line, _ in lines))
            except OSError as error:
                self._backlog.put_back(lines)
                self.counts.retried += len(lines)
                self.counts.last_error = str(error)
                self.counts.state = "down"
                self._health.failed(error.strerror or str(error))
                self._forget()
                return
            self.counts.sent += len(lines)
            self.counts.state = "ready"
            self._health.worked()

    def _append(self, data: bytes) -> None:
        descriptor = self._opened()
        if not self._regular:
            while data:
                data = data[os.write(descriptor, data) :]
            return
        with _locked(descriptor):
            before = os.fstat(descriptor).st_size
            written = os.write(descriptor, data)
            if written < len(data):
                # A full disk takes a part. Half a line would spoil the next writer's, so it is taken back.
                if os.fstat(descriptor).st_size == before + written:
                    os.ftruncate(descriptor, before)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _opened(self) -> int:
        """Return the descriptor of the file that is at the path now."""
        if self._descriptor is not None:
            with contextlib.suppress(FileNotFoundError):
                if _identity(os.stat(self.path)) == self._identity:  # noqa: PTH116  one call on the hot path
                    return self._descriptor
            self._forget()
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
        # Not blocking: opening a named pipe would wait for its reader.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        self._descriptor = os.open(self.path, flags, 0o600)
        found = os.fstat(self._descriptor)
        self._identity = _identity(found)
        self._regular = stat.S_ISREG(found.st_mode)
        os.set_blocking(self._descriptor, True)
        return self._descriptor

    def _forget(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def _close(self) -> None:
        self._write_backlog()
        self.counts.dropped += self._backlog.clear()
        self.counts.waiting = 0
        self._forget()

    def after_fork_in_child(self) -> None:
        """Start anew: what is kept is the parent's to write, and so are its descriptor and the lock on it."""
        super().after_fork_in_child()
        self._backlog.clear()
        self._forget()


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _locked(descriptor: int) -> Generator[None]:
    """Hold the file's advisory lock, or go on without it if another process won't let go of it."""
    deadline = time.monotonic() + _LOCK_PATIENCE
    while not _lock(descriptor):
        if time.monotonic() > deadline:
            # Appending is atomic on local file systems in any case: the lock is for the rest of them.
            yield
            return
        time.sleep(_LOCK_PAUSE)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.ENOLCK, errno.EINVAL}:
            return True  # a file system without locks
        raise
    return True
