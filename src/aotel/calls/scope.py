"""What all spans inside a session or a run share, carried by the OpenTelemetry context."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import baggage
from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context

SCOPE_KEY = otel_context.create_key("aotel-scope")
BAGGAGE_SESSION_ID = "session.id"
BAGGAGE_RUN_ID = "aot.run_id"

_RUN_ID = re.compile(r"run_[0-9a-f]{16}")

# The public detach logs an error where a token belongs to another context, which leaving a block in another task is.
_RUNTIME_CONTEXT = getattr(otel_context, "_RUNTIME_CONTEXT", None)


class Scope(NamedTuple):
    """The identity that every span inside takes over; an empty string means that nobody named it."""

    session_id: str = ""
    run_id: str = ""
    agent_id: str = ""
    agent_role: str = ""
    user_id: str = ""


EMPTY_SCOPE = Scope()


def scope_of(context: Context, *, propagated: bool) -> Scope | None:
    """Return the scope that a context carries, or None.

    Args:
        context: the OpenTelemetry context to look into.
        propagated: whether session and run ids that arrived as W3C baggage count.
    """
    scope = context.get(SCOPE_KEY)
    if isinstance(scope, Scope):
        return scope
    if not propagated:
        return None
    session_id = str(baggage.get_baggage(BAGGAGE_SESSION_ID, context) or "")
    run_id = str(baggage.get_baggage(BAGGAGE_RUN_ID, context) or "")
    if not _RUN_ID.fullmatch(run_id):  # baggage comes from anybody: a run id that is none of ours says nothing
        run_id = ""
    return Scope(session_id, run_id) if session_id or run_id else None


def with_scope(scope: Scope, context: Context, *, propagate: bool) -> Context:
    """Return `context` with `scope` in it, as baggage too where the operator asked for that (never the user id)."""
    context = otel_context.set_value(SCOPE_KEY, scope, context)
    if propagate:
        if scope.session_id:
            context = baggage.set_baggage(BAGGAGE_SESSION_ID, scope.session_id, context)
        if scope.run_id:
            context = baggage.set_baggage(BAGGAGE_RUN_ID, scope.run_id, context)
    return context


def detach(token: Token[Context]) -> None:
    """Leave a context, silently also where it was entered in another task or thread: nothing is to be undone there."""
    if _RUNTIME_CONTEXT is None:  # pragma: no cover - an OpenTelemetry that renamed it
        otel_context.detach(token)
        return
    try:  # noqa: SIM105 - on the hot path, where a context manager costs more than what it guards
        _RUNTIME_CONTEXT.detach(token)
    except (ValueError, RuntimeError):
        pass
