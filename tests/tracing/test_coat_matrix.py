"""Each kind of callable under `coat`: it does what its undecorated twin does, and one span and its envelopes say so."""

from __future__ import annotations

import asyncio
import gc
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import configure, set_result, step, tie
from aotel.testing import record_spans
from tests.tracing.callables import coated_plain
from tests.tracing.kinds import KINDS, Kind, run, run_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.recording import Recorded

every_kind = pytest.mark.parametrize("kind", KINDS, ids=attrgetter("id"))
awaited_kinds = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.flow in {"await", "async generate"}], ids=attrgetter("id")
)


class Token:
    """Something with an identity."""


@every_kind
def test_result_is_the_same_object(kind: Kind, recorded: Recorded) -> None:
    token = Token()
    assert run(kind, kind.coated, lambda: token) is token
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.span.name == kind.span


@every_kind
def test_exception_passes_unmodified(kind: Kind, recorded: Recorded) -> None:
    cause = KeyError("cause")
    error = ValueError("text", 7)

    def explode() -> object:
        raise error from cause

    with pytest.raises(ValueError) as twin:
        run(kind, kind.twin, explode)
    names = [frame.name for frame in traceback.extract_tb(twin.value.__traceback__)]
    error.__traceback__ = None
    with pytest.raises(ValueError) as caught:
        run(kind, kind.coated, explode)
    assert caught.value is error
    assert error.args == ("text", 7)
    assert error.__cause__ is cause
    assert error.__context__ is None
    assert error.__suppress_context__ is True
    found = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert found[-1] == names[-1] == "explode"
    operation = recorded.operation
    assert operation.outcome == "error"
    assert operation.end["payload"]["error_type"] == "ValueError"
    (event,) = operation.span.events
    assert event.name == "exception"
    assert "in explode" in str((event.attributes or {})["exception.stacktrace"])


OUTCOMES: list[tuple[Callable[[], BaseException], str]] = [
    (lambda: asyncio.CancelledError("stop"), "cancelled"),
    (KeyboardInterrupt, "interrupted"),
    (GeneratorExit, "abandoned"),
    (lambda: SystemExit(0), "ok"),
    (SystemExit, "ok"),
    (lambda: SystemExit(1), "error"),
    (lambda: SystemExit("message"), "error"),
    (lambda: StopIteration("value"), "ok"),
    (StopAsyncIteration, "ok"),
]
# A future takes no exception that ends the program, and an event loop none of those that end an iteration.
ENDINGS = [
    pytest.param(kind, make, outcome, id=f"{kind.id} {make()!r}")
    for kind in KINDS
    for make, outcome in OUTCOMES
    if kind.id != "returns a future" or outcome == "cancelled"
]


@pytest.mark.parametrize(("kind", "make", "outcome"), ENDINGS)
def test_some_exceptions_are_no_errors(
    kind: Kind, make: Callable[[], BaseException], outcome: str, recorded: Recorded
) -> None:
    error = make()

    def explode() -> object:
        raise error

    with pytest.raises(BaseException) as twin:
        run(kind, kind.twin, explode)
    with pytest.raises(BaseException) as caught:
        run(kind, kind.coated, explode)
    assert type(caught.value) is type(twin.value)
    assert caught.value.args == twin.value.args
    python_made_it_an_error = type(caught.value) is not type(error)
    assert recorded.operation.outcome == ("error" if python_made_it_an_error else outcome)


@awaited_kinds
async def test_cancelled_task_ends_its_span(kind: Kind, recorded: Recorded) -> None:
    for fn in (kind.twin, kind.coated):
        task = asyncio.ensure_future(run_async(kind, fn, lambda: pytest.fail("the body went on")))
        await asyncio.sleep(0)  # to the first suspension of the body
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
    await asyncio.sleep(0)
    operation = recorded.operation
    assert operation.outcome == "cancelled"
    assert operation.end["payload"]["error_type"] == "CancelledError"


