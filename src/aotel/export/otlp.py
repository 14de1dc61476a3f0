"""Envelopes as OTLP log records: the stock exporter, with one message an outage and a bounded memory for it."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from aotel.export.backlog import Backlog
from aotel.export.exporter import EnvelopeExporter
from aotel.export.health import Backoff, Health, say
from aotel.export.outcome import Outcome, Verdict
from aotel.export.sizes import REQUEST_BYTES, log_record_size
from aotel.export.stock import GRPC, Stock, check_protocol, log_exporter, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

KEYS = "OTEL_EXPORTER_OTLP_HEADERS"
"""The variable that has the keys to a receiver."""

_ATTEMPTS = 8  # at a receiver that doesn't accept the key, some two minutes' worth
_LEAST_BYTES = 1 << 16  # of a request, however little a receiver takes


class OtlpExporter(EnvelopeExporter):
    """Sends log records to an OTLP endpoint, in requests under 3.5 MB.

    What the receiver doesn't take for the moment is kept, within bounds, and sent later. A receiver without logs
    (gRPC UNIMPLEMENTED, HTTP 404) is told once and left alone; one that accepts no key, after some attempts.

    Args:
        protocol: "grpc", or "http/protobuf" with the `[http]` extra.
        backoff: how long to leave a receiver alone that is down.
        receiver: its address, for messages, where `options` don't say it.
        **options: for the stock exporter (`endpoint`, `headers`, `timeout`, `compression`, ...); what isn't given is
            read from OTEL_EXPORTER_OTLP_LOGS_* and OTEL_EXPORTER_OTLP_*.

    Raises:
        ConfigurationError: the protocol is unknown, or its package is not installed.
    """

    can_be_away = True

    def __init__(
        self, protocol: str = GRPC, *, backoff: Backoff | None = None, receiver: str | None = None, **options: object
    ) -> None:
        check_protocol(protocol)
        super().__init__("otlp")
        self.protocol = protocol
        self._stock: Stock[ReadableLogRecord] = Stock(lambda: log_exporter(protocol, options))
        self._backlog: Backlog[ReadableLogRecord] = Backlog()
        self._request_bytes = REQUEST_BYTES
        self._denials = 0
        endpoint = options.get("endpoint") or receiver
        self._health = Health(
            f"the OTLP receiver of envelopes{f' ({shown(endpoint)})' if endpoint else ''}",
            consequence="envelopes are kept in memory, the latest of them, until it takes them",
            backoff=backoff or Backoff(longest=30.0),
        )

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        if self._shipping:
            return self._send_of(batch)
        lost = self._lost()
        for record in batch:
            self._keep(record)
        if self.counts.state == "off":
            self._refuse(self._backlog.clear(), self.counts.last_error or "")
        elif self._health.due:
            self._send_backlog()
        self.counts.dropped += self._backlog.trim()
        self.counts.waiting = len(self._backlog)
        return self._lost() == lost

    def _send_of(self, batch: Sequence[ReadableLogRecord]) -> bool:
        """Send what somebody else keeps, and leave there what isn't taken."""
        if self.counts.state == "off" and batch:
            self._leave(batch, batch[0])  # whoever mends what was wrong gets it
            return True
        lost = self._lost()
        for record in batch:
            self._keep(record)
        if self._health.due:
            self._send_backlog()
        for record, _ in self._backlog.take(sys.maxsize)[:1]:
            self._leave(batch, record)
        return self._lost() == lost

    def _lost(self) -> int:
        return self.counts.dropped + self.counts.refused

    def _keep(self, record: ReadableLogRecord) -> None:
        try:
            size = log_record_size(record)
        except ValueError as error:
            self._refuse(1, f"it can't be encoded: {error}", tell=True)
            return
        if size > REQUEST_BYTES:
            self._refuse(1, f"it has {size} bytes, a request may have {REQUEST_BYTES}", tell=True)
            return
        self._backlog.add(record, size)

    def _send_backlog(self) -> None:
        # Also in a hurry not before the receiver wants it to be tried.
        while not self._health.wait(hurry=not self._denials) and (taken := self._backlog.take(self._request_bytes)):
            if not self._settle(taken):
                return

    def _settle(self, taken: list[tuple[ReadableLogRecord, int]]) -> bool:
        """Send records and count what became of them; return whether to go on with the next."""
        outcome = self._stock.send([record for record, _ in taken])
        if outcome.verdict is Verdict.DELIVERED:
            self.counts.sent += len(taken)
            self.counts.state = "ready"
            self._denials = 0
            self._health.worked()
            return True
        if outcome.verdict in {Verdict.UNENCODABLE, Verdict.TOO_LARGE}:
            return self._isolate(taken, outcome)
        if outcome.verdict is Verdict.UNSUPPORTED:
            self._leave_alone(len(taken), outcome.reason)
            return False
        if outcome.verdict is Verdict.DENIED:
            return self._denied(taken, outcome)
        if outcome.verdict is Verdict.TRANSIENT:
            self._wait_with(taken, outcome)
        else:
            self._refuse(len(taken), outcome.reason)
        if not self._closing.is_set():
            self.counts.state = "down"
            self._health.failed(outcome.reason, wait=outcome.retry_after)
        return False

    def _wait_with(self, taken: list[tuple[ReadableLogRecord, int]], outcome: Outcome) -> None:
        self._backlog.put_back(taken)
        self.counts.retried += len(taken)
        self.counts.last_error = outcome.reason

    def _denied(self, taken: list[tuple[ReadableLogRecord, int]], outcome: Outcome) -> bool:
        """Wait a few times for a key to be accepted; one that is wrong is wrong for good."""
        self._denials += 1
        if self._denials >= _ATTEMPTS and not self._shipping:
            self.counts.state = "off"
            self._refuse(len(taken) + self._backlog.clear(), outcome.reason)
            return False
        self._wait_with(taken, outcome)
        if not self._closing.is_set():
            self.counts.state = "down"
            advice = f"it doesn't accept the key: check {KEYS}; it is tried {_ATTEMPTS} times, and then left alone"
            first = self._denials == 1
            self._health.failed(outcome.reason, wait=outcome.retry_after, consequence=advice, anew=first)
        return False

    def _isolate(self, taken: list[tuple[ReadableLogRecord, int]], outcome: Outcome) -> bool:
        """Find the record that nobody takes by halving: the others go out."""
        too_large = outcome.verdict is Verdict.TOO_LARGE
        if len(taken) == 1:
            why = f"it is too large, with {taken[0][1]} bytes" if too_large else "it can't be encoded"
            self._refuse(1, f"{why}: {outcome.reason}", tell=True)
            return True
        if too_large:
            total = sum(size for _, size in taken)
            self._request_bytes = max(min(self._request_bytes, total // 2), _LEAST_BYTES)
        middle = len(taken) // 2
        if not self._settle(taken[:middle]):
            self._backlog.put_back(taken[middle:])
            return False
        return self._settle(taken[middle:])

    def _leave_alone(self, envelopes: int, reason: str) -> None:
        self.counts.state = "off"
        self._refuse(envelopes + self._backlog.clear(), reason)
        say(
            logging.WARNING,
            "aotel: the OTLP receiver takes no log records, so it gets no envelopes from here on: %s",
            reason,
        )

    def _refuse(self, envelopes: int, reason: str, *, tell: bool = False) -> None:
        if tell and not self.counts.refused:
            say(logging.WARNING, "aotel: an envelope can't go over OTLP: %s; further ones are only counted", reason)
        self.counts.refused += envelopes
        self.counts.last_error = reason

    def _flush(self) -> bool:
        if self.counts.state != "off":
            self._send_backlog()
        self.counts.waiting = len(self._backlog)
        return not self._backlog

    def _interrupt(self) -> None:
        self._stock.close()

    def _close(self) -> None:
        self.counts.dropped += self._backlog.clear()
        self.counts.waiting = 0

    def after_fork_in_child(self) -> None:
        """Start anew: what is kept is the parent's to send."""
        super().after_fork_in_child()
        self._backlog.clear()
