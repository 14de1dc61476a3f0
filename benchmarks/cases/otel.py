"""The yardstick: spans written by hand with the OpenTelemetry SDK, batched to an exporter that drops them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from workload import ARGUMENTS, RESULT, lookup, main

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

_INPUT = json.dumps({"path": ARGUMENTS[0], "limit": ARGUMENTS[1]})
_OUTPUT = json.dumps(RESULT)


class NullExporter(SpanExporter):
    """Takes spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        """Drop a batch."""
        return SpanExportResult.SUCCESS


def six_attributes() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up the raw span with six attributes that are constants."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(NullExporter()))
    tracer = provider.get_tracer("bench")

    def call(path: str, limit: int) -> dict[str, Any]:
        with tracer.start_as_current_span("lookup") as span:
            span.set_attribute("gen_ai.operation.name", "execute_tool")
            span.set_attribute("gen_ai.tool.name", "lookup")
            span.set_attribute("openinference.span.kind", "TOOL")
            span.set_attribute("input.value", _INPUT)
            found = lookup(path, limit)
            span.set_attribute("output.value", _OUTPUT)
            span.set_attribute("session.id", "sess_1")
            return found

    return call, provider.force_flush


if __name__ == "__main__":
    main({"six attributes by hand": six_attributes})
