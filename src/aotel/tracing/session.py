"""`session`: one conversation or task, whose id every span inside carries."""

from __future__ import annotations

import functools
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

from aotel.calls.call import Call, CallSite
from aotel.calls.port import PORT
from aotel.calls.scope import EMPTY_SCOPE, Scope, scope_of, with_scope
from aotel.content import to_json
from aotel.semconv import attributes as names
from aotel.semconv.operations import Op
from aotel.tracing.arguments import check_metadata, check_name
from aotel.tracing.block import Block
from aotel.tracing.coat import call_site, decorate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

F = TypeVar("F", bound="Callable[..., Any]")


class session(Block):  # noqa: N801 - used as a statement: `with session("chat-7"):`
    """One conversation or task, as `with session(...)`, `async with`, or a decorator: a span of its own.

    Every span inside, whoever makes it, carries `session.id`, `gen_ai.conversation.id`, `user.id` and `agent.*`.
    Sessions nest and run in parallel without touching each other.

    Args:
        session_id: the conversation's id, kept verbatim; by default `AOTEL_SESSION_ID`, else a fresh one a block.
        agent_id: who acts.
        agent_role: in which role.
        user_id: for whom; never leaves the process by baggage.
        name: the span's name.
        metadata: further facts, content like any other.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: an id or name is an empty string.
    """

    def __init__(  # noqa: PLR0913 - the public signature
        self,
        session_id: str | None = None,
        *,
        agent_id: str | None = None,
        agent_role: str | None = None,
        user_id: str | None = None,
        name: str | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self._session_id = check_name(session_id, "session_id")
        self._agent_id = check_name(agent_id, "agent_id") or ""
        self._agent_role = check_name(agent_role, "agent_role") or ""
        self._user_id = check_name(user_id, "user_id") or ""
        self._name = check_name(name)
        self._metadata = check_metadata(metadata)
        self._latest_id: str | None = None
        super().__init__(self._scoped(CallSite(Op.SESSION, self._name or "session")))

    @property
    def session_id(self) -> str | None:
        """The id that was given, else that of the block that was entered last."""
        return self._session_id or self._latest_id

    def _scoped(self, site: CallSite) -> CallSite:
        site.scope = self._enter_scope
        return site

    def _enter_scope(self, call: Call, parent: Context) -> Context:
        session_id = self._session_id or PORT.session_id or f"sess_{secrets.token_hex(8)}"
        outer = scope_of(parent, propagated=PORT.propagate_session) or EMPTY_SCOPE
        scope = Scope(session_id, outer.run_id, self._agent_id, self._agent_role, self._user_id)
        self._latest_id = session_id
        if self._metadata is not None and call.capture.writes:
            call.attributes = {names.METADATA: to_json(call.capture.value(self._metadata))}
        return with_scope(scope, parent, propagate=PORT.propagate_session)

    def __call__(self, fn: F) -> F:
        """Run each call of `fn`, of whatever kind, in a session of its own."""
        options = {"op": Op.SESSION, "name": self._name, "auto_capture": None, "capture": None, "attributes": None}
        again = functools.partial(_again, session, self._session_id, self._keywords())
        traced: F = decorate(fn, lambda found: self._scoped(call_site(found, options)), again)
        return traced

    def _keywords(self) -> dict[str, Any]:
        return {
            "agent_id": self._agent_id or None,
            "agent_role": self._agent_role or None,
            "user_id": self._user_id or None,
            "name": self._name,
            "metadata": self._metadata,
        }


def _again(factory: Callable[..., Callable[[Any], Any]], first: Any, keywords: dict[str, Any], fn: Any) -> Any:
    return factory(first, **keywords)(fn)
