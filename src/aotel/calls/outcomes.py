"""How an operation ended: which exceptions are errors, and what to write of them."""

from __future__ import annotations

import traceback
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from aotel.content import active, preview

if TYPE_CHECKING:
    from aotel.content import Capture

_LOGGED = 200  # characters of an error in our own log


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
    ("langgraph", "GraphDrained"): Outcome.PAUSED,
    ("langgraph", "NodeInterrupt"): Outcome.PAUSED,
}
# "Cancelled" alone is anybody's word.
_BY_NAME: dict[str, Outcome] = {cls: outcome for (_, cls), outcome in _OUTCOMES.items() if cls != "Cancelled"}

# Exceptions whose `__str__` is one of these print what they were given; these types are cheap to print.
_PRINT_ARGUMENTS = frozenset({BaseException.__str__, KeyError.__str__, OSError.__str__, ImportError.__str__})
_CHEAP = frozenset({str, float, bool, bytes, type(None)})
_SMALL_BITS = 4096
_MESSAGE_LENGTH = 4096
"""Characters of the message of an exception that can't be asked for all of it."""
_FRAMES = 100
"""Entries of a stack trace: the last ones, where it was raised."""


def outcome_of(error: BaseException) -> Outcome | None:
    """Return how the operation ended if `error` is no error of it: cancelled, interrupted, abandoned, paused."""
    for cls in type(error).__mro__:
        outcome = _OUTCOMES.get((str(cls.__module__).partition(".")[0], cls.__name__))
        if outcome is not None:
            return outcome
    return None


def outcome_named(name: str) -> Outcome | None:
    """Return the same for an exception of which only the name is known, with its module or without.

    Args:
        name: as `exception.type` has it (OpenTelemetry semantic conventions 1.37).
    """
    module, _, cls = name.rpartition(".")
    if module:
        return _OUTCOMES.get((module.partition(".")[0], cls))
    return _BY_NAME.get(cls)


def is_result(error: BaseException) -> bool:
    """Say whether an exception is a normal end: an exhausted iterator, or a program that exits with status 0."""
    if isinstance(error, SystemExit):
        return error.code is None or (isinstance(error.code, int) and error.code == 0)
    return isinstance(error, (StopIteration, StopAsyncIteration))


def qualified_name(cls: type) -> str:
    """Return module and name of a class; builtins stand without their module."""
    module = str(cls.__module__ or "")
    return cls.__qualname__ if module in {"builtins", ""} else f"{module}.{cls.__qualname__}"


def message_of(error: BaseException, capture: Capture) -> str:
    """Return what an exception says, clean under `capture`; of one that would print its arguments, a bounded part.

    Args:
        error: the exception; its own `__str__` may fail.
        capture: how content is written; it writes at all.
    """
    if not _is_brief(error):
        shown = capture.value(error.args[0] if len(error.args) == 1 else error.args)
        return shown if type(shown) is str else preview(shown, _MESSAGE_LENGTH)
    try:
        text = str(error)
    except BaseException as problem:  # noqa: BLE001 - somebody else's __str__, whose exit is not the program's
        return f"<{type(error).__name__}.__str__ raised {type(problem).__name__}>"
    return capture.text(text if type(text) is str else str.__str__(text))


def _is_brief(error: BaseException) -> bool:
    # Python's own `__str__` of an exception is the `repr` of whatever it was given: it may take minutes, or all memory.
    if type(error).__str__ not in _PRINT_ARGUMENTS:
        return True
    return all(type(argument) in _CHEAP or _is_small(argument) for argument in error.args)


def _is_small(argument: object) -> bool:
    return type(argument) is int and argument.bit_length() < _SMALL_BITS


def describe_error(error: BaseException) -> str:
    """Return type and message of an error for our own log, where a message may quote a program's content too."""
    capture = active().default
    message = message_of(error, capture)[:_LOGGED] if capture.writes else ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def stack_trace_of(error: BaseException, message: str) -> str:
    """Return the formatted traceback, with its chain where that can be printed, or what could be had of it.

    Args:
        error: the exception.
        message: what it says, for one that can't be asked.
    """
    try:
        if all(map(_is_brief, _chain(error))):
            return "".join(traceback.format_exception(type(error), error, error.__traceback__, -_FRAMES))
        frames = "".join(traceback.format_tb(error.__traceback__, -_FRAMES))
        return f"Traceback (most recent call last):\n{frames}{qualified_name(type(error))}: {message}\n"
    except BaseException as problem:  # noqa: BLE001 - formatting calls somebody else's code
        return f"<no stack trace: {type(problem).__name__}>"


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        latest = waiting.pop()
        if isinstance(latest, BaseException) and id(latest) not in seen:
            seen.add(id(latest))
            found.append(latest)
            waiting += (latest.__cause__, latest.__context__, *getattr(latest, "exceptions", ()))
    return found


def describe_failure(error: BaseException, capture: Capture) -> Failure:
    """Return what to write of `error` under `capture`."""
    cls = type(error)
    message = message_of(error, capture) if capture.writes else ""
    return Failure(cls.__name__, qualified_name(cls), message, outcome_of(error))
