"""OpenInference's own decorator for tools, on the SDK that it wraps, batched to an exporter that drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openinference.instrumentation import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel import NullExporter
from workload import lookup, main

if TYPE_CHECKING:
    from collections.abc import Callable


def decorated() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up `@tracer.tool`."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(NullExporter()))
    return provider.get_tracer("bench").tool(lookup), provider.force_flush


if __name__ == "__main__":
    main({"OpenInference @tracer.tool": decorated})
