"""What an OTLP receiver got, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

Attributes: TypeAlias = "dict[str, object]"


@dataclass(frozen=True)
class ReceivedEvent:
    """An event of a span."""

    name: str
    attributes: Attributes
    timestamp: int


@dataclass(frozen=True)
class ReceivedSpan:
    """A span; ids in hex, times in ns since the epoch, `kind` and `status_code` as OTLP numbers them."""

    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    kind: int
    start_time: int
    end_time: int
    attributes: Attributes
    events: list[ReceivedEvent]
    status_code: int
    status_message: str
    scope: str
    resource: Attributes


@dataclass(frozen=True)
class ReceivedLogRecord:
    """A log record; ids in hex, times in ns since the epoch, `severity` as OTLP numbers it."""

    event_name: str
    body: object
    trace_id: str
    span_id: str
    timestamp: int
    severity: int
    severity_text: str
    attributes: Attributes
    scope: str
    resource: Attributes


@dataclass(frozen=True)
class ReceivedPoint:
    """A data point of a metric; of a histogram, `value` is the number of measurements, and `total` their sum."""

    name: str
    unit: str
    kind: str
    monotonic: bool
    value: float
    total: float
    attributes: Attributes
    scope: str
    start_time: int


def points_of(request: ExportMetricsServiceRequest) -> list[ReceivedPoint]:
    """Return the data points of a request."""
    found: list[ReceivedPoint] = []
    for scope in (scope for resource in request.resource_metrics for scope in resource.scope_metrics):
        for metric in scope.metrics:
            kind = str(metric.WhichOneof("data"))
            data = getattr(metric, kind)
            for point in data.data_points:
                counted = kind == "histogram"
                found.append(
                    ReceivedPoint(
                        metric.name,
                        metric.unit,
                        kind,
                        bool(getattr(data, "is_monotonic", False)),
                        point.count if counted else getattr(point, point.WhichOneof("value") or "as_int"),
                        point.sum if counted else 0.0,
                        _attributes(point.attributes),
                        scope.scope.name,
                        point.start_time_unix_nano,
                    )
                )
    return found


def spans_of(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    """Return the spans of a request."""
    return [
        ReceivedSpan(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            int(span.kind),
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            _attributes(span.attributes),
            [ReceivedEvent(each.name, _attributes(each.attributes), each.time_unix_nano) for each in span.events],
            int(span.status.code),
            span.status.message,
            scope.scope.name,
            _attributes(resource.resource.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def log_records_of(request: ExportLogsServiceRequest) -> list[ReceivedLogRecord]:
    """Return the log records of a request."""
    return [
        ReceivedLogRecord(
            record.event_name,
            _value(record.body),
            record.trace_id.hex(),
            record.span_id.hex(),
            record.time_unix_nano,
            int(record.severity_number),
            record.severity_text,
            _attributes(record.attributes),
            scope.scope.name,
            _attributes(resource.resource.attributes),
        )
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def metrics_of(request: ExportMetricsServiceRequest) -> list[str]:
    """Return the names of the metrics in a request."""
    return [
        metric.name
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    found: object = getattr(value, kind)
    return found
