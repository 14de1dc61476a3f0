"""Trace context in `params._meta` of an MCP message, and from there in HTTP headers; by the program's propagator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace

if TYPE_CHECKING:
    from opentelemetry.context import Context

META = "_meta"


def fields() -> set[str]:
    """Return the names that the global propagator writes; W3C's are `traceparent`, `tracestate` and `baggage`."""
    return set(propagate.get_global_textmap().fields)


def fields_of(carrier: Any) -> dict[str, str]:
    """Return what a `_meta`, as a mapping or a model of either version of the SDK, or HTTP headers say of a trace."""
    if not isinstance(carrier, Mapping):
        carrier = getattr(carrier, "model_extra", None) or {}
    found = {name: carrier.get(name) for name in fields()}
    return {name: value for name, value in found.items() if type(value) is str}


def fields_for(context: Context) -> dict[str, str]:
    """Return what is to be written into a `_meta`, for the span of a context."""
    found: dict[str, str] = {}
    propagate.inject(found, context)
    return found


def remote_context(*carriers: Any) -> Context:
    """Return the current context under the span that the first of some carriers names; as it is, if none names another.

    Args:
        carriers: `_meta` first, since one HTTP request may bring several messages; then the request's headers.
    """
    current = otel_context.get_current()
    here = _ids(current)
    for carrier in carriers:
        found = fields_of(carrier)
        context = propagate.extract(found, current) if found else current
        there = _ids(context)
        if there is not None and there != here:
            return context
    return current


def _ids(context: Context) -> tuple[int, int] | None:
    span = trace.get_current_span(context).get_span_context()
    return (span.trace_id, span.span_id) if span.is_valid else None
