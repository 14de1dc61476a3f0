"""From an envelope to the log record that a `LogRecordExporter` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from aotel._version import __version__
from aotel.calls.port import SCOPE_NAME
from aotel.content.trees import valid_unicode
from aotel.semconv import attributes as names
from aotel.semconv import kinds

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.util.types import AttributeValue

    from aotel.envelopes import Envelope, Recording

_SCOPE = InstrumentationScope(SCOPE_NAME, __version__)
_encoder = msgspec.json.Encoder()


def encode(envelope: Envelope) -> bytes:
    """Return an envelope as JSON."""
    try:
        return _encoder.encode(envelope)
    except (UnicodeEncodeError, msgspec.MsgspecError, OverflowError):
        # A name or id with a lone surrogate in it: one odd string must not cost a batch.
        return _encoder.encode(valid_unicode(msgspec.to_builtins(envelope)))


def log_record(envelope: Envelope, recording: Recording, timestamp: int, resource: Resource) -> ReadableLogRecord:
    """Return the log record of an envelope (OpenTelemetry Logs Data Model 1.0: an event with a name and a body).

    Args:
        envelope: what to send.
        recording: the span it belongs to, for the record's trace context.
        timestamp: when it happened, ns since the epoch.
        resource: who sends.
    """
    failed = envelope.kind == kinds.COAT_ERROR
    if recording.log_context is None:
        # Not left out below: an empty context would mean the current one.
        recording.log_context = set_span_in_context(NonRecordingSpan(recording.span_context), Context())
    record = LogRecord(
        timestamp=timestamp,
        observed_timestamp=timestamp,
        context=recording.log_context,
        severity_number=SeverityNumber.ERROR if failed else SeverityNumber.INFO,
        severity_text="ERROR" if failed else "INFO",
        body=encode(envelope).decode(),  # as a nested body it would cost OTLP twenty times as much
        attributes=_attributes(envelope, recording),
        event_name=envelope.kind,
    )
    return ReadableLogRecord(record, resource, _SCOPE)


def _attributes(envelope: Envelope, recording: Recording) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        names.AOT_KIND: envelope.kind,
        names.AOT_SESSION_ID: envelope.ids.session_id,
        names.AOT_RUN_ID: envelope.ids.run_id,
        names.AOT_CAPTURE_CONTENT: envelope.capture.content,
        names.ENVPOD_PID: envelope.envpod.pid,
    }
    if envelope.envpod.pod_id:
        attributes[names.ENVPOD_POD_ID] = envelope.envpod.pod_id
    taxonomy = recording.taxonomy
    if taxonomy is not None:
        attributes[names.AOT_OPERATION] = taxonomy.tag
        attributes[names.OPENINFERENCE_SPAN_KIND] = taxonomy.openinference
    return attributes