@every_kind
def test_span_is_current_in_the_body_alone(kind: Kind, recorded: Recorded) -> None:
    inside: list[Any] = []
    with step("outer"):
        outer = trace.get_current_span()
        run(kind, kind.coated, lambda: inside.append(trace.get_current_span()))
        assert trace.get_current_span() is outer
    assert trace.get_current_span() is trace.INVALID_SPAN
    operation, around = recorded.operations
    assert inside[0].get_span_context() == operation.context
    assert operation.span.parent == around.context
    assert operation.start["ids"]["parent_span_id"] == around.start["ids"]["span_id"]


@every_kind
def test_failing_body_leaves_the_context_as_it_was(kind: Kind, recorded: Recorded) -> None:
    def explode() -> object:
        raise LookupError

    with step("outer"):
        outer = trace.get_current_span()
        with pytest.raises(LookupError):
            run(kind, kind.coated, explode)
        assert trace.get_current_span() is outer
    assert [operation.outcome for operation in recorded.operations] == ["error", "ok"]


@every_kind
def test_recursion_nests(kind: Kind, recorded: Recorded) -> None:
    if kind.flow in {"await", "async generate"}:
        # An event loop does not run inside an event loop: the inner call takes a thread with one of its own.
        def inner() -> object:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(run, kind, kind.coated, lambda: 3).result()
    else:

        def inner() -> object:
            return run(kind, kind.coated, lambda: 3)

    assert run(kind, kind.coated, inner) == 3
    first, second = recorded.operations
    assert first.span.parent == second.context
    assert second.span.parent is None
    assert first.outcome == second.outcome == "ok"


@every_kind
def test_re_entrancy_from_threads_keeps_calls_apart(kind: Kind, recorded: Recorded) -> None:
    together = threading.Barrier(4, timeout=20)

    def action() -> object:
        together.wait()  # all bodies run at once
        return trace.get_current_span().get_span_context()

    with ThreadPoolExecutor(4) as pool:
        inside = list(pool.map(lambda _: run(kind, kind.coated, action_of(action)), range(4)))
    operations = recorded.operations
    assert {found.span_id for found in inside} == {operation.context.span_id for operation in operations}
    assert len({operation.context.trace_id for operation in operations}) == 4
    assert {operation.outcome for operation in operations} == {"ok"}


def action_of(action: Callable[[], object]) -> Callable[[], object]:
    """Return another function that does the same: a cache must not answer for it."""
    return lambda: action()  # noqa: PLW0108 - another object is what is wanted


@every_kind
def test_tie_and_set_result_reach_the_call_they_are_made_in(kind: Kind, recorded: Recorded) -> None:
    def action() -> str:
        tie("note", {"row": 3})
        set_result("set")
        return "returned"

    assert run(kind, kind.coated, action) == "returned"
    operation = recorded.operation
    assert [envelope["kind"] for envelope in operation.between] == ["coat.emit"]
    assert operation.between[0]["payload"] == {"tag": "note", "data": {"row": 3}}
    assert [event.name for event in operation.span.events] == ["note"]
    assert operation.end["payload"]["result_preview"] == "'set'"


@every_kind
def test_nothing_is_kept_alive(kind: Kind, recorded: Recorded) -> None:
    forget: Callable[[], None] = getattr(kind.coated, "cache_clear", lambda: None)
    forget()

    class Action:
        def __call__(self) -> Token:
            return Token()

    action = Action()
    gone = weakref.ref(action), weakref.ref(run(kind, kind.coated, action))
    del action
    forget()
    if kind.flow != "call":
        gc.collect()  # an event loop makes cycles of its own
    assert [reference() for reference in gone] == [None, None]
    assert recorded.operation.outcome == "ok"


@every_kind
def test_switched_off_it_only_calls(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token()
    monkeypatch.setenv("AOTEL_DISABLED", "true")
    with record_spans() as spans:
        assert run(kind, kind.coated, lambda: token) is token
    assert spans.names == []


def test_inline_delivers_before_the_call_returns(recorded: Recorded) -> None:
    configure(inline=True)
    seen: list[int] = []
    coated_plain(lambda: seen.append(recorded.arrived))
    seen.append(recorded.arrived)
    assert seen == [1, 2]
