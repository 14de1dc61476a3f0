"""Where metrics go under auto-start: the exporters that the SDK sets up for them, made calm and quick to end."""

from __future__ import annotations

import atexit
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import metrics
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult

from aotel.distro.ending import ENDING
from aotel.export.health import Health
from aotel.export.outcome import Verdict
from aotel.export.stock import Stock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.sdk.metrics.export import MetricsData

_logger = logging.getLogger("aotel")

_OTLP = "opentelemetry.exporter.otlp."

FLUSH_TIMEOUT = 1.0
"""Seconds that the end of a program waits for its last metrics, at most."""


class CalmMetricExporter(MetricExporter):
    """Hands metrics to another exporter; says once when they can't be delivered, or aren't wanted (Phoenix takes none).

    Args:
        exporter: sends them.
    """

    def __init__(self, exporter: MetricExporter) -> None:
        super().__init__(
            getattr(exporter, "_preferred_temporality", None), getattr(exporter, "_preferred_aggregation", None)
        )
        self._stock: Stock[Any] = Stock(given=exporter)
        self._health = Health("the receiver of metrics", consequence="metrics are lost until it takes them")
        self._unwanted = self._closed = False

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,  # noqa: ARG002 - the exporter has a timeout of its own, OTEL_EXPORTER_OTLP_TIMEOUT
        **kwargs: Any,  # noqa: ARG002 - the SDK's signature
    ) -> MetricExportResult:
        """Send metrics; never raises."""
        if self._unwanted:
            return MetricExportResult.FAILURE
        with suppress_instrumentation():
            # What a call sends is one whole here, not a sequence; it is handed on as it is.
            outcome = self._stock.send(cast("Any", metrics_data))
        if outcome.verdict is Verdict.DELIVERED:
            self._health.worked()
            return MetricExportResult.SUCCESS
        if outcome.verdict is Verdict.UNSUPPORTED:
            self._unwanted = True
            _logger.info("aotel: the receiver takes no metrics, so none are sent: %s", outcome.reason)
        elif not self._closed:
            self._health.failed(outcome.reason)
        return MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Have the exporter send what it holds itself; the OTLP ones hold nothing."""
        return self._stock.force_flush(int(timeout_millis))

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:  # noqa: ARG002 - the SDK's signature
        """Stop at once: an export that runs in another thread is interrupted."""
        self._closed = True
        self._stock.close()


def meter_provider_is_set() -> bool:
    """Say whether there is a global meter provider already; asking for it could make one."""
    return getattr(getattr(metrics, "_internal", None), "_METER_PROVIDER", None) is not None


def calm_metrics() -> None:
    """Make the OTLP exporters of the global meter provider calm, and its end at exit a matter of a second."""
    provider: Any = metrics.get_meter_provider()
    for reader in _readers(provider):
        exporter = getattr(reader, "_exporter", None)
        if isinstance(exporter, MetricExporter) and type(exporter).__module__.startswith(_OTLP):
            vars(reader)["_exporter"] = CalmMetricExporter(exporter)
    stop = getattr(provider, "_atexit_handler", None)
    if callable(stop):
        atexit.unregister(stop)
        vars(provider)["_atexit_handler"] = atexit.register(partial(_stop, stop))


def _stop(stop: Callable[..., object]) -> None:
    stop(timeout_millis=min(FLUSH_TIMEOUT, ENDING.left()) * 1000)


def _readers(provider: Any) -> Iterable[object]:
    found = getattr(provider, "_metric_readers", None)  # older SDKs keep them in their configuration
    return found if found is not None else getattr(getattr(provider, "_sdk_config", None), "metric_readers", ())
