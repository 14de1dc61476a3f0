"""Spans over OTLP: any span exporter made quiet, bounded in request size, safe with odd spans and forks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aotel.export.backlog import Backlog
from aotel.export.counting import Counted
from aotel.export.health import Backoff, Health, say
from aotel.export.outcome import Outcome, Verdict
from aotel.export.sizes import REQUEST_BYTES, span_size
from aotel.export.stock import Stock, check_protocol, shown, span_exporter
from aotel.export.vocabularies import speaking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.export.projects import Project

RECEIVER: Final = "the receiver of spans"

_HOPELESS: Final = frozenset({Verdict.DENIED, Verdict.UNSUPPORTED})
_ATTEMPTS: Final = 8  # at a receiver that gives no hope, some two minutes' worth
_BACKOFF: Final = Backoff(longest=30.0)
_NAME: Final = 100  # characters of a span's name in a message
_LEAST_BYTES: Final = 1 << 16  # of a request, however little a receiver takes


class Destination(NamedTuple):
    """Who takes spans, for messages, and what is changed for them.

    Args:
        receiver: what they are called, a noun.
        keys: the variables that have the keys to them.
        project: names the project that spans are filed under, where that is asked for.
        dialects: the vocabularies that they read; None where that isn't known, and all are sent.
    """

    receiver: str = RECEIVER
    keys: tuple[str, ...] = ("OTEL_EXPORTER_OTLP_HEADERS",)
    project: Project | None = None
    dialects: frozenset[str] | None = None


class CarefulSpanExporter(SpanExporter, Counted):
    """Hands spans to another exporter, in requests under 3.5 MB; says once when they can't be delivered.

    A span that can't be encoded, or is larger than that or than the receiver takes by itself, is lost alone.

    Args:
        stock: the exporter that sends.
        destination: who takes them.
        again: whether what it didn't take may be sent again: that is known of the OTLP exporters alone.
    """

    def __init__(self, stock: Stock[ReadableSpan], destination: Destination | None = None, *, again: bool) -> None:
        self._destination = destination or Destination()
        self._stock = stock
        self._again = again
        self._health = Health(self.receiver, consequence="spans are lost until it takes them", backoff=_BACKOFF)
        self._closed = False
        self._hopeless = 0
        self._odd_said = self._flood_said = False
        self._lost = 0
        self.off = False
        """Whether the receiver is left alone for good."""
        self.request_bytes = REQUEST_BYTES
        """How large a request may be, by what is known of the receiver."""
        self.count_as("spans" if self.receiver.startswith(RECEIVER) else self.receiver.partition(" (")[0])

    @property
    def receiver(self) -> str:
        """Who takes the spans."""
        return self._destination.receiver

    @property
    def down(self) -> bool:
        """Whether the last spans could not be delivered."""
        return self._health.down

    @property
    def hopeless(self) -> bool:
        """Whether the receiver refused the last spans for a reason that seldom passes."""
        return self._hopeless > 0

    def wait(self, *, hurry: bool = False) -> float:
        """Return the seconds until the receiver may be tried; in a `hurry`, only those that it asked for itself.

        Where there is no hope, a hurry is no reason to use up the attempts.
        """
        return self._health.wait(hurry=hurry and not self.hopeless)

    def keeps(self, spans: int) -> None:
        """Take note that somebody keeps up to that many spans while the receiver is down."""
        self._health.consequence = (
            f"spans are kept in memory, the latest {spans}, until it takes them; those left at the end are lost"
        )

    def lost(self, spans: int) -> None:
        """Take note of spans that were not kept."""
        if spans and not self._flood_said and not self.down:
            self._flood_said = True
            say(logging.WARNING, "aotel: spans come faster than %s takes them: the oldest are lost", self.receiver)
        self._drop(spans)

    def prepare(self, spans: Sequence[ReadableSpan]) -> list[tuple[ReadableSpan, int]]:
        """Return spans as the receiver gets them, each with its size; those that can't be sent are left out."""
        if self._destination.project is not None:
            spans = self._destination.project.name(spans)
        if self._destination.dialects is not None:
            spans = speaking(spans, self._destination.dialects)
        found: list[tuple[ReadableSpan, int]] = []
        for span in spans:
            try:
                size = span_size(span)
            except ValueError as error:
                self._leave_out(span, f"can't be encoded ({error})")
                continue
            if size > REQUEST_BYTES:
                self._leave_out(span, f"has {size} bytes, a request may have {REQUEST_BYTES}")
                continue
            found.append((span, size))
        return found

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; never raises, and keeps nothing."""
        waiting: Backlog[ReadableSpan] = Backlog()
        for span, size in self.prepare(spans):
            waiting.add(span, size)
        before = self._lost
        while taken := waiting.take(self.request_bytes):
            left = self.deliver(taken)
            if left or self._lost > before:
                return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def deliver(self, taken: list[tuple[ReadableSpan, int]]) -> list[tuple[ReadableSpan, int]]:
        """Send what makes up a request; return what is to be sent again later."""
        if self._closed or self.off:
            self._drop(len(taken))
            return []
        with suppress_instrumentation():
            outcome = self._stock.send([span for span, _ in taken])
        if outcome.verdict is Verdict.DELIVERED:
            self._hopeless = 0
            self.counts.sent += len(taken)
            self.counts.state = "ready"
            self._health.worked(lost=self._lost)
            self._lost = 0
            return []
        self.counts.last_error = outcome.reason
        if outcome.verdict in {Verdict.UNENCODABLE, Verdict.TOO_LARGE}:
            return self._halve(taken, outcome)
        if self._closed:
            return taken
        self.counts.state = "down"
        return self._failed(taken, outcome)

    def _halve(self, taken: list[tuple[ReadableSpan, int]], outcome: Outcome) -> list[tuple[ReadableSpan, int]]:
        """Find the span that nobody takes: the others go out."""
        if len(taken) == 1:
            ((span, size),) = taken
            why = "can't be encoded" if outcome.verdict is Verdict.UNENCODABLE else f"is too large, with {size} bytes"
            self._leave_out(span, f"{why} ({outcome.reason})")
            return []
        if outcome.verdict is Verdict.TOO_LARGE:
            total = sum(size for _, size in taken)
            self.request_bytes = max(min(self.request_bytes, total // 2), _LEAST_BYTES)
        middle = len(taken) // 2
        left = self.deliver(taken[:middle])
        return [*left, *taken[middle:]] if left else self.deliver(taken[middle:])

    def _failed(self, taken: list[tuple[ReadableSpan, int]], outcome: Outcome) -> list[tuple[ReadableSpan, int]]:
        again = self._again and outcome.verdict is not Verdict.REFUSED
        if again:
            self.counts.retried += len(taken)
        elif outcome.verdict is Verdict.REFUSED:
            self._lost += len(taken)
            self.counts.refused += len(taken)
        else:
            self._drop(len(taken))
        if outcome.verdict not in _HOPELESS:
            consequence = "" if again else "the spans that it was sent are lost"
            self._health.failed(outcome.reason, wait=outcome.retry_after, consequence=consequence)
            return taken if again else []
        self._hopeless += 1
        self.off = self._again and self._hopeless >= _ATTEMPTS
        if self.off:
            self.counts.state = "off"
        consequence = f"{self._advice(outcome.verdict)}; it is tried {_ATTEMPTS} times, and then left alone"
        first = self._hopeless == 1
        self._health.failed(outcome.reason, wait=outcome.retry_after, consequence=consequence, anew=first)
        return taken if again else []

    def _drop(self, spans: int) -> None:
        self._lost += spans
        self.counts.dropped += spans

    def _advice(self, verdict: Verdict) -> str:
        if verdict is Verdict.DENIED:
            return f"it doesn't accept the key: check {' and '.join(self._destination.keys)}"
        return "it takes no spans at this address: check the endpoint"

    def _leave_out(self, span: ReadableSpan, why: str) -> None:
        self.counts.refused += 1
        if self._odd_said:
            return
        self._odd_said = True
        name = span.name.encode("utf-8", "backslashreplace").decode()
        say(
            logging.WARNING,
            "aotel: the span %r %s, so %s doesn't get it; of further ones nothing is said",
            name[:_NAME],
            why,
            self.receiver,
        )

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Have the exporter send what it holds itself; the OTLP ones hold nothing."""
        return self._stock.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Stop at once: an export that runs in another thread is interrupted, if it can be."""
        self._closed = True
        self.counts.state = "closed"
        self._stock.close()


def careful(exporter: SpanExporter) -> CarefulSpanExporter:
    """Return `exporter` made careful, or itself if it is."""
    if isinstance(exporter, CarefulSpanExporter):
        return exporter
    again = type(exporter).__module__.startswith("opentelemetry.exporter.otlp")
    endpoint = getattr(exporter, "_endpoint", None) if again else None
    destination = Destination(f"{RECEIVER} ({shown(endpoint)})") if endpoint else None
    return CarefulSpanExporter(Stock(given=exporter), destination, again=again)


def otlp_span_exporter(
    protocol: str, *, destination: Destination | None = None, **options: object
) -> CarefulSpanExporter:
    """Build an exporter of spans.

    Args:
        protocol: "grpc", or "http/protobuf" with the `[http]` extra.
        destination: who takes them.
        **options: for the stock exporter (`endpoint`, `headers`, `timeout`, `compression`, ...); what isn't given is
            read from OTEL_EXPORTER_OTLP_TRACES_* and OTEL_EXPORTER_OTLP_*.

    Raises:
        ConfigurationError: the protocol is unknown, or its package is not installed.
    """
    check_protocol(protocol)
    stock: Stock[ReadableSpan] = Stock(lambda: span_exporter(protocol, options))
    return CarefulSpanExporter(stock, destination, again=True)
