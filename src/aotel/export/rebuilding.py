"""From an envelope's JSON back to the log record that carries it: what was written down before it could be sent."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import Struct
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from aotel._version import __version__
from aotel.calls.port import SCOPE_NAME
from aotel.semconv import attributes as names
from aotel.semconv import kinds
from aotel.semconv.operations import lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.util.types import AttributeValue

_SCOPE = InstrumentationScope(SCOPE_NAME, __version__)
_ID = re.compile(r"([a-z]+_)([0-9a-f]+)")
_TRACE_ID, _SPAN_ID = 32, 16  # hexadecimal digits
_END_OF_TIME = 2**63  # ns that OTLP can carry
_LONGEST_VALUE = 1024  # characters of an attribute


class _Read(Struct, frozen=True):
    """What a record says of an envelope beside carrying it; each may be missing, or of any shape."""

    kind: Any = ""
    ts: Any = ""
    ids: Any = None
    subject: Any = None
    capture: Any = None
    envpod: Any = None


_decoder = msgspec.json.Decoder(_Read)


def log_record(envelope: bytes, resource: Resource, *, timestamp: int = 0, operation: str = "") -> ReadableLogRecord:
    """Return the log record of an envelope (OpenTelemetry Logs Data Model 1.0), in the shape in which agents send it.

    Args:
        envelope: its JSON, in UTF-8.
        resource: who sends.
        timestamp: when it happened, ns since the epoch; 0 for what the envelope says, to the millisecond.
        operation: its tag, which the envelope itself does not hold; "" where nobody knows.
    """
    read = _read(envelope)
    kind = _text(read.kind)
    failed = kind == kinds.COAT_ERROR
    now = time.time_ns()
    record = LogRecord(
        timestamp=timestamp or _nanoseconds(read.ts) or now,
        observed_timestamp=now,
        context=_context(_fields(read.ids)),
        severity_number=SeverityNumber.ERROR if failed else SeverityNumber.INFO,
        severity_text="ERROR" if failed else "INFO",
        body=envelope.decode("utf-8", "replace"),
        attributes={**_attributes(kind, read), **(_operation(operation) if operation else {})},
        event_name=kind,
    )
    return ReadableLogRecord(record, resource, _SCOPE)


def _read(envelope: bytes) -> _Read:
    try:
        return _decoder.decode(envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _Read()


def _attributes(kind: str, read: _Read) -> dict[str, AttributeValue]:
    ids, envpod = _fields(read.ids), _fields(read.envpod)
    anonymous = _fields(envpod.get("anonymous"))
    found: dict[str, object] = {
        names.AOT_KIND: kind,
        names.AOT_SESSION_ID: ids.get("session_id"),
        names.AOT_RUN_ID: ids.get("run_id"),
        names.AOT_CAPTURE_CONTENT: _fields(read.capture).get("content"),
        names.GEN_AI_AGENT_ID: _fields(read.subject).get("agent_id"),
        names.ENVPOD_POD_ID: envpod.get("pod_id"),
        names.ENVPOD_PID: envpod.get("pid"),
        names.ENVPOD_CLAIM_KIND: envpod.get("claim_kind"),
        names.ENVPOD_AGENT_CLAIM_ID: envpod.get("agent_claim_id"),
        names.ENVPOD_ANONYMOUS_PID: anonymous.get("pid"),
        names.ENVPOD_ANONYMOUS_UID: anonymous.get("uid"),
        names.ENVPOD_ANONYMOUS_SESSION: anonymous.get("session"),
        names.ENVPOD_ANONYMOUS_FINGERPRINT: anonymous.get("fingerprint"),
    }
    return {name: value for name, each in found.items() if (value := _attribute(each)) is not None}


def _operation(tag: str) -> dict[str, AttributeValue]:
    taxonomy = lookup(tag)
    return {names.AOT_OPERATION: taxonomy.tag, names.OPENINFERENCE_SPAN_KIND: taxonomy.openinference}


def _attribute(value: object) -> str | int | None:
    if isinstance(value, str):
        return value[:_LONGEST_VALUE] or None
    return value if type(value) is int and -(2**63) <= value < 2**63 else None


def _context(ids: Mapping[str, object]) -> Context:
    # Never left out of a record: an absent context would mean the current one.
    trace_id, span_id = _id(ids.get("trace_id"), "tr_", _TRACE_ID), _id(ids.get("span_id"), "sp_", _SPAN_ID)
    if not trace_id:
        return Context()
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=True)), Context())


def _id(value: object, prefix: str, digits: int) -> int:
    """Return an id of an envelope as OpenTelemetry has it; 0 for none.

    One that is too short is filled up with zeros, as W3C Trace Context says of trace ids of 64 bits; envpod-coat has
    such.
    """
    found = _ID.fullmatch(_text(value))
    return int(found[2], 16) if found and found[1] == prefix and len(found[2]) <= digits else 0


def _nanoseconds(ts: object) -> int:
    """Return a time of an envelope in ns since the epoch; 0 for none."""
    text = _text(ts)
    if not text.endswith("Z"):
        return 0
    try:
        moment = datetime.fromisoformat(f"{text[:-1]}+00:00")  # Python 3.10 doesn't read the "Z"
    except ValueError:
        return 0
    found = int(moment.replace(microsecond=0).timestamp()) * 1_000_000_000 + moment.microsecond * 1000
    return found if 0 < found < _END_OF_TIME else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _fields(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
