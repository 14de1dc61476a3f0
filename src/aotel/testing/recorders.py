"""`record_envelopes` and `record_spans`: what is emitted inside a block, to look at."""

from __future__ import annotations

import contextlib
import json
from threading import Lock
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import SpanProcessor

from aotel.distro import recording_to

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.distro import Handle

_COLLECTOR = "_aotel_collector"


class RecordedEnvelopes(LogRecordExporter):
    """The envelopes emitted inside a `record_envelopes` block."""

    def __init__(self) -> None:
        self._records: list[ReadableLogRecord] = []
        self._lock = Lock()
        self._handle: Handle | None = None

    @property
    def records(self) -> list[ReadableLogRecord]:
        """The log records that carried the envelopes, in order of emission."""
        if self._handle is not None:
            self._handle.flush()
        with self._lock:
            return list(self._records)

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """The envelopes, decoded, in order of emission; what waits is flushed first."""
        return [json.loads(str(record.log_record.body)) for record in self.records]

    @property
    def kinds(self) -> list[str]:
        """The kind of each envelope, in order of emission."""
        return [envelope["kind"] for envelope in self.envelopes]

    def clear(self) -> None:
        """Forget what was recorded so far."""
        if self._handle is not None:
            self._handle.flush()
        with self._lock:
            self._records.clear()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Keep a batch; the pipeline calls this."""
        with self._lock:
            self._records.extend(batch)
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Keep what was recorded."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing waits here."""
        return True


class RecordedSpans:
    """The spans that ended inside a `record_spans` block."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []
        self._handle: Handle | None = None

    @property
    def spans(self) -> list[ReadableSpan]:
        """The spans, in the order in which they ended; those of streams that nobody read to their end among them."""
        if self._handle is not None:
            self._handle.flush()
        return list(self._spans)

    @property
    def names(self) -> list[str]:
        """The name of each span, in the order in which they ended."""
        return [span.name for span in self.spans]

    def named(self, name: str) -> ReadableSpan:
        """Return the one span of a name.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            msg = f"expected one span named {name!r}, found {len(found)} among {self.names}"
            raise LookupError(msg)
        return found[0]

    def clear(self) -> None:
        """Forget what was recorded so far."""
        self._spans.clear()

    def add(self, span: ReadableSpan) -> None:
        """Keep a span; the collector calls this."""
        self._spans.append(span)


class _Collector(SpanProcessor):
    """One a provider, since a span processor can't be removed again; hands spans to whoever records."""

    def __init__(self) -> None:
        self.recorders: tuple[RecordedSpans, ...] = ()

    def on_end(self, span: ReadableSpan) -> None:
        for recorder in self.recorders:
            recorder.add(span)


@contextlib.contextmanager
def record_envelopes(**options: Any) -> Generator[RecordedEnvelopes]:
    """Record every envelope emitted inside the block, without network.

    Args:
        options: as for `aotel.configure`; for the time of the block they stand in for what was configured.

    Yields:
        `recorded.envelopes` (dicts, in order of emission, flushed on reading) and `recorded.kinds`.
    """
    recorded = RecordedEnvelopes()
    with recording_to(recorded, **options) as handle:
        recorded._handle = handle  # noqa: SLF001 - the same room
        try:
            yield recorded
        finally:
            handle.flush()
            recorded._handle = None  # noqa: SLF001 - the same room


@contextlib.contextmanager
def record_spans(**options: Any) -> Generator[RecordedSpans]:
    """Record every span that ends inside the block, without network.

    Args:
        options: as for `aotel.configure`; for the time of the block they stand in for what was configured.

    Yields:
        `recorded.spans`, in the order in which they ended.
    """
    recorded = RecordedSpans()
    with recording_to(None, **options) as handle:
        collector = _collector(handle.provider)
        collector.recorders = (*collector.recorders, recorded)
        recorded._handle = handle  # noqa: SLF001 - the same room
        try:
            yield recorded
        finally:
            handle.flush()
            recorded._handle = None  # noqa: SLF001 - the same room
            collector.recorders = tuple(other for other in collector.recorders if other is not recorded)


def _collector(provider: Any) -> _Collector:
    if provider is None:  # everything is switched off
        return _Collector()
    found = getattr(provider, _COLLECTOR, None)
    if not isinstance(found, _Collector):
        found = _Collector()
        provider.add_span_processor(found)
        setattr(provider, _COLLECTOR, found)
    return found
