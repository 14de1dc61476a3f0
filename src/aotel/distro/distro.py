"""The distro of `opentelemetry-instrument`: OpenTelemetry's usual defaults."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER, OTEL_TRACES_EXPORTER
from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # checkers are told to skip it

from aotel import settings as environment

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

OTEL_CONFIG_FILE = "OTEL_CONFIG_FILE"  # older SDKs have no constant for it


class AotelDistro(BaseDistro):  # type: ignore[misc]
    """Spans and metrics over OTLP where the user says nothing, as OpenTelemetry's own distro has it; no logs.

    Where AOTEL_BACKEND names backends, spans go to these, and metrics nowhere unless `otlp` is among them.
    """

    def _configure(self, **kwargs: Any) -> None:  # noqa: ARG002 - the signature of all distros
        if os.environ.get(OTEL_CONFIG_FILE):
            return  # then it is the file that says where things go (OpenTelemetry declarative configuration 1.0)
        backend = environment.load().backend
        exporter = "otlp" if not backend or "otlp" in backend else "none"
        for variable in (OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER):
            os.environ.setdefault(variable, exporter)

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Switch an instrumentor on, unless the program did so already.

        Args:
            entry_point: where it is.
            **kwargs: for the instrumentor.
        """
        instrumentor = entry_point.load()()
        if not getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            instrumentor.instrument(**kwargs)
