"""Where spans go, on a provider that we make: what OpenTelemetry's own variables ask for."""

from __future__ import annotations

import contextlib
import logging
from importlib.metadata import entry_points
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from aotel.calls import describe_error
from aotel.distro.ledger import Ledger
from aotel.export import BoundedBatchSpanProcessor, bounded_batch_processor, otlp_span_exporter
from aotel.export.spans import RECEIVER, Destination, careful
from aotel.export.stock import shown
from aotel.pipeline.handover import exporting_processors
from aotel.pipeline.processor import AOTSpanProcessor

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
_send_at_root = True

SPANS = Ledger()
"""The numbers of the span exporters that we made."""


class _Made(NamedTuple):
    """A batch processor that we made, with its exporter and the seconds that its last export may take."""

    processor: BoundedBatchSpanProcessor
    exporter: CarefulSpanExporter
    seconds: float

    def finish(self, seconds: float) -> None:
        lost = self.processor.finish(seconds)
        if lost and not self.exporter.down:  # which was said already
            _logger.warning(
                "aotel: the last spans could not be delivered to %s within %.3g s: %d are lost",
                self.exporter.receiver,
                self.seconds,
                lost,
            )


def exporting_processor(exporter: SpanExporter, flush_timeout: float = FLUSH_TIMEOUT) -> SpanProcessor:
    """Return a batch processor for an exporter that we set up, which takes its share of the end of the program at most.

    Args:
        exporter: sends the spans.
        flush_timeout: seconds that the end of the program may take.
    """
    made, seconds = careful(exporter), flush_timeout * _SHARE
    processor = bounded_batch_processor(made, seconds)
    processor.sends_at_root = _send_at_root
    _made.append(_Made(processor, made, seconds))
    SPANS.follow(each.exporter for each in _made)
    return processor


def send_spans_at_root(*, wanted: bool) -> None:
    """Have the end of a root span send the spans that wait, in the background; or leave it to the usual interval."""
    global _send_at_root
    _send_at_root = wanted
    for made in _made:
        made.processor.sends_at_root = wanted


def spans_wait() -> bool:
    """Say whether there may be spans of this process that were not sent yet."""
    return any(made.processor.used for made in _made)


def finish_span_export(limit: float) -> None:
    """Send the last spans, to all receivers at the same time, and say if they could not be sent; the program ends.

    Args:
        limit: seconds that it takes at most.
    """
    start = monotonic()
    for made in _made:
        made.processor.hurry()
    for made in _made:
        made.finish(max(start + min(limit, made.seconds) - monotonic(), 0.0))


def abandon_spans() -> None:
    """Send nothing any more; the program has to end now."""
    for made in _made:
        made.processor.finish(0)


def add_span_exporters(provider: TracerProvider, settings: Settings, flush_timeout: float) -> None:
    """Add the span exporters that the environment names; none where it names none and gives no OTLP endpoint."""
    for name in wanted(settings):
        try:
            exporter = _otlp(settings) if name == "otlp" else _load(name)
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


def _otlp(settings: Settings) -> CarefulSpanExporter:
    endpoint = settings.otlp_traces_endpoint or settings.otlp_endpoint
    receiver = f"{RECEIVER} ({shown(endpoint)})" if endpoint else RECEIVER
    return otlp_span_exporter(settings.otlp_traces_protocol, destination=Destination(receiver))


def _load(name: str) -> Any:
    for entry_point in entry_points(group="opentelemetry_traces_exporter", name=name):
        return entry_point.load()()
    msg = "no installed package provides it"
    raise LookupError(msg)


def exports_spans(provider: Any) -> bool:
    """Say whether a provider has an exporter already, as far as can be seen."""
    return any(True for _ in exporting_processors(provider))


def flush_processors_of_others(provider: Any, until: float) -> None:
    """Have the span processors that are not ours send what they hold.

    Args:
        provider: that they are on; where that can't be seen, nothing happens.
        until: when to begin with no further one, of the monotonic clock.
    """
    for processor in _processors(provider):
        left = until - monotonic()
        if left > 0 and not isinstance(processor, (AOTSpanProcessor, BoundedBatchSpanProcessor)):
            with contextlib.suppress(Exception):
                processor.force_flush(int(left * 1000) or 1)


def _processors(provider: Any) -> tuple[SpanProcessor, ...]:
    return tuple(getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ()))
