"""Threads and executors keep the parent of what they do: OpenTelemetry's own threading instrumentor, switched on."""

from __future__ import annotations

import os

from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS
from opentelemetry.instrumentation.threading import ThreadingInstrumentor  # pyright: ignore[reportMissingTypeStubs]

_NAME = "threading"
_ALL = "*"


def carry_context_into_threads() -> None:
    """Switch the threading instrumentor on, unless it is, or the user switched it off for auto-instrumentation."""
    disabled = {name.strip() for name in os.environ.get(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, "").split(",")}
    instrumentor = ThreadingInstrumentor()
    if not disabled & {_NAME, _ALL} and not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument()
