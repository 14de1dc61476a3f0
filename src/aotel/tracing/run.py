"""`run`: an agent's entry point, and where its code came from."""

from __future__ import annotations

import functools
import inspect
import secrets
from typing import TYPE_CHECKING, Any, TypeVar, overload

from aotel.calls.port import PORT
from aotel.calls.scope import EMPTY_SCOPE, scope_of, with_scope
from aotel.content import active
from aotel.semconv import attributes as names
from aotel.semconv.operations import Op
from aotel.tracing.arguments import check_name
from aotel.tracing.coat import call_site, decorate
from aotel.tracing.provenance import provenance_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from aotel.calls.call import Call, CallSite

F = TypeVar("F", bound="Callable[..., Any]")


@overload
def run(name: F, /) -> F: ...
@overload
def run(name: str | None = None) -> Callable[[F], F]: ...
def run(name: Any = None) -> Any:
    """Mark an agent's entry point, as `@run` or `@run("name")`: each call is a run, with a `run_id` for all inside.

    The span says what ran: `agent.run.*` holds the name, the git commit, the source file with its SHA-256, and the
    installed distributions with a hash over them (gathered once a process, in the background).

    Args:
        name: the run's name; the function's own by default.

    Raises:
        TypeError: `name` is neither a string nor None.
    """
    if not isinstance(name, str) and (callable(name) or isinstance(name, (classmethod, staticmethod))):
        itself: Any = run()(name)  # pyright: ignore[reportArgumentType]  # of whatever kind it is
        return itself
    checked = check_name(name)

    def site_of(fn: Any) -> CallSite:
        options = {"op": Op.AGENT, "name": checked, "auto_capture": None, "capture": None, "attributes": None}
        site = call_site(fn, options)
        site.scope = functools.partial(_enter_scope, site.name, _source_file(fn))
        return site

    def decorated(fn: F) -> F:
        traced: F = decorate(fn, site_of, functools.partial(_again, checked))
        return traced

    return decorated


def _again(name: str | None, fn: Any) -> Any:
    return run(name)(fn)


def _enter_scope(name: str, source_file: str | None, call: Call, parent: Context) -> Context:
    run_id = f"run_{secrets.token_hex(8)}"
    call.attributes = {names.AGENT_RUN_ID: run_id, names.AGENT_RUN_NAME: active().redactor.text(name)}
    call.late_attributes = provenance_of(source_file)
    scope = scope_of(parent, propagated=PORT.propagate_session) or EMPTY_SCOPE
    return with_scope(scope._replace(run_id=run_id), parent, propagate=PORT.propagate_session)


def _source_file(fn: Any) -> str | None:
    try:
        return inspect.getsourcefile(inspect.unwrap(fn))
    except (TypeError, ValueError, OSError):
        return None
