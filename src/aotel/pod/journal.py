"""Writing to the audit log: what comes in together is written together, and answered when it is written."""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from aotel.audit import AuditWriteError, actions
from aotel.envelopes.protocol import RateLimited, encode
from aotel.envelopes.times import timestamp

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from aotel.audit import AuditLog
    from aotel.audit.entry import Entry
    from aotel.pod.duplicates import Duplicates

_RETRY_AFTER = 0.5  # seconds that clients are asked to wait while the log can't be written
TRY_AGAIN: Final = encode(RateLimited(_RETRY_AFTER, "the audit log can't be written now"))
"""The reply to what could not be written."""

_PAUSE = 0.25  # seconds between attempts at a log that can't be written
_MOST_KEPT = 10_000  # entries of the pod's own that wait for a log that can be written

_encoder = msgspec.json.Encoder()
_logger = logging.getLogger("aotel")


class Recipient(Protocol):
    """Whoever waits for replies."""

    def send(self, replies: list[bytes]) -> None:
        """Take replies, in the order of the requests."""


class Sink(Protocol):
    """Where envelopes go beside the log; never blocks."""

    def put(self, envelopes: list[bytes]) -> None:
        """Take envelopes that are in the log."""


class _Answer(NamedTuple):
    """A reply that waits for the log.

    Attributes:
        recipient: who gets it.
        reply: what is said when the log is written.
        otherwise: what is said when it isn't; None for the same.
        undo: what has to be taken back then.
    """

    recipient: Recipient
    reply: bytes
    otherwise: bytes | None
    undo: Callable[[], None] | None


class _Own(NamedTuple):
    """An entry that nobody would send again: it waits until the log can be written."""

    action: str
    detail: bytes
    success: bool
    agent: str | None


class _Written(NamedTuple):
    entries: list[Entry]
    envelopes: list[bytes]
    answers: list[_Answer]


