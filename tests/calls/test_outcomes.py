"""How an operation ended: which exceptions are errors of it, and what is written of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat
from aotel.calls.outcomes import Outcome, is_result, outcome_of, qualified_name
from tests.recording import recording

if TYPE_CHECKING:
    from tests.recording import Recorded


def named(module: str, name: str, base: type[BaseException] = Exception) -> type[BaseException]:
    """Return an exception class as a framework has it, without the framework."""
    return type(name, (base,), {"__module__": module})


class OwnCancelled(asyncio.CancelledError):
    """A subclass counts as what it is a subclass of."""


class Interrupted(KeyboardInterrupt):
    """Likewise."""


TABLE: list[tuple[BaseException, Outcome | None]] = [
    (asyncio.CancelledError(), Outcome.CANCELLED),
    (OwnCancelled(), Outcome.CANCELLED),
    (concurrent.futures.CancelledError(), Outcome.CANCELLED),
    (named("trio", "Cancelled", BaseException)(), Outcome.CANCELLED),
    (KeyboardInterrupt(), Outcome.INTERRUPTED),
    (Interrupted(), Outcome.INTERRUPTED),
    (GeneratorExit(), Outcome.ABANDONED),
    (named("langgraph.errors", "GraphInterrupt")(), Outcome.PAUSED),
    (named("langgraph.errors", "NodeInterrupt", named("langgraph.errors", "GraphInterrupt"))(), Outcome.PAUSED),
    (named("langgraph.errors", "GraphBubbleUp")(), Outcome.PAUSED),
    (named("elsewhere", "GraphInterrupt")(), None),
    (named("langgraph_like", "GraphInterrupt")(), None),
    (ValueError(), None),
    (SystemExit(1), None),
    (TimeoutError(), None),
]


@pytest.mark.parametrize(
    ("error", "outcome"), TABLE, ids=lambda value: f"{type(value).__module__}.{type(value).__name__}"
)
def test_outcome(error: BaseException, outcome: Outcome | None, recorded: Recorded) -> None:
    assert outcome_of(error) is outcome

    def failing() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        coat("tool", failing)()
    assert caught.value is error
    operation = recorded.operation
    assert operation.outcome == (outcome.value if outcome else "error")
    assert operation.end["payload"]["error_type"] == type(error).__name__
    assert (
        operation.span.status.is_ok is False if outcome is None else operation.span.status.status_code.name == "UNSET"
    )
    assert bool(operation.span.events) == (outcome is None)


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (SystemExit(), True),
        (SystemExit(None), True),
        (SystemExit(0), True),
        (SystemExit(False), True),
        (SystemExit(1), False),
        (SystemExit("0"), False),
        (SystemExit(0.0), False),
        (StopIteration(3), True),
        (StopAsyncIteration(), True),
        (KeyboardInterrupt(), False),
        (Exception(), False),
    ],
)
def test_some_exceptions_are_results(error: BaseException, result: bool) -> None:
    assert is_result(error) is result


def test_type_is_qualified_by_its_module_but_for_builtins(recorded: Recorded) -> None:
    assert qualified_name(ValueError) == "ValueError"
    assert qualified_name(asyncio.QueueEmpty) == "asyncio.queues.QueueEmpty"

    def failing() -> None:
        raise asyncio.QueueEmpty

    with pytest.raises(asyncio.QueueEmpty):
        coat("tool", failing)()
    operation = recorded.operation
    assert operation.attributes["error.type"] == "asyncio.queues.QueueEmpty"
    assert operation.end["payload"]["error_type"] == "QueueEmpty"


def test_error_says_what_python_says(recorded: Recorded) -> None:
    def failing() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("text", 7) from error

    with pytest.raises(ValueError):
        coat("tool", failing)()
    (event,) = recorded.operation.span.events
    attributes = dict(event.attributes or {})
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "('text', 7)"
    trace = str(attributes["exception.stacktrace"])
    assert "KeyError: 'inner'" in trace
    assert "The above exception was the direct cause" in trace
    assert recorded.operation.span.status.description == "ValueError: ('text', 7)"


@pytest.mark.parametrize("mode", ["none", "hash", "summary"])
def test_no_text_of_an_error_in_modes_without_text(mode: Any) -> None:
    def failing() -> None:
        benign = "benign-token"
        raise LookupError(benign)

    with recording(capture=mode) as recorded:
        with pytest.raises(LookupError):
            coat("tool", failing)()
        operation = recorded.operation
        assert "benign-token" not in operation.span.to_json() + repr(operation.end)
        assert operation.end["payload"]["error_type"] == "LookupError"
        assert operation.attributes["error.type"] == "LookupError"


@pytest.mark.parametrize("cls", [LookupError, KeyError, OSError, ImportError, Exception])
def test_error_with_a_huge_argument_is_shown_in_part(cls: type[Exception], recorded: Recorded) -> None:
    billion: list[object] = ["x"]
    for _ in range(9):
        billion = [billion] * 10

    def failing() -> None:
        raise cls(billion)

    began = time.perf_counter()
    with pytest.raises(cls):
        coat("tool", failing)()
    assert time.perf_counter() - began < 2
    payload = recorded.operation.end["payload"]
    assert payload["error_type"] == cls.__name__
    assert payload["message"].startswith("[[[")
    (event,) = recorded.operation.span.events
    trace = str((event.attributes or {})["exception.stacktrace"])
    assert "in failing" in trace
    assert f"{cls.__name__}: [[[" in trace


def test_secret_names_inside_the_argument_of_an_error_are_known(recorded: Recorded) -> None:
    def failing() -> None:
        raise LookupError({"password": "correct-horse-battery"})

    with pytest.raises(LookupError):
        coat("tool", failing)()
    assert "correct-horse" not in recorded.operation.span.to_json()
    assert "correct-horse" not in repr(recorded.operation.end)


def test_long_stack_is_cut_to_where_it_was_raised(recorded: Recorded) -> None:
    def deep(depth: int) -> None:
        if depth == 0:
            raise LookupError("bottom")
        between(depth)

    def between(depth: int) -> None:  # Python shortens what repeats itself line by line
        deep(depth - 1)

    with pytest.raises(LookupError):
        coat("tool", lambda: deep(200), name="work")()
    (event,) = recorded.operation.span.events
    trace = str((event.attributes or {})["exception.stacktrace"])
    assert trace.rstrip().endswith("LookupError: bottom")
    assert trace.count("in deep") <= 100
