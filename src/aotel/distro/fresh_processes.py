"""Processes that `multiprocessing` starts anew (spawn, fork server) keep the context that they were started in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aotel.calls import PORT, Scope, scope_of, with_scope
from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context

_CARRIED: Final = "aotel_context"  # in a process object's configuration, which travels to the child by pickle
_PATCHES: Final = Patches("multiprocessing")
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def carry_context_into_fresh_processes() -> None:
    """Have a process object take the current span, session and run along, and enter them in the child."""
    _PATCHES.when_imported({"multiprocessing.process": _patch})


def _patch(module: ModuleType, patches: Patches) -> None:
    patches.wrap(module.BaseProcess, "start", _start)
    patches.wrap(module.BaseProcess, "_bootstrap", _bootstrap)


def _start(start: Callable[..., Any], process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        process._config[_CARRIED] = _pack(otel_context.get_current())  # noqa: SLF001 - what else it inherits is there too
    except Exception as error:  # noqa: BLE001 - the program only wanted a process
        PORT.report("the context of a child process", error)
    return start(*args, **kwargs)


def _bootstrap(bootstrap: Callable[..., Any], process: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        carried = process._config.get(_CARRIED)  # noqa: SLF001 - see above
        # A forked child is in the context already, with the span itself.
        if carried is not None and trace.get_current_span() is INVALID_SPAN:
            otel_context.attach(_unpack(*carried))
    except Exception as error:  # noqa: BLE001 - see above
        PORT.report("the context of a child process", error)
    return bootstrap(*args, **kwargs)


def _pack(context: Context) -> tuple[dict[str, str], tuple[str, ...] | None]:
    """Return a context's span and scope as what every Python can unpickle."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context)
    scope = scope_of(context, propagated=PORT.propagate_session)
    return carrier, None if scope is None else tuple(scope)


def _unpack(carrier: dict[str, str], scope: tuple[str, ...] | None) -> Context:
    context = _PROPAGATOR.extract(carrier, otel_context.get_current())
    return context if scope is None else with_scope(Scope(*scope), context, propagate=PORT.propagate_session)
