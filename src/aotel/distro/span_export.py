"""Where spans go, on a provider that we make: what OpenTelemetry's own variables ask for."""

from __future__ import annotations

import logging
from importlib.metadata import entry_points
from time import monotonic
from typing import TYPE_CHECKING, Any

from aotel.calls import describe_error
from aotel.export import bounded_batch_processor, otlp_span_exporter
from aotel.export.spans import careful
from aotel.pipeline.handover import exporting_processors

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    from aotel.export import CarefulSpanExporter
    from aotel.settings import Settings

_logger = logging.getLogger("aotel")

FLUSH_TIMEOUT = 5.0
"""Seconds that the end of a program may take, where `configure` is not told otherwise."""

_SHARE = 0.6  # of the time at the end: envelopes go at the same time, metrics before or after
_made: list[_Made] = []


class _Made:
    """A batch processor that we made, with its exporter and the seconds that its last export may take."""

    def __init__(self, exporter: CarefulSpanExporter, seconds: float) -> None:
        self.processor = bounded_batch_processor(exporter, seconds)
        self._exporter = exporter
        self._seconds = seconds

    def finish(self) -> None:
        start = monotonic()
        self.processor.shutdown()
        late = monotonic() - start > self._seconds - 0.01  # it counts in milliseconds
        if late and not self._exporter.down:  # which would have been said already
            to, seconds = self._exporter.receiver, self._seconds
            _logger.warning(
                "aotel: the last spans could not be delivered to %s within %.3g s, and are lost", to, seconds
            )


def exporting_processor(exporter: SpanExporter, flush_timeout: float = FLUSH_TIMEOUT) -> SpanProcessor:
    """Return a batch processor for an exporter that we set up, which takes its share of the end of the program at most.

    Args:
        exporter: sends the spans.
        flush_timeout: seconds that the end of the program may take.
    """
    made = _Made(careful(exporter), flush_timeout * _SHARE)
    _made.append(made)
    return made.processor


def finish_span_export() -> None:
    """Send the last spans, and say if they could not be sent in time; the program ends."""
    for made in _made:
        made.finish()


def add_span_exporters(provider: TracerProvider, settings: Settings, flush_timeout: float) -> None:
    """Add the span exporters that the environment names; none where it names none and gives no OTLP endpoint."""
    for name in wanted(settings):
        try:
            exporter = otlp_span_exporter(settings.otlp_traces_protocol) if name == "otlp" else _load(name)
            provider.add_span_processor(exporting_processor(exporter, flush_timeout))
        except Exception as error:  # noqa: BLE001 - a bad exporter must not keep the program from running
            _logger.warning("aotel: the span exporter %r could not be set up (%s)", name, describe_error(error))


def wanted(settings: Settings) -> tuple[str, ...]:
    """Return the names of the span exporters that the environment asks for."""
    if settings.traces_exporter:
        return tuple(name for name in settings.traces_exporter if name != "none")
    if settings.backend:  # which says where spans go; an address alone does not ask for more
        return ("otlp",) if "otlp" in settings.backend else ()
    return ("otlp",) if settings.otlp_endpoint or settings.otlp_traces_endpoint else ()


def _load(name: str) -> Any:
    for entry_point in entry_points(group="opentelemetry_traces_exporter", name=name):
        return entry_point.load()()
    msg = "no installed package provides it"
    raise LookupError(msg)


def exports_spans(provider: Any) -> bool:
    """Say whether a provider has an exporter already, as far as can be seen."""
    return any(True for _ in exporting_processors(provider))
