"""The two sides of a request among what was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

if TYPE_CHECKING:
    from tests.recording import Ended, Recorded


def sides(recorded: Recorded, method: str) -> tuple[Ended, Ended]:
    """Return the only client's and the only server's span of a method."""
    found = [each for each in recorded.operations if each.attributes.get("mcp.method.name") == method]
    (client,) = [each for each in found if each.span.kind is SpanKind.CLIENT]
    (server,) = [each for each in found if each.span.kind is SpanKind.SERVER]
    assert len(found) == 2
    return client, server


def is_under(inner: Ended, outer: Ended) -> bool:
    """Say whether a span's parent is another, in one trace."""
    parent = inner.span.parent
    same_trace = inner.context.trace_id == outer.context.trace_id
    return parent is not None and parent.span_id == outer.context.span_id and same_trace


def client_side(recorded: Recorded, method: str) -> Ended:
    """Return the only client's span of a method, whatever the server does."""
    (found,) = [
        each
        for each in recorded.operations
        if each.attributes.get("mcp.method.name") == method and each.span.kind is SpanKind.CLIENT
    ]
    return found


def made_by(recorded: Recorded, scope: str) -> list[str]:
    """Return the names of the spans that a library made around MCP requests."""
    spans = [span for span in recorded.spans if span.instrumentation_scope and span.instrumentation_scope.name == scope]
    return [span.name for span in spans if "mcp.method.name" in (span.attributes or {})]
