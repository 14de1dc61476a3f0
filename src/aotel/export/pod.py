"""Envelopes to the pod: over its Unix socket, obeying its replies, with a fallback for when it is away."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from aotel.envelopes import protocol
from aotel.errors import AotelError
from aotel.export.connection import Connection, Unanswered
from aotel.export.exporter import EnvelopeExporter, envelope_line
from aotel.export.health import Backoff, Health, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

_HELLO = protocol.encode(protocol.Hello())
_HELLO_TIMEOUT = 2.0  # seconds: some servers answer only what they know
_BATCH_ENVELOPES = 256
_BATCH_BYTES = protocol.MAX_LINE - (1 << 12)  # room for what surrounds the envelopes
_SECOND_ATTEMPT = 0.1  # seconds after a failed one: what a pod takes that is being replaced


class _Held(AotelError):
    """The pod went on asking us to wait for longer than we can."""


class _Item:
    """An envelope on its way: the record it came in, and its JSON as it goes into a request."""

    __slots__ = ("json", "record")

    def __init__(self, record: ReadableLogRecord, json: protocol.msgspec.Raw) -> None:
        self.record = record
        self.json = json


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
        self._health = Health(
            f"the pod at {path}",
            consequence="envelopes are lost meanwhile" if fallback is None else f"meanwhile {_destination(fallback)}",
            tolerated=1,
            backoff=backoff,
        )

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        if not self._health.due:
            return self._divert(batch)
        refused = self.counts.refused
        waiting = deque(item for record in batch if (item := self._item(record)) is not None)
        while waiting:
            group = self._group(waiting)
            try:
                self._send(group)
            except (Unanswered, protocol.ProtocolError, _Held) as error:
                waiting.extendleft(reversed(group))
                if not self._try_again(error, len(group)):
                    return self._divert([item.record for item in waiting]) and self.counts.refused == refused
            else:
                self._health.worked()
                self.counts.state = "ready"
        return self.counts.refused == refused

    def _item(self, record: ReadableLogRecord) -> _Item | None:
        try:
            return _Item(record, protocol.raw(envelope_line(record)))
        except protocol.ProtocolError as error:
            self._refuse(1, str(error))
            return None

    def _group(self, waiting: deque[_Item]) -> list[_Item]:
        """Remove and return the envelopes of the next request."""
        group = [waiting.popleft()]
        size = len(bytes(group[0].json))
        while self._batches and waiting and len(group) < _BATCH_ENVELOPES:
            size += len(bytes(waiting[0].json)) + 1
            if size > _BATCH_BYTES:
                break
            group.append(waiting.popleft())
        return group

    def _try_again(self, error: Exception, envelopes: int) -> bool:
        """Note a failure; return whether to make another attempt at once."""
        self._connection.close()
        self._batches = None  # another server may answer next time
        self.counts.last_error = str(error)
        if self._closing.is_set():
            return False
        self._health.failed(str(error), for_sure=isinstance(error, _Held))
        if self._health.down:
            self.counts.state = "down"
            return False
        self.counts.retried += envelopes
        self._closing.wait(_SECOND_ATTEMPT)
        return True

    def _send(self, group: list[_Item]) -> None:
        """Send a group and count what became of it; whatever raises leaves it to be sent again."""
        if len(group) == 1:
            self._send_single(group[0])
            return
        reply = self._obey(
            protocol.encode(protocol.AgentCoatBatch([item.json for item in group])),
            protocol.decode_batch_reply,
            len(group),
        )
        if isinstance(reply, protocol.Refused):
            # Of a batch refused as a whole each envelope gets a verdict of its own.
            self._batches = False
            self.counts.last_error = reply.message
            for item in group:
                self._send_single(item)
            return
        self._count(reply, len(group))

    def _send_single(self, item: _Item) -> None:
        reply = self._obey(protocol.encode(protocol.AgentCoat(item.json)), protocol.decode_reply, 1)
        if isinstance(reply, protocol.Refused):
            self._refuse(1, reply.message)
        else:
            self.counts.sent += 1
