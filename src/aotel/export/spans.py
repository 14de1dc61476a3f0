"""Spans over OTLP: any span exporter made quiet, bounded in request size, safe with odd spans and forks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aotel.export.counting import Counted
from aotel.export.health import Health
from aotel.export.outcome import Verdict
from aotel.export.sizes import REQUEST_BYTES, span_size
from aotel.export.stock import Stock, check_protocol, span_exporter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.export.projects import Project

RECEIVER: Final = "the receiver of spans"


class CarefulSpanExporter(SpanExporter, Counted):
    """Hands spans to another exporter, in requests under 3.5 MB; says once when they can't be delivered.

    A span that can't be encoded, or is larger than that by itself, is lost alone.

    Args:
        stock: the exporter that sends.
        receiver: who takes them, for messages.
        project: names the project that they are filed under, where that is asked for.
    """

    def __init__(self, stock: Stock[ReadableSpan], *, receiver: str = RECEIVER, project: Project | None = None) -> None:
        self.receiver = receiver
        self._stock = stock
        self._project = project
        self._health = Health(receiver, consequence="spans are lost until it takes them")
        self._closed = False
        self.count_as("spans" if receiver == RECEIVER else receiver.partition(" (")[0])

    @property
    def down(self) -> bool:
        """Whether the last spans could not be delivered."""
        return self._health.down

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; never raises."""
        complete = True
        sent, refused = self.counts.sent, self.counts.refused
        if self._project is not None:
            spans = self._project.name(spans)
        with suppress_instrumentation():
            for request in _requests(spans):
                if self._closed or not self._send(request):
                    complete = False
                    break
        done = self.counts.sent - sent + self.counts.refused - refused
        self.counts.dropped += len(spans) - done
        return SpanExportResult.SUCCESS if complete else SpanExportResult.FAILURE

    def _send(self, spans: list[ReadableSpan]) -> bool:
        """Send one request; return whether there is use in sending the next."""
        outcome = self._stock.send(spans)
        if outcome.verdict is Verdict.DELIVERED:
            self.counts.sent += len(spans)
            self.counts.state = "ready"
            self._health.worked()
            return True
        self.counts.last_error = outcome.reason
        if outcome.verdict is Verdict.UNENCODABLE:
            middle = len(spans) // 2
            self.counts.refused += len(spans) == 1
            return len(spans) == 1 or (self._send(spans[:middle]) and self._send(spans[middle:]))
        if not self._closed:
            self.counts.state = "down"
            self._health.failed(outcome.reason)
        return False

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
    return exporter if isinstance(exporter, CarefulSpanExporter) else CarefulSpanExporter(Stock(given=exporter))


def otlp_span_exporter(
    protocol: str, *, receiver: str = RECEIVER, project: Project | None = None, **options: object
) -> CarefulSpanExporter:
    """Build an exporter of spans.

    Args:
        protocol: "grpc", or "http/protobuf" with the `[http]` extra.
        receiver: who takes them, for messages.
        project: names the project that they are filed under, where that is asked for.
        **options: for the stock exporter (`endpoint`, `headers`, `timeout`, `compression`, ...); what isn't given is
            read from OTEL_EXPORTER_OTLP_TRACES_* and OTEL_EXPORTER_OTLP_*.

    Raises:
        ConfigurationError: the protocol is unknown, or its package is not installed.
    """
    check_protocol(protocol)
    stock: Stock[ReadableSpan] = Stock(lambda: span_exporter(protocol, options))
    return CarefulSpanExporter(stock, receiver=receiver, project=project)


def _requests(spans: Sequence[ReadableSpan]) -> Iterator[list[ReadableSpan]]:
    request: list[ReadableSpan] = []
    total = 0
    for span in spans:
        try:
            size = span_size(span)
        except ValueError:
            continue
        if size > REQUEST_BYTES:
            continue
        if request and total + size > REQUEST_BYTES:
            yield request
            request, total = [], 0
        request.append(span)
        total += size
    if request:
        yield request
