"""How an operation ended: which exceptions are errors, and what to write of them."""

from __future__ import annotations

import traceback
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aotel.content import Capture


class Outcome(str, Enum):
    """The end of an operation that is neither a result nor an error (contract `aot.outcome`)."""

    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    ABANDONED = "abandoned"
    PAUSED = "paused"


class Failure(NamedTuple):
    """What is written of an exception that left an operation, clean under its capture mode."""

    type: str
    """The class name alone, as envelopes carry it."""
    qualified_type: str
    """Module and class, as `error.type` and `exception.type` carry it (OpenTelemetry semantic conventions 1.37)."""
    message: str
    outcome: Outcome | None


# By name, since none of these modules is ever imported by us: (module prefix, class name).
_OUTCOMES: dict[tuple[str, str], Outcome] = {
    ("asyncio", "CancelledError"): Outcome.CANCELLED,
    ("concurrent", "CancelledError"): Outcome.CANCELLED,
    ("trio", "Cancelled"): Outcome.CANCELLED,
    ("builtins", "KeyboardInterrupt"): Outcome.INTERRUPTED,
    ("builtins", "GeneratorExit"): Outcome.ABANDONED,
    ("langgraph", "GraphInterrupt"): Outcome.PAUSED,
    ("langgraph", "GraphBubbleUp"): Outcome.PAUSED,
}


def outcome_of(error: BaseException) -> Outcome | None:
    """Return how the operation ended if `error` is no error of it: cancelled, interrupted, abandoned, paused."""
    for cls in type(error).__mro__:
        outcome = _OUTCOMES.get((cls.__module__.partition(".")[0], cls.__name__))
        if outcome is not None:
            return outcome
    return None


def is_result(error: BaseException) -> bool:
    """Say whether an exception is a normal end: an exhausted iterator, or a program that exits with status 0."""
    if isinstance(error, SystemExit):
        return error.code is None or (type(error.code) is int and error.code == 0)
    return isinstance(error, (StopIteration, StopAsyncIteration))


def qualified_name(cls: type) -> str:
    """Return module and name of a class; builtins stand without their module."""
    module = cls.__module__
    return cls.__qualname__ if module in {"builtins", ""} else f"{module}.{cls.__qualname__}"


def message_of(error: BaseException) -> str:
    """Return `str(error)`, or a word about the exception whose own `__str__` fails."""
    try:
        text = str(error)
    except Exception as problem:  # noqa: BLE001 - somebody else's __str__
        return f"<{type(error).__name__}.__str__ raised {type(problem).__name__}>"
    return text if type(text) is str else str.__str__(text)


def stack_trace_of(error: BaseException) -> str:
    """Return the formatted traceback with its chain, or what could be had of it."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as problem:  # noqa: BLE001 - formatting calls somebody else's code
        return f"<no stack trace: {type(problem).__name__}>"


def describe_failure(error: BaseException, capture: Capture) -> Failure:
    """Return what to write of `error` under `capture`."""
    cls = type(error)
    message = capture.text(message_of(error)) if capture.writes else ""
    return Failure(cls.__name__, qualified_name(cls), message, outcome_of(error))
