"""Child processes are told by their environment what they continue: trace, session and run of whoever starts them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aotel.calls import PORT, scope_of
from aotel.instrumentation.patches import Patches
from aotel.semconv import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TRACE: Final = (env.TRACEPARENT.name, env.TRACESTATE.name)
_ENVIRONMENT_PLACE: Final = 10  # of the argument `env` of `subprocess.Popen`
_PATCHES: Final = Patches("subprocess")
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def carry_context_into_processes(*, wanted: bool) -> None:
    """Have what `subprocess` starts, and with it `asyncio` and `os.popen`, be told the current span; or no longer.

    The variables are those of OpenTelemetry's "Environment Variables as Context Propagation Carriers" (in development
    in specification 1.45), and `AOTEL_SESSION_ID` and `AOTEL_RUN_ID` inside a session or a run.

    Args:
        wanted: whether `AOTEL_PROPAGATE` asks for it.
    """
    if wanted:
        import subprocess

        _PATCHES.wrap(subprocess.Popen, "__init__", _start)
    _PATCHES.active = wanted


def facts_of_the_current_span() -> dict[str, str]:
    """Return the variables that say what a child continues; none outside every span, session and run."""
    context = otel_context.get_current()
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context)
    facts = {name: carrier.get(name.lower(), "") for name in _TRACE} if carrier else {}
    scope = scope_of(context, propagated=PORT.propagate_session)
    if scope is not None:
        named = ((env.AOTEL_SESSION_ID.name, scope.session_id), (env.AOTEL_RUN_ID.name, scope.run_id))
        # No variable can hold a NUL: the program's child would not start.
        facts.update({name: value for name, value in named if value and "\0" not in value})
    return facts


def told(environ: Mapping[Any, Any] | None, facts: Mapping[str, str]) -> dict[Any, Any]:
    """Return a child's environment with the facts in it.

    What the program has set itself for the child stays; a variable that merely came from our own environment is ours
    to replace, as is an empty one.

    Args:
        environ: what the program gives the child; None for our own.
        facts: what to say, an empty value to say nothing of the former one.
    """
    made = dict(os.environ if environ is None else environ)
    inherited = {name: os.environ.get(name, "") for name in facts}
    if any(_value(made, name) not in {"", inherited[name]} for name in _TRACE):
        return made  # a trace of its own choice, to which our session need not belong
    for name, value in facts.items():
        if _value(made, name) not in {"", inherited[name]}:
            continue
        made.pop(os.fsencode(name), None)
        made.pop(name, None)
        if value:
            made[name] = value
    return made


def _value(environ: Mapping[Any, Any], name: str) -> str:
    value = environ.get(name)
    if value is None and os.supports_bytes_environ:
        value = environ.get(os.fsencode(name))
    return os.fsdecode(value) if isinstance(value, (str, bytes)) else ""


def _start(start: Callable[..., None], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        args, kwargs = _with_facts(args, kwargs)
    except Exception as error:  # noqa: BLE001 - the child is started whatever it is told
        PORT.report("the environment of a child process", error)
    start(*args, **kwargs)


def _with_facts(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    facts = facts_of_the_current_span() if PORT.enabled else {}
    if not facts:
        return args, kwargs
    if len(args) <= _ENVIRONMENT_PLACE:
        return args, {**kwargs, "env": told(kwargs.get("env"), facts)}
    before, given, after = args[:_ENVIRONMENT_PLACE], args[_ENVIRONMENT_PLACE], args[_ENVIRONMENT_PLACE + 1 :]
    return (*before, told(given, facts), *after), kwargs
