"""Content that is taken in the call and written later."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import ContentPolicy, Deferred, Mode, defer_arguments, defer_value
from aotel.settings import Settings

POLICY = ContentPolicy.build(Settings())
LIMIT = POLICY.content_limit

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(value=plain, mode=st.sampled_from([mode.value for mode in Mode if mode is not Mode.NONE]))
def test_written_later_is_what_would_have_been_written_at_once(value: object, mode: str) -> None:
    capture = POLICY.for_call(mode)
    assert defer_value(capture, value, LIMIT).get() == capture.value(value)


def test_changes_after_the_call_are_not_seen() -> None:
    inner = ["first"]
    value = {"list": inner, "tuple": (inner, 1)}
    taken = defer_value(POLICY.default, value, LIMIT)
    arguments = defer_arguments(POLICY.default, ("value",), (value,), {"more": inner}, LIMIT)
    inner.append("second")
    value["new"] = inner
    assert taken.get() == {"list": ["first"], "tuple": [["first"], 1]}
    assert arguments.get().named() == {"value": {"list": ["first"], "tuple": [["first"], 1]}, "more": ["first"]}


@dataclass
class Account:
    name: str
    password: str


class Lazy:
    """A value that must not be asked later: reading it costs a query."""

    def __iter__(self) -> Any:
        raise AssertionError


@pytest.mark.parametrize(
    "value",
    [Account("bob", "hunter2"), [Account("bob", "hunter2")], Lazy(), {1: 2}, b"bytes", "x" * (LIMIT + 1), [[]] * 5000],
)
def test_what_is_more_than_plain_containers_is_written_at_once(value: object) -> None:
    taken = defer_value(POLICY.default, value, LIMIT)
    assert taken._make is None
    assert taken.get() == POLICY.default.value(value)


def test_an_object_that_changes_later_is_written_as_it_was() -> None:
    account = Account("bob", "hunter2")
    taken = defer_value(POLICY.default, account, LIMIT)
    account.name = "eve"
    assert "bob" in str(taken.get())
    assert "hunter2" not in str(taken.get())


def test_a_cycle_is_written() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert "cycle" in str(defer_value(POLICY.default, cycle, LIMIT).get())


def test_secrets_by_the_name_of_a_parameter_are_sealed() -> None:
    taken = defer_arguments(POLICY.default, ("user", "password"), ("bob", "hunter2"), {"api_key": "xyz"}, LIMIT)
    assert "hunter2" not in str(taken.get().named())
    assert "xyz" not in str(taken.get().named())


def test_the_value_is_made_once_and_its_source_let_go() -> None:
    made: list[int] = []
    deferred = Deferred(lambda: made.append(1))
    threads = [threading.Thread(target=deferred.get) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deferred.get()
    assert deferred._make is None
    assert deferred._args == ()
    assert len(made) <= 4
