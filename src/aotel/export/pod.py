"""Envelopes to the pod: over its Unix socket, obeying its replies, with a fallback for when it is away."""

from __future__ import annotations

import logging
import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.envelopes import protocol
from aotel.errors import AotelError
from aotel.export.connection import Connection, NoReplyError
from aotel.export.exporter import EnvelopeExporter, envelope_line
from aotel.export.health import Backoff, Health, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import msgspec
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter

    _Verdict: TypeAlias = protocol.Ok | protocol.BatchOk | protocol.Refused

_HELLO = protocol.encode(protocol.Hello())
_HELLO_TIMEOUT = 2.0  # seconds: some servers answer only what they know
_BATCH_ENVELOPES = 256
_BATCH_BYTES = protocol.MAX_LINE - (1 << 12)  # room for what surrounds the envelopes
_SECOND_ATTEMPT = 0.1  # seconds after a failed one: what a pod takes that is being replaced


class _HeldError(AotelError):
    """The pod went on asking us to wait for longer than we can."""


class _Item(NamedTuple):
    """An envelope on its way: the record it came in, its JSON as it goes into a request, and that one's size."""

    record: ReadableLogRecord
    json: msgspec.Raw
    size: int


class PodExporter(EnvelopeExporter):
    """Delivers envelopes to a pod runtime, or to a local `aotel pod`.

    What the pod doesn't answer is sent again: receivers deduplicate by producer, span and sequence number. After two
    failures in a row envelopes go to the fallback, and the pod is tried again from time to time.

    Args:
        path: path of the pod's socket; it need not exist yet.
        fallback: takes the envelopes while the pod is away; without one they are dropped and counted.
        timeout: seconds to wait for a connection and a reply.
        patience: seconds that envelopes wait at most while the pod answers `rate_limited`.
        backoff: how long to wait between attempts while the pod is away.
    """

    can_be_away = True

    def __init__(
        self,
        path: str,
        *,
        fallback: LogRecordExporter | None = None,
        timeout: float = 5.0,
        patience: float = 30.0,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__("pod")
        self.path = path
        self.fallback = fallback
        self._timeout = timeout
        self._patience = patience
        self._waits = Backoff(first=0.05, longest=2.0)
        self._connection = Connection(path, timeout=timeout)
        self._batches: bool | None = None  # whether the server takes batches; None until it was asked
        self._singly = 0  # how many of the next envelopes go one by one, although it does
        self._health = Health(
            f"the pod at {path}",
            consequence=_meanwhile(fallback),
            tolerated=1,
            backoff=backoff,
        )

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        if not self._health.due:
            return self._divert(batch, batch)
        refused = self.counts.refused
        waiting = deque(item for record in batch if (item := self._item(record)) is not None)
        complete = True
        while waiting:
            group: list[_Item] = []
            try:
                group = self._group(waiting)
                settled = self._send(group)
            except (NoReplyError, protocol.ProtocolError, _HeldError) as error:
                if not self._try_again(error, len(group)):
                    complete = self._divert(batch, [item.record for item in waiting])
                    break
            else:
                for _ in range(settled):
                    waiting.popleft()
                self._health.worked()
                self.counts.state = "ready"
        return complete and self.counts.refused == refused

    def _item(self, record: ReadableLogRecord) -> _Item | None:
        line = envelope_line(record)
        try:
            return _Item(record, protocol.raw(line), len(line))
        except protocol.ProtocolError as error:
            self._refuse(1, str(error))
            return None

    def _group(self, waiting: deque[_Item]) -> list[_Item]:
        """Return the envelopes of the next request: several if there are, and the server takes batches."""
        if len(waiting) == 1:
            return [waiting[0]]
        if self._batches is None:
            self._batches = self._ask_for_batches()
        if not self._batches or self._singly:
            self._singly = max(0, self._singly - 1)
            return [waiting[0]]
        group: list[_Item] = []
        size = 0
        for item in islice(waiting, _BATCH_ENVELOPES):
            size += item.size + 1
            if group and size > _BATCH_BYTES:
                break
            group.append(item)
        return group

    def _ask_for_batches(self) -> bool | None:
        """Ask the server what it can do; a runtime that doesn't know the question takes single requests."""
        try:
            line = self._connection.exchange(_HELLO, min(self._timeout, _HELLO_TIMEOUT))
            reply = protocol.decode_hello_reply(line)
        except NoReplyError as error:
            if not error.connected or self._closing.is_set():
                raise
            return False
        except protocol.ProtocolError:
            self._connection.close()
            return False
        if isinstance(reply, protocol.RateLimited):
            return None  # no answer either way: ask again another time
        return isinstance(reply, protocol.HelloOk) and protocol.BATCH_FEATURE in reply.features

    def _send(self, group: list[_Item]) -> int:
        """Send a group; count what became of it, and return how many need no further attempt."""
        if len(group) == 1:
            reply = self._obey(protocol.encode(protocol.AgentCoat(group[0].json)), protocol.decode_reply, 1)
        else:
            request = protocol.encode(protocol.AgentCoatBatch([item.json for item in group]))
            reply = self._obey(request, protocol.decode_batch_reply, len(group))
        if isinstance(reply, protocol.BatchOk):
            self._count_batch(reply, len(group))
        elif isinstance(reply, protocol.Ok):
            self.counts.sent += len(group)
        elif len(group) == 1:
            self._refuse(1, reply.message)
        else:
            # Of a batch that is refused as a whole, each envelope gets a verdict of its own.
            self._singly = len(group)
            self.counts.last_error = reply.message
            return 0
        return len(group)

    def _obey(
        self, request: bytes, decode: Callable[[bytes], _Verdict | protocol.RateLimited], envelopes: int
    ) -> _Verdict:
        """Send a request, as often as the server asks us to wait, and return its verdict."""
        deadline = time.monotonic() + self._patience
        attempt = 0
        while True:
            reply = decode(self._connection.exchange(request))
            if not isinstance(reply, protocol.RateLimited):
                return reply
            self.counts.last_error = f"rate limited {reply.message}".rstrip()
            asked = reply.retry_after
            seconds = self._waits.wait(attempt) if asked is None else max(asked, self._waits.first)
            attempt += 1
            if time.monotonic() + seconds > deadline:
                raise _HeldError(f"it answers rate_limited for more than {self._patience:g} s")
            if self._closing.wait(seconds):
                raise _HeldError("shut down while it asked to wait")
            self.counts.retried += envelopes

    def _count_batch(self, reply: protocol.BatchOk, envelopes: int) -> None:
        rejected = {each.index: each.message for each in reply.rejected if 0 <= each.index < envelopes}
        taken = envelopes - len(rejected)
        if rejected:
            self._refuse(len(rejected), next(iter(rejected.values())))
        if reply.accepted is not None:
            said = max(0, reply.accepted + reply.duplicates)
            if said < taken:
                self._refuse(taken - said, f"its reply accounts for {said} of {taken} envelopes")
                taken = said
        self.counts.sent += taken

    def _refuse(self, envelopes: int, message: str) -> None:
        """Count envelopes that the pod doesn't want; say it the first time, with the pod's own words."""
        first = not self.counts.refused
        self.counts.refused += envelopes
        self.counts.last_error = message
        if first:
            say(
                logging.WARNING,
                "aotel: the pod at %s refused an envelope: %s; further refusals are only counted",
                self.path,
                message or "it gave no reason",
            )

    def _try_again(self, error: Exception, envelopes: int) -> bool:
        """Note a failure; return whether to make another attempt at once."""
        self._connection.close()
        self._batches = None  # another server may answer next time
        self.counts.last_error = str(error)
        if self._closing.is_set():
            return False
        self._health.failed(str(error), for_sure=isinstance(error, _HeldError))
        if self._health.down:
            self.counts.state = "down"
            return False
        self.counts.retried += envelopes
        self._closing.wait(_SECOND_ATTEMPT)
        return True

    def _divert(self, batch: Sequence[ReadableLogRecord], left: Sequence[ReadableLogRecord]) -> bool:
        if not left:
            return True
        if self._shipping:
            self._leave(batch, left[0])
            return True
        if self.fallback is None:
            self.counts.dropped += len(left)
            return False
        self.counts.diverted += len(left)
        return self.fallback.export(left) is LogRecordExportResult.SUCCESS

    def _interrupt(self) -> None:
        self._connection.interrupt()

    def _close(self) -> None:
        self._connection.close()
        if self.fallback is not None:
            self.fallback.shutdown()  # type: ignore[no-untyped-call]

    def after_fork_in_child(self) -> None:
        """Start anew, on a connection of the child's own."""
        super().after_fork_in_child()
        self._connection.close()
        self._connection = Connection(self.path, timeout=self._timeout)
        self._batches = None
        self._singly = 0


def _meanwhile(fallback: LogRecordExporter | None) -> str:
    if fallback is None:
        return "envelopes are lost until it is back"
    return f"envelopes go to {getattr(fallback, 'name', type(fallback).__name__)} until it is back"
