"""A process continues what its environment says, as W3C Trace Context writes it: its root spans have a parent there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Tracer
from opentelemetry.trace import INVALID_SPAN, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aotel.calls import PORT
from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.settings import Settings

_PATCHES: Final = Patches("opentelemetry.sdk")
_CONTEXT_PLACE, _KIND_PLACE = 1, 2  # of the arguments of `Tracer.start_span`
_FROM_OUTSIDE: Final = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})


def continue_trace(settings: Settings) -> None:
    """Make the span that the environment names the parent of this process's root spans, whoever makes them.

    Requests that a server takes and messages that a consumer gets have their own parents, or none; and so has a span
    that is started in an explicit context. The context itself is left alone: instrumentors of servers would take a
    current span for a server's that is around them, and would not look at the request.
    """
    carrier = {"traceparent": settings.traceparent or "", "tracestate": settings.tracestate or ""}
    remote = TraceContextTextMapPropagator().extract(carrier, Context()) if settings.traceparent else None
    PORT.remote_parent = remote or None  # empty where nothing could be read
    if PORT.remote_parent is not None:
        _PATCHES.wrap(Tracer, "start_span", _start)
    _PATCHES.active = PORT.remote_parent is not None


def _start(start: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    remote = PORT.remote_parent
    explicit = args[_CONTEXT_PLACE] if len(args) > _CONTEXT_PLACE else kwargs.get("context")
    kind = args[_KIND_PLACE] if len(args) > _KIND_PLACE else kwargs.get("kind")
    if remote is None or explicit is not None or kind in _FROM_OUTSIDE:
        return start(*args, **kwargs)
    current = otel_context.get_current()
    if trace.get_current_span(current) is not INVALID_SPAN:
        return start(*args, **kwargs)
    context = Context({**remote, **current})
    if len(args) > _CONTEXT_PLACE:
        return start(args[0], context, *args[_CONTEXT_PLACE + 1 :], **kwargs)
    return start(*args, **{**kwargs, "context": context})
