"""What aotel measures of itself, as OpenTelemetry metrics: read when somebody collects, but for two times a batch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from opentelemetry import metrics as api
from opentelemetry.environment_variables import OTEL_PYTHON_METER_PROVIDER
from opentelemetry.metrics import CallbackOptions, Observation

from aotel._version import __version__
from aotel.calls.port import PORT, SCOPE_NAME
from aotel.distro.ledger import Component, Ledger, component_of
from aotel.distro.metric_export import meter_provider_is_set
from aotel.pipeline.waiting import QUEUE_LIMIT
from aotel.semconv import attributes as names
from aotel.semconv import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.util.types import AttributeValue

    from aotel.pipeline import Pipeline
    from aotel.semconv.metrics import Metric

    _Attributes = dict[str, AttributeValue]
    _Observe = Callable[[], Iterable[Observation]]

_QUEUE: Final[_Attributes] = {
    names.OTEL_COMPONENT_NAME: "envelopes",
    names.OTEL_COMPONENT_TYPE: "aotel.pipeline.pipeline.Pipeline",
}
_SECONDS: Final = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_FAILED: Final = (("refused", "rejected"), ("dropped", "dropped"), ("diverted", "diverted"))


class SelfMetrics:
    """The instruments, in one meter provider.

    Args:
        provider: where they are made.
        pipeline: what is measured.
        envelopes: the numbers of its exporters.
        spans: the numbers of the span exporters that we make.
    """

    def __init__(self, provider: MeterProvider, pipeline: Pipeline, envelopes: Ledger, spans: Ledger) -> None:
        self._meter = provider.get_meter(SCOPE_NAME, __version__)
        self._pipeline = pipeline
        self._size(metrics.OTEL_SDK_PROCESSOR_LOG_QUEUE_SIZE, lambda: [_of_queue(pipeline.queued)])
        self._size(metrics.OTEL_SDK_PROCESSOR_LOG_QUEUE_CAPACITY, lambda: [_of_queue(QUEUE_LIMIT)])
        self._size(metrics.AOTEL_PROCESSOR_LOG_QUEUE_CONTENT, lambda: [_of_queue(pipeline.queued_size)])
        self._count(metrics.OTEL_SDK_PROCESSOR_LOG_PROCESSED, self._processed)
        for ledger, exported, inflight, retried, spooled in (
            (
                envelopes,
                metrics.OTEL_SDK_EXPORTER_LOG_EXPORTED,
                metrics.OTEL_SDK_EXPORTER_LOG_INFLIGHT,
                metrics.AOTEL_EXPORTER_LOG_RETRIED,
                metrics.AOTEL_EXPORTER_LOG_SPOOLED,
            ),
            (
                spans,
                metrics.OTEL_SDK_EXPORTER_SPAN_EXPORTED,
                metrics.OTEL_SDK_EXPORTER_SPAN_INFLIGHT,
                metrics.AOTEL_EXPORTER_SPAN_RETRIED,
                metrics.AOTEL_EXPORTER_SPAN_SPOOLED,
            ),
        ):
            self._count(exported, _exported(ledger))
            self._size(inflight, _numbers(ledger, "waiting"))
            self._count(retried, _numbers(ledger, "retried"))
            self._size(spooled, _numbers(ledger, "spooled"))
        self._making = self._histogram(metrics.AOTEL_PROCESSOR_LOG_ENCODE_DURATION)
        self._exporting = self._histogram(metrics.OTEL_SDK_EXPORTER_OPERATION_DURATION)
        pipeline.costs.listener = self

    def made(self, seconds: float) -> None:
        """Take note that the envelopes of a batch were made."""
        self._making.record(seconds, _QUEUE)

    def exported(self, exporter: LogRecordExporter, seconds: float, error: str | None) -> None:
        """Take note that an exporter was called with a batch."""
        attributes = _of(component_of(exporter))
        if error is not None:
            attributes[names.ERROR_TYPE] = error
        self._exporting.record(seconds, attributes)

    def _processed(self) -> Iterator[Observation]:
        yield _of_queue(self._pipeline.costs.handed)
        losses = self._pipeline.losses
        for error, dropped in (("queue_full", losses.full), ("already_shutdown", losses.late)):
            for phase, number in dropped._asdict().items():
                if number:
                    yield _of_queue(number, {names.ERROR_TYPE: error, names.AOT_PHASE: phase})

    def _size(self, metric: Metric, observe: _Observe) -> None:
        self._meter.create_observable_up_down_counter(metric.name, [_calm(observe)], metric.unit, metric.brief)

    def _count(self, metric: Metric, observe: _Observe) -> None:
        self._meter.create_observable_counter(metric.name, [_calm(observe)], metric.unit, metric.brief)

    def _histogram(self, metric: Metric) -> Histogram:
        return self._meter.create_histogram(
            metric.name, metric.unit, metric.brief, explicit_bucket_boundaries_advisory=list(_SECONDS)
        )


def _calm(observe: _Observe) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observed(options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG001 - the API's signature
        try:
            return list(observe())
        except Exception as error:  # noqa: BLE001 - it would end the program's collection of metrics
            PORT.report("measuring of itself", error)
            return []

    return observed


def _exported(ledger: Ledger) -> _Observe:
    def observe() -> Iterator[Observation]:
        for component, numbers in ledger.totals().items():
            yield Observation(numbers["sent"], _of(component))
            for number, error in _FAILED:
                if numbers[number]:
                    yield Observation(numbers[number], {**_of(component), names.ERROR_TYPE: error})

    return observe


def _numbers(ledger: Ledger, name: str) -> _Observe:
    return lambda: [Observation(numbers[name], _of(component)) for component, numbers in ledger.totals().items()]


def _of(component: Component) -> _Attributes:
    return {names.OTEL_COMPONENT_NAME: component.name, names.OTEL_COMPONENT_TYPE: component.type}


def _of_queue(number: int, more: _Attributes | None = None) -> Observation:
    return Observation(number, {**_QUEUE, **more} if more else _QUEUE)


def program_meter_provider() -> MeterProvider | None:
    """Return the program's meter provider, or what stands for the one that it may set later.

    None where a variable names one that has not been made yet: asking would make it, and the program could not set its
    own any more.
    """
    if OTEL_PYTHON_METER_PROVIDER in os.environ and not meter_provider_is_set():
        return None
    return api.get_meter_provider()