class Journal:
    """Groups the entries of one turn of the event loop, over all connections, into one write.

    Args:
        log: the log.
        loop: in whose thread all of this runs.
        executor: where the log is synced.
        durable: whether replies wait until the log is on the disk itself.
        duplicates: what is told which envelopes are in the log.
        on_written: gets entries when they are in the log, in order.
    """

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        log: AuditLog,
        loop: asyncio.AbstractEventLoop,
        executor: Executor,
        *,
        durable: bool,
        duplicates: Duplicates,
        on_written: Callable[[list[Entry]], None] | None = None,
    ) -> None:
        self.sink: Sink | None = None
        self.written = 0
        """Entries that are in the log."""
        self.envelopes = 0
        """Those of them that are envelopes."""
        self.failures = 0
        """Attempts to write or sync the log that failed."""
        self._log = log
        self._loop = loop
        self._executor = executor
        self._durable = durable
        self._duplicates = duplicates
        self._on_written = on_written
        self._answers: list[_Answer] = []
        self._envelopes: list[bytes] = []
        self._new_envelopes = 0
        self._own: list[_Own] = []  # appended, to be written by the next commit
        self._kept: list[_Own] = []  # not written yet, because the log couldn't be
        self._appended = False
        self._scheduled = False
        self._unsynced: deque[_Written] = deque()
        self._syncing: asyncio.Future[None] | None = None
        self._trouble_since: float | None = None
        self._asked_to_wait = 0
        self._next_try = 0.0
        self._sync_fails = False

    @property
    def is_blocked(self) -> bool:
        """Whether the log couldn't be written a moment ago: not even worth a try."""
        return self._trouble_since is not None and time.monotonic() < self._next_try

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits to be written, synced or answered."""
        return not (self._answers or self._kept or self._appended or self._unsynced or self._syncing)

    def envelope(self, json: bytes, agent: str | None) -> None:
        """Append an envelope; it is in the log when the answer that follows is sent."""
        if not self._appended:
            self._begin()
        self._log.append(actions.AGENT_COAT, json, agent=agent)
        self._new_envelopes += 1
        if self.sink is not None:
            self._envelopes.append(json)

    def append(self, action: str, detail: bytes, *, success: bool = True, agent: str | None = None) -> None:
        """Append another entry; it is in the log when the answer that follows is sent."""
        if not self._appended:
            self._begin()
        self._log.append(action, detail, success=success, agent=agent)

    def note(self, action: str, detail: dict[str, object], *, agent: str | None = None) -> None:
        """Append an entry like `append`, with the time of now."""
        self.append(action, _encode(detail), agent=agent)

    def record(self, action: str, detail: dict[str, object], *, success: bool = True, agent: str | None = None) -> None:
        """Append an entry of the pod's own, which waits if the log can't be written."""
        own = _Own(action, _encode(detail), success, agent)
        if self.is_blocked:
            if len(self._kept) < _MOST_KEPT:
                self._kept.append(own)
            return
        if not self._appended:
            self._begin()
        self._append_own(own)

    def answer(
        self,
        recipient: Recipient,
        reply: bytes,
        otherwise: bytes | None = None,
        undo: Callable[[], None] | None = None,
    ) -> None:
        """Send a reply as soon as all that was appended before is written."""
        self._answers.append(_Answer(recipient, reply, otherwise, undo))
        self._schedule()

    def turn_away(self, recipient: Recipient) -> None:
        """Ask to wait, without a try."""
        self._asked_to_wait += 1
        self.answer(recipient, TRY_AGAIN)

    def commit(self) -> None:
        """Write what was appended, and answer."""
        self._scheduled = False
        answers, self._answers = self._answers, []
        envelopes, self._envelopes = self._envelopes, []
        new_envelopes, self._new_envelopes = self._new_envelopes, 0
        entries: list[Entry] = []
        if self._appended:
            self._appended = False
            try:
                entries = self._log.write()
            except AuditWriteError as error:
                self._failed(error, answers)
                return
            self._duplicates.keep()
            self._own = []
            self.written += len(entries)
            self.envelopes += new_envelopes
            if self._trouble_since is not None:
                self._recovered()
        written = _Written(entries, envelopes, answers)
        if self._unsynced or (self._durable and entries):
            self._unsynced.append(written)
        else:
            self._release(written)
        self.sync_if_due()

    def retry(self) -> None:
        """Try again to write what waits."""
        if self._kept and not self._appended and not self.is_blocked:
            self._begin()

    def sync_if_due(self) -> None:
        """Have the log synced in another thread, if the policy wants it now."""
        if self._syncing is None and (self._unsynced or (not self._durable and self._log.needs_sync)):
            covered = len(self._unsynced)
            self._syncing = self._loop.run_in_executor(self._executor, self._log.sync)
            self._syncing.add_done_callback(lambda done: self._synced(done, covered))

    def _begin(self) -> None:
        """Begin a batch, with what is left of those that failed."""
        self._appended = True
        self._schedule()
        kept, self._kept = self._kept, []
        for own in kept:
            self._append_own(own)

    def _append_own(self, own: _Own) -> None:
        self._own.append(own)
        self._log.append(own.action, own.detail, success=own.success, agent=own.agent)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            # Behind all that this turn of the loop reads from other connections.
            self._loop.call_soon(self.commit)

    def _synced(self, done: asyncio.Future[None], covered: int) -> None:
        self._syncing = None
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self.failures += 1
            if not self._sync_fails:
                _logger.error("aotel: the audit log can't be synced to its disk: %s; this is said once", error)
        self._sync_fails = error is not None
        for _ in range(covered):
            written = self._unsynced.popleft()
            if error is None:
                self._release(written)
            else:
                # It is in the file, and known: sent again it will be a duplicate, answered after a sync that worked.
                self._refuse(written.answers, undo=False)
                self._tell(written)
        self.sync_if_due()

    def _release(self, written: _Written) -> None:
        self._tell(written)
        _send([(answer.recipient, answer.reply) for answer in written.answers])

    def _tell(self, written: _Written) -> None:
        if written.envelopes and self.sink is not None:
            self.sink.put(written.envelopes)
        if written.entries and self._on_written is not None:
            try:
                self._on_written(written.entries)
            except Exception:
                _logger.exception("aotel: who follows the audit log failed")

    def _failed(self, error: AuditWriteError, answers: list[_Answer]) -> None:
        self.failures += 1
        self._next_try = time.monotonic() + _PAUSE
        own, self._own = self._own, []
        self._kept = own[:_MOST_KEPT]
        self._duplicates.take_back()
        if self._trouble_since is None:
            self._trouble_since = time.time()
            _logger.error("aotel: %s; clients are asked to send again", error)
        self._refuse(answers, undo=True)

    def _refuse(self, answers: list[_Answer], *, undo: bool) -> None:
        replies: list[tuple[Recipient, bytes]] = []
        for recipient, reply, otherwise, take_back in answers:
            if undo and take_back is not None:
                take_back()
            if otherwise is not None:
                self._asked_to_wait += 1
            replies.append((recipient, reply if otherwise is None else otherwise))
        _send(replies)

    def _recovered(self) -> None:
        since = self._trouble_since or 0.0
        self._trouble_since = None
        waited, self._asked_to_wait = self._asked_to_wait, 0
        seconds = time.time() - since
        message = f"the audit log could not be written for {seconds:.1f} s; {waited} requests were asked to wait"
        _logger.warning("aotel: %s", message)
        disk = shutil.disk_usage(self._log.path.parent)
        percent = round(100 * disk.used / (disk.total or 1), 1)
        self.record(
            actions.LIMIT_WARNING,
            {"resource": "disk", "percent": percent, "state": "recovered", "message": message, "source": "pod"},
        )


def _encode(detail: dict[str, object]) -> bytes:
    return _encoder.encode(detail if "ts" in detail else {"ts": timestamp(time.time_ns()), **detail})


def _send(replies: Sequence[tuple[Recipient, bytes]]) -> None:
    by_recipient: dict[Recipient, list[bytes]] = {}
    for recipient, reply in replies:
        by_recipient.setdefault(recipient, []).append(reply)
    for recipient, mine in by_recipient.items():
        recipient.send(mine)
