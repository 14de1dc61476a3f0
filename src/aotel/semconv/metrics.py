"""Metrics that aotel has of itself.

Generated from `semconv/registry`: change it there, then run `make semconv`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Metric(NamedTuple):
    """A metric by name, with its unit (UCUM) and what it counts."""

    name: str
    unit: str
    brief: str


OTEL_SDK_PROCESSOR_LOG_QUEUE_SIZE: Final = Metric(
    "otel.sdk.processor.log.queue.size", "{log_record}", "Envelopes that wait to be made and sent."
)
OTEL_SDK_PROCESSOR_LOG_QUEUE_CAPACITY: Final = Metric(
    "otel.sdk.processor.log.queue.capacity", "{log_record}", "Envelopes that may wait at most."
)
AOTEL_PROCESSOR_LOG_QUEUE_CONTENT: Final = Metric(
    "aotel.processor.log.queue.content",
    "By",
    "Content that waits with them, a character counted as a byte; 64 MiB at most.",
)
OTEL_SDK_PROCESSOR_LOG_PROCESSED: Final = Metric(
    "otel.sdk.processor.log.processed",
    "{log_record}",
    (
        "Envelopes that left the queue: handed to the exporters, or dropped (`error.type` is `queue_full` or "
        "`already_shutdown`, and `aot.phase` says of which phase they were)."
    ),
)
AOTEL_PROCESSOR_LOG_ENCODE_DURATION: Final = Metric(
    "aotel.processor.log.encode.duration", "s", "What it takes to make the envelopes of a batch, at most 64 of them."
)
OTEL_SDK_EXPORTER_LOG_EXPORTED: Final = Metric(
    "otel.sdk.exporter.log.exported",
    "{log_record}",
    (
        "Envelopes that an exporter is done with: sent, or not (`error.type` is `rejected`: the destination "
        "refused them; `dropped`: it was away for too long; `diverted`: the fallback got them)."
    ),
)
OTEL_SDK_EXPORTER_LOG_INFLIGHT: Final = Metric(
    "otel.sdk.exporter.log.inflight", "{log_record}", "Envelopes that an exporter keeps in memory for a later attempt."
)
AOTEL_EXPORTER_LOG_RETRIED: Final = Metric(
    "aotel.exporter.log.retried",
    "{log_record}",
    "Envelopes that were sent once more, after a failure or at the destination's wish.",
)
AOTEL_EXPORTER_LOG_SPOOLED: Final = Metric(
    "aotel.exporter.log.spooled", "{log_record}", "Envelopes that wait on disk for a later attempt."
)
OTEL_SDK_EXPORTER_OPERATION_DURATION: Final = Metric(
    "otel.sdk.exporter.operation.duration",
    "s",
    (
        "One call of an exporter of envelopes with a batch, and what it kept from before; `error.type` is "
        "`lost` where some were refused or dropped, else the class of the exception."
    ),
)
OTEL_SDK_EXPORTER_SPAN_EXPORTED: Final = Metric(
    "otel.sdk.exporter.span.exported",
    "{span}",
    "Spans that an exporter made by aotel is done with; `error.type` as for envelopes.",
)
OTEL_SDK_EXPORTER_SPAN_INFLIGHT: Final = Metric(
    "otel.sdk.exporter.span.inflight",
    "{span}",
    "Spans that an exporter made by aotel keeps in memory for a later attempt.",
)
AOTEL_EXPORTER_SPAN_RETRIED: Final = Metric("aotel.exporter.span.retried", "{span}", "Spans that were sent once more.")
AOTEL_EXPORTER_SPAN_SPOOLED: Final = Metric(
    "aotel.exporter.span.spooled", "{span}", "Spans that wait on disk for a later attempt."
)

METRICS: Final = (
    OTEL_SDK_PROCESSOR_LOG_QUEUE_SIZE,
    OTEL_SDK_PROCESSOR_LOG_QUEUE_CAPACITY,
    AOTEL_PROCESSOR_LOG_QUEUE_CONTENT,
    OTEL_SDK_PROCESSOR_LOG_PROCESSED,
    AOTEL_PROCESSOR_LOG_ENCODE_DURATION,
    OTEL_SDK_EXPORTER_LOG_EXPORTED,
    OTEL_SDK_EXPORTER_LOG_INFLIGHT,
    AOTEL_EXPORTER_LOG_RETRIED,
    AOTEL_EXPORTER_LOG_SPOOLED,
    OTEL_SDK_EXPORTER_OPERATION_DURATION,
    OTEL_SDK_EXPORTER_SPAN_EXPORTED,
    OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
    AOTEL_EXPORTER_SPAN_RETRIED,
    AOTEL_EXPORTER_SPAN_SPOOLED,
)
"""All of them."""
