"""What the context carries: who, which session, which run, and of that what baggage may take along."""

from __future__ import annotations

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context

from aotel.calls.scope import BAGGAGE_RUN_ID, BAGGAGE_SESSION_ID, Scope, scope_of, with_scope

SCOPE = Scope("sess", "run", "agent", "role", "user")


@pytest.mark.parametrize("propagate", [False, True])
def test_scope_comes_back_from_the_context(propagate: bool) -> None:
    context = with_scope(SCOPE, Context(), propagate=propagate)
    assert scope_of(context, propagated=propagate) == SCOPE


def test_context_without_a_scope_has_none() -> None:
    assert scope_of(Context(), propagated=False) is None
    assert scope_of(Context(), propagated=True) is None


def test_baggage_takes_session_and_run_and_nothing_of_the_user() -> None:
    assert dict(baggage.get_all(with_scope(SCOPE, Context(), propagate=False))) == {}
    assert dict(baggage.get_all(with_scope(SCOPE, Context(), propagate=True))) == {
        BAGGAGE_SESSION_ID: "sess",
        BAGGAGE_RUN_ID: "run",
    }


def test_what_arrives_as_baggage_counts_only_when_asked() -> None:
    context = baggage.set_baggage(BAGGAGE_SESSION_ID, "from afar", Context())
    assert scope_of(context, propagated=False) is None
    assert scope_of(context, propagated=True) == Scope(session_id="from afar")


def test_scope_of_ones_own_wins_over_baggage() -> None:
    context = with_scope(SCOPE, baggage.set_baggage(BAGGAGE_SESSION_ID, "from afar", Context()), propagate=False)
    assert scope_of(context, propagated=True) == SCOPE


def test_baggage_of_others_is_kept() -> None:
    context = baggage.set_baggage("theirs", "1", Context())
    assert dict(baggage.get_all(with_scope(SCOPE, context, propagate=True)))["theirs"] == "1"
