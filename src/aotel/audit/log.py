"""Writing the log: lines that are chained, written in one go, rotated, and whole again after a crash."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from aotel.audit import actions, files, links, opening
from aotel.audit.entry import Entry
from aotel.audit.reading import tail
from aotel.audit.scanning import LONGEST
from aotel.envelopes.times import timestamp
from aotel.errors import AotelError
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from pathlib import Path

Fsync: TypeAlias = Literal["none", "interval", "always"]

_encode: Final = msgspec.json.Encoder().encode
_logger: Final = logging.getLogger("aotel")
_KNOWN_ACTIONS: Final = 256
_MOST_UNSYNCED: Final = 64  # descriptors that wait for a sync that nobody asks for


class AuditWriteError(AotelError, OSError):
    """Entries that could not be written; none of them is in the log, and the chain goes on from before them."""


class AuditLog(Forking):
    """The log in a directory, with this process as its one writer.

    What was left half-written by a crash is put aside when the log is opened, and told of in the log. All methods are
    for one thread, but for `sync`. In a forked child it is closed.

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
        AuditKeyError: its lines were written with another key.
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
        self._digest = links.hasher(key)
        self._rotate_bytes = rotate_bytes
        self._fsync: Fsync = fsync
        self._interval = fsync_interval
        self._pod_id = _clean(pod_id)
        self._before_action = b'","pod_id":%b,"action":' % _encode(self._pod_id)
        self._actions: dict[str, bytes] = {}
        self._now = (-1, "", b"")  # the millisecond, as text, and the beginning of a line
        self._lines: list[bytes] = []
        self._entries: list[Entry] = []
        self._owed: Entry | None = None  # tells of a half line, and could not be written yet
        self._rest_to_cut = False  # what was written of a batch that failed is still there
        self._swapping = threading.Lock()  # held while descriptors come and go
        self._unsynced: list[int] = []
        self._dirty = False
        self._synced = time.monotonic()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = opening.lock(directory)
        except OSError as error:
            raise _unopened(directory, error) from error
        self._descriptor = self._lock  # until there is a file
        try:
            self._open(directory, key)
        except BaseException as error:
            self._let_go()
            if isinstance(error, OSError):
                raise _unopened(directory, error) from error
            raise
        watch(self)

    def _open(self, directory: Path, key: bytes | None) -> None:
        self._descriptor = opening.open_file(self.path)
        self._note_directory()
        opening.check_key(directory, key)
        half = opening.put_half_line_aside(self._descriptor, self.path)
        self._size = os.fstat(self._descriptor).st_size
        last = tail(directory, 1)
        self._seq, self._prev = (last[0].seq, last[0].hash or links.FIRST) if last else (0, links.FIRST)
        self._before = (self._seq, self._prev)
        if half is not None:
            self.recovered = half.file
            self.append(actions.TORN_LINE, _encode({"bytes": half.length, "file": half.file.name}), success=False)
            with contextlib.suppress(AuditWriteError):  # then it comes before what is written next
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
            detail: JSON, as text or in UTF-8. What can't be UTF-8 becomes U+FFFD.
            success: whether it was done.
            agent: who did it, if a claim says so.

        Raises:
            ValueError: it is longer than a line may be.
        """
        if self._owed is not None and not self._lines:
            owed, self._owed = self._owed, None
            self._append(owed.action, owed.detail, success=owed.success, agent=None)
        text = detail if isinstance(detail, str) else detail.decode("utf-8", "replace")
        return self._append(action, text, success=success, agent=agent)

    def _append(self, action: str, text: str, *, success: bool, agent: str | None) -> Entry:
        try:
            encoded, by = _encode(text), b"" if agent is None else b',"agent":' + _encode(agent)
        except UnicodeEncodeError:  # lone surrogates
            return self._append(action, _clean(text), success=success, agent=None if agent is None else _clean(agent))
        now, start = self._time()
        seq = self._seq + 1
        content = b"".join(
            (
                start,
                self._actions.get(action) or self._encoded(action),
                b',"detail":',
                encoded,
                b',"success":true' if success else b',"success":false',
                by,
                links.place(seq, self._prev),
            )
        )
        if len(content) + links.HASH_LENGTH > LONGEST:
            raise ValueError(
                f"a line of the audit log may have {LONGEST:,} bytes, this one would have {len(content):,}"
            )
        digest = self._digest(self._prev.encode() + content)
        entry = Entry(now, self._pod_id, action, text, success, agent, seq, self._prev, digest)
        self._lines += (content, links.ending(digest))
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
            self._prepare(len(data))
            opening.write_all(self._descriptor, data)
        except OSError as error:
            self._take_back(entries)
            raise AuditWriteError(f"the audit log {self.path} can't be written: {_reason(error)}") from error
        self._size += len(data)
        self._before = (self._seq, self._prev)
        self._dirty = True
        return entries

    def sync(self) -> None:
        """Have what is written on the disk itself; may be called in another thread than `write`.

        Raises:
            AuditWriteError: the disk has failed: what was written since the last sync may be lost, also if a later one
                works.
        """
        with self._swapping:
            if self._lock < 0:
                return
            put_away, self._unsynced = self._unsynced, []
            descriptors = [*put_away, os.dup(self._descriptor)]
            self._dirty, self._synced = False, time.monotonic()
        failure: OSError | None = None
        for descriptor in descriptors:
            try:
                os.fsync(descriptor)
            except OSError as error:
                failure = failure or error
            finally:
                os.close(descriptor)
        if failure is not None:
            self._dirty = True
            raise AuditWriteError(f"the audit log {self.path} can't be synced: {_reason(failure)}") from failure

    def close(self) -> None:
        """Sync as the policy says, and let another process write; what was only appended is not written."""
        if self._lock < 0:
            return
        with contextlib.suppress(OSError):
            if self._dirty and self._fsync != "none":
                self.sync()
        self._let_go()

    def _prepare(self, length: int) -> None:
        """See to it that a batch can be appended to the right file, behind whole lines."""
        if self._lock < 0:
            raise OSError("it is closed")
        if self._rest_to_cut:
            os.ftruncate(self._descriptor, self._size)
            self._rest_to_cut = False
        if not _is_there(self.path, self._descriptor):
            self._begin_anew()
        if self._size and self._size + length > self._rotate_bytes:
            self._rotate()

    def _rotate(self) -> None:
        """Put the file away and begin a new one; the chain goes on."""
        before = files.rotated(self.path)
        away = self.path.with_name(f"{self.path.name}.{before[-1][0] + 1 if before else 1}")
        self.path.rename(away)
        try:
            opened = opening.open_file(self.path)
        except OSError:
            away.rename(self.path)
            raise
        self._swap(opened)

    def _begin_anew(self) -> None:
        """Go on in a new file where somebody has taken the old one away; the gap in the numbers shows it."""
        opened = opening.open_file(self.path)
        try:
            opening.put_half_line_aside(opened, self.path)
        except OSError:
            os.close(opened)
            raise
        _logger.error("aotel: the audit log %s was moved or deleted while it was written; it goes on anew", self.path)
        self._swap(opened)

    def _swap(self, opened: int) -> None:
        with self._swapping:
            self._unsynced.append(self._descriptor)
            self._descriptor, self._size = opened, os.fstat(opened).st_size
            if self._fsync == "none":
                os.close(self._unsynced.pop())
        self._note_directory()
        if len(self._unsynced) > _MOST_UNSYNCED:
            self.sync()

    def _note_directory(self) -> None:
        """Have the names of files on the disk with the next sync: a file without its name is lost."""
        if self._fsync != "none":
            with self._swapping:
                self._unsynced.append(os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def _take_back(self, entries: list[Entry]) -> None:
        """Cut off what was written of a batch that failed, and go on from before it."""
        self._seq, self._prev = self._before
        self._owed = next((entry for entry in entries if entry.action == actions.TORN_LINE), None)
        try:
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            self._rest_to_cut = True

    def _let_go(self) -> None:
        with self._swapping:
            for descriptor in {*self._unsynced, self._descriptor} - {self._lock}:
                os.close(descriptor)
            self._unsynced = []
            opening.unlock(self._lock)
            self._descriptor = self._lock = -1

    def after_fork_in_child(self) -> None:
        """Leave the log to the parent."""
        self._swapping = threading.Lock()
        for descriptor in {*self._unsynced, self._descriptor, self._lock} - {-1}:
            os.close(descriptor)
        self._unsynced, self._lines, self._entries = [], [], []
        self._descriptor = self._lock = -1

    def _time(self) -> tuple[str, bytes]:
        millisecond = (time.time_ns() + 500_000) // 1_000_000
        known, text, start = self._now
        if known != millisecond:
            text = timestamp(millisecond * 1_000_000)
            start = b'{"timestamp":"%b%b' % (text.encode(), self._before_action)
            self._now = (millisecond, text, start)
        return text, start

    def _encoded(self, action: str) -> bytes:
        encoded = _encode(action)
        if len(self._actions) < _KNOWN_ACTIONS:
            self._actions[action] = encoded
        return encoded


def _is_there(path: Path, descriptor: int) -> bool:
    """Say whether a path still leads to the file that is open."""
    opened = os.fstat(descriptor)
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)


def _clean(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _unopened(directory: Path, error: OSError) -> AuditWriteError:
    return AuditWriteError(f"the audit log in {directory} can't be opened: {_reason(error)}")
