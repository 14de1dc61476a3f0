"""Writing the log: lines that are chained, written in one go, rotated, and whole again after a crash."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import os
import time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from aotel.audit import actions, files
from aotel.audit.entry import Entry
from aotel.audit.reading import tail
from aotel.envelopes.times import timestamp
from aotel.errors import AotelError

if TYPE_CHECKING:
    from pathlib import Path

Fsync: TypeAlias = Literal["none", "interval", "always"]

FIRST: Final = "0" * 64
"""What stands in `prev` of the first line."""

_ENCODER: Final = msgspec.json.Encoder()
_LOOK_BACK: Final = 1 << 16  # bytes a step, in search of the last line end


class AuditWriteError(AotelError, OSError):
    """Entries that could not be written; none of them is in the log, and the chain goes on from before them."""


class AuditLockedError(AotelError):
    """The log is being written by another process."""


class AuditLog:
    """The log in a directory, with this process as its one writer.

    What was left half-written by a crash is put aside when the log is opened, and told of in the log.

    Args:
        directory: where its files are; made if there is none, for its owner only.
        pod_id: whose log it is, as it stands in every line.
        key: of the chain (HMAC); None for a chain without one.
        rotate_bytes: size past which the file is put away and a new one begun.
        fsync: "none" leaves it to the system when lines get to the disk itself; "interval" asks for `sync` once in a
            while, "always" after every write.
        fsync_interval: seconds between syncs.

    Raises:
        AuditLockedError: another process writes it.
        AuditWriteError: the directory or the file can't be written.
    """

    def __init__(  # noqa: PLR0913 - one keyword a setting
        self,
        directory: Path,
        *,
        pod_id: str,
        key: bytes | None = None,
        rotate_bytes: int = 256 << 20,
        fsync: Fsync = "interval",
        fsync_interval: float = 1.0,
    ) -> None:
        self.path = directory / files.NAME
        self.recovered: Path | None = None
        """Where the half line is that a crash had left, if there was one."""
        self._key = key
        self._rotate_bytes = rotate_bytes
        self._fsync: Fsync = fsync
        self._interval = fsync_interval
        self._pod_id = pod_id
        self._middle = b'","pod_id":%b,"action":"' % _ENCODER.encode(pod_id)
        self._lines: list[bytes] = []
        self._entries: list[Entry] = []
        self._unsynced: list[int] = []
        self._dirty = False
        self._synced = time.monotonic()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(directory)
            self._descriptor = _opened(self.path)
        except OSError as error:
            raise AuditWriteError(f"the audit log in {directory} can't be opened: {error.strerror}") from error
        torn = self._mend()
        self._size = os.fstat(self._descriptor).st_size
        last = tail(directory, 1)
        self._seq, self._prev = (last[0].seq, last[0].hash or FIRST) if last else (0, FIRST)
        self._before = (self._seq, self._prev)
        if torn:
            self.append(actions.TORN_LINE, _ENCODER.encode({"bytes": torn, "file": str(self.recovered)}), success=False)
            self.write()

    @property
    def head(self) -> tuple[int, str]:
        """The number and the hash of the last line."""
        return self._seq, self._prev

    @property
    def needs_sync(self) -> bool:
        """Whether it is time to call `sync`, by the policy."""
        if not self._dirty or self._fsync == "none":
            return False
        return self._fsync == "always" or time.monotonic() - self._synced >= self._interval

    def append(self, action: str, detail: str | bytes, *, success: bool = True, agent: str | None = None) -> Entry:
        """Add an entry, which the next `write` writes.

        Args:
            action: what happened, one of `aotel.audit.actions`.
            detail: JSON, as text or in UTF-8.
            success: whether it was done.
            agent: who did it, if a claim says so.
        """
        text = detail if isinstance(detail, str) else detail.decode()
        now = timestamp(time.time_ns())
        seq = self._seq + 1
        line = b"".join(
            (
                b'{"timestamp":"',
                now.encode(),
                self._middle,
                action.encode(),
                b'","detail":',
                _ENCODER.encode(text),
                b',"success":true' if success else b',"success":false',
                b"" if agent is None else b',"agent":' + _ENCODER.encode(agent),
                b',"seq":%d,"prev":"%b"' % (seq, self._prev.encode()),
            )
        )
        digest = chained(self._prev, line, self._key)
        entry = Entry(now, self._pod_id, action, text, success, agent, seq, self._prev, digest)
        self._lines.append(b'%b,"hash":"%b"}\n' % (line, digest.encode()))
        self._entries.append(entry)
        self._seq, self._prev = seq, digest
        return entry

    def write(self) -> list[Entry]:
        """Write what was appended, in one go; return it.

        Raises:
            AuditWriteError: it can't be written. Nothing of it is in the log, then, and it is not kept either: whoever
                sent it is told to try again.
        """
        if not self._lines:
            return []
        data = b"".join(self._lines)
        entries = self._entries
        self._lines, self._entries = [], []
        try:
            if self._size and self._size + len(data) > self._rotate_bytes:
                self._rotate()
            _write_all(self._descriptor, data)
        except OSError as error:
            self._take_back()
            raise AuditWriteError(f"the audit log {self.path} can't be written: {error.strerror}") from error
        self._size += len(data)
        self._before = (self._seq, self._prev)
        self._dirty = True
        return entries

    def sync(self) -> None:
        """Have what is written on the disk itself; may be called in another thread than `write`."""
        descriptor, self._dirty, self._synced = os.dup(self._descriptor), False, time.monotonic()
        put_away, self._unsynced = self._unsynced, []
        for each in (*put_away, descriptor):
            try:
                os.fsync(each)
            finally:
                os.close(each)

    def close(self) -> None:
        """Sync as the policy says, and let another process write."""
        with contextlib.suppress(OSError):
            if self._dirty and self._fsync != "none":
                self.sync()
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)  # closing it is not enough while a forked child has it too
        self.forget()

    def forget(self) -> None:
        """Close the files and write nothing: in a forked child, which would else hold the lock as long as it lives."""
        descriptors = (*self._unsynced, self._descriptor, self._lock)
        self._unsynced, self._descriptor, self._lock = [], -1, -1
        for descriptor in descriptors:
            if descriptor >= 0:
                os.close(descriptor)

    def _mend(self) -> int:
        """Put half a line at the end of the file aside; return how many bytes it has."""
        size = os.fstat(self._descriptor).st_size
        end = _end_of_lines(self._descriptor, size)
        if end == size:
            return 0
        half = os.pread(self._descriptor, size - end, end)
        self.recovered = self.path.with_name(f"{self.path.name}.torn-{time.time_ns()}")
        self.recovered.write_bytes(half)
        self.recovered.chmod(0o600)
        os.ftruncate(self._descriptor, end)
        return len(half)

    def _rotate(self) -> None:
        """Put the file away and begin a new one; the chain goes on."""
        before = files.rotated(self.path)
        number = before[-1][0] + 1 if before else 1
        self.path.rename(self.path.with_name(f"{self.path.name}.{number}"))
        try:
            opened = _opened(self.path)
        except OSError:
            self.path.with_name(f"{self.path.name}.{number}").rename(self.path)
            raise
        if self._fsync == "none":
            os.close(self._descriptor)
        else:
            self._unsynced.append(self._descriptor)
        self._descriptor, self._size = opened, 0

    def _take_back(self) -> None:
        """Cut off what was written of a batch that failed, and go on from before it."""
        self._seq, self._prev = self._before
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, self._size)


def chained(prev: str, line: bytes, key: bytes | None) -> str:
    """Return the hash of a line, in hexadecimal.

    Args:
        prev: the hash of the line before it.
        line: its bytes, up to `,"hash"`.
        key: of the chain, if it has one.
    """
    data = prev.encode() + line
    return hashlib.sha256(data).hexdigest() if key is None else hmac.digest(key, data, "sha256").hex()


def _locked(directory: Path) -> int:
    descriptor = os.open(directory / "audit.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AuditLockedError(
            f"the audit log in {directory} is being written by another process: stop that pod, or use another directory"
        ) from None
    return descriptor


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _end_of_lines(descriptor: int, size: int) -> int:
    """Return where the last whole line of a file ends."""
    start = size
    while start > 0:
        step = min(start, _LOOK_BACK)
        start -= step
        found = os.pread(descriptor, step, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
    return 0
