"""Forwarding: envelopes that are in the audit log go on to an OTLP endpoint, with the pod's word on whose they are."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import Struct
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from aotel._version import __version__
from aotel.calls.port import SCOPE_NAME
from aotel.export import OtlpExporter
from aotel.export.counting import ExporterStatus
from aotel.export.stock import GRPC, HTTP
from aotel.semconv import attributes as names
from aotel.semconv import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

MOST_WAITING: Final = 65_536
"""Envelopes that wait to be sent on, at most."""
MOST_BYTES: Final = 64 << 20
"""Bytes of them, at most."""

_BATCH = 512
_PAUSE = 1.0  # seconds between attempts at what the endpoint didn't take
_LOGS_PATH = "/v1/logs"
_SCOPE = InstrumentationScope(SCOPE_NAME, __version__)
_ID = re.compile(r"([a-z]+_)([0-9a-f]+)")
_TRACE_ID, _SPAN_ID = 32, 16  # hexadecimal digits
_END_OF_TIME = 2**63  # ns that OTLP can carry
_LONGEST_VALUE = 1024  # characters of an attribute

_logger = logging.getLogger("aotel")


class _Read(Struct, frozen=True):
    """What a record says of an envelope beside carrying it; each may be missing, or of any shape."""

    kind: Any = ""
    ts: Any = ""
    ids: Any = None
    subject: Any = None
    capture: Any = None
    envpod: Any = None


_decoder = msgspec.json.Decoder(_Read)


class Forwarder:
    """Sends envelopes on as log records, in a thread of its own; what it can't keep up with is dropped and counted.

    Args:
        endpoint: of an OTLP receiver: gRPC, or, where it is an URL that ends in /v1/logs, HTTP. Headers, certificates
            and the like are read from OTEL_EXPORTER_OTLP_*.
        pod_id: this pod, for the records' resource.

    Raises:
        ConfigurationError: the endpoint is one of HTTP, and the `[http]` extra is not installed.
    """

    def __init__(self, endpoint: str, pod_id: str = "") -> None:
        over_http = endpoint.startswith(("http://", "https://")) and endpoint.rstrip("/").endswith(_LOGS_PATH)
        self._exporter = OtlpExporter(HTTP if over_http else GRPC, endpoint=endpoint)
        self._endpoint = endpoint
        self._resource = _resource(pod_id)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._closing = False
        self._deadline = 0.0
        # Whoever embeds a pod must be able to end without it.
        self._thread = threading.Thread(target=self._run, name="aotel-forward", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> ExporterStatus:
        """What became of the envelopes until now."""
        own = self._exporter.counts
        with self._changed:
            waiting, dropped = len(self._waiting), self._dropped
        return ExporterStatus(
            own.name,
            state=own.state,
            sent=own.sent,
            retried=own.retried,
            refused=own.refused,
            dropped=own.dropped + dropped,
            waiting=own.waiting + waiting,
            last_error=own.last_error,
        )

    def put(self, envelopes: list[bytes]) -> None:
        """Take envelopes, as JSON in UTF-8; never blocks, never raises."""
        size = sum(map(len, envelopes))
        with self._changed:
            fits = len(self._waiting) + len(envelopes) <= MOST_WAITING and self._bytes + size <= MOST_BYTES
            first = not fits and not self._dropped
            if self._closing or not fits:
                self._dropped += len(envelopes)
            else:
                self._waiting.extend(envelopes)
                self._bytes += size
                self._changed.notify()
        if first and not self._closing:
            _logger.warning(
                "aotel: %s takes envelopes more slowly than they come; what is too much is dropped there and only "
                "counted, the audit log has all of them",
                self._endpoint,
            )

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for as long as `timeout` seconds, and stop."""
        with self._changed:
            if self._closing:
                return
            self._deadline = time.monotonic() + timeout
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout)
        self._exporter.shutdown()  # interrupts what is being sent
        self._thread.join(1.0)
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()
            self._bytes = 0

    def _run(self) -> None:
        while True:
            batch = self._next()
            if batch is None:
                break
            # Also an empty one: it makes the exporter try again what the endpoint didn't take.
            self._exporter.export([record for each in batch if (record := self._record(each)) is not None])
        while not self._exporter.force_flush() and time.monotonic() < self._deadline:
            time.sleep(0.05)

    def _next(self) -> list[bytes] | None:
        """Return the next envelopes, after a while none; None is the end."""
        with self._changed:
            if not self._waiting and not self._closing:
                self._changed.wait(_PAUSE)
            if self._closing and (not self._waiting or time.monotonic() > self._deadline):
                return None
            taken = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            self._bytes -= sum(map(len, taken))
            return taken

    def _record(self, envelope: bytes) -> ReadableLogRecord | None:
        try:
            return log_record(envelope, self._resource)
        except Exception as error:  # one odd envelope must not end the thread  # noqa: BLE001
            with self._changed:
                first, self._dropped = not self._dropped, self._dropped + 1
            if first:
                _logger.warning("aotel: an envelope can't be sent on, the audit log has it: %s", error)
            return None


def log_record(envelope: bytes, resource: Resource) -> ReadableLogRecord:
    """Return the log record of an envelope (OpenTelemetry Logs Data Model 1.0), in the shape in which agents send it.

    Args:
        envelope: its JSON, in UTF-8.
        resource: who sends.
    """
    read = _read(envelope)
    kind = _text(read.kind)
    failed = kind == kinds.COAT_ERROR
    now = time.time_ns()
    record = LogRecord(
        timestamp=_nanoseconds(read.ts) or now,
        observed_timestamp=now,
        context=_context(_fields(read.ids)),
        severity_number=SeverityNumber.ERROR if failed else SeverityNumber.INFO,
        severity_text="ERROR" if failed else "INFO",
        body=envelope.decode("utf-8", "replace"),
        attributes=_attributes(kind, read),
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


def _resource(pod_id: str) -> Resource:
    given: dict[str, AttributeValue] = {"service.name": "aotel-pod", "service.version": __version__}
    if pod_id:
        given[names.ENVPOD_POD_ID] = pod_id
    # What the environment says of the service wins over us.
    return Resource.create().merge(Resource(given)).merge(OTELResourceDetector().detect())
