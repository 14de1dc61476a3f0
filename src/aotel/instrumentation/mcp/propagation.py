"""Trace context in `params._meta` of an MCP message, and from there in HTTP headers; by the program's propagator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import propagate, trace

if TYPE_CHECKING:
    from opentelemetry.context import Context

META: Final = "_meta"
_BAGGAGE: Final = "baggage"


def fields_of(carrier: Any) -> dict[str, str]:
    """Return what a `_meta` (a mapping, or a model of version 1) or HTTP headers say of a trace."""
    if not isinstance(carrier, Mapping):
        carrier = getattr(carrier, "model_extra", None) or {}
    found = {name: carrier.get(name) for name in propagate.get_global_textmap().fields}
    return {name: value for name, value in found.items() if type(value) is str}


def fields_to_add(carrier: Any, context: Context) -> dict[str, str]:
    """Return what is to be added to a `_meta` for the span of a context; what the program put there itself stays."""
    present = fields_of(carrier)
    if present.keys() - {_BAGGAGE}:
        return {}  # a trace of the program's own, of which ours could only be half
    found: dict[str, str] = {}
    propagate.inject(found, context)
    return {name: value for name, value in found.items() if name not in present}


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
