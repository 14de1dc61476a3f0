"""Generators whose bodies follow a script, and consumers that follow another; what happens is written down."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

MOVES = ("yield", "yield", "yield", "return", "raise")
REACTIONS = ("propagate", "swallow", "replace", "return", "yield again")

Body = list[tuple[str, str, bool]]
"""Steps of a body: what it does, what it does where an exception is thrown in, and whether it waits in between."""
Consumer = list[tuple[str, int]]

bodies: st.SearchStrategy[Body] = st.lists(
    st.tuples(st.sampled_from(MOVES), st.sampled_from(REACTIONS), st.booleans()), max_size=5
)
consumers: st.SearchStrategy[Consumer] = st.lists(
    st.tuples(st.sampled_from(("next", "next", "send", "throw", "close")), st.integers(0, 9)), min_size=1, max_size=7
)


class Thrown(Exception):
    """Thrown in by a consumer."""


class Raised(Exception):
    """Raised by a body."""


def _reaction(error: BaseException, reaction: str) -> str:
    if isinstance(error, GeneratorExit) and reaction in {"swallow", "yield again"}:
        return "propagate"  # a body that goes on after close() is tested by itself
    return reaction


def generator(body: Body, log: list[object]) -> Generator[object, object, object]:
    """Follow a script."""
    for number, (move, reaction, _) in enumerate(body):
        if move == "return":
            return f"returned {number}"
        if move == "raise":
            raise Raised(number)
        try:
            log.append((yield number))
        except BaseException as error:
            log.append(type(error).__name__)
            chosen = _reaction(error, reaction)
            if chosen == "propagate":
                raise
            if chosen == "replace":
                raise Raised(number) from error
            if chosen == "return":
                return f"returned after {number}"
            if chosen == "yield again":
                yield f"again {number}"
        finally:
            log.append(f"left {number}")
    return None


async def async_generator(body: Body, log: list[object]) -> AsyncGenerator[object, object]:
    """Follow a script, with pauses."""
    for number, (move, reaction, waits) in enumerate(body):
        if waits:
            await asyncio.sleep(0)
        if move == "return":
            return
        if move == "raise":
            raise Raised(number)
        try:
            log.append((yield number))
        except BaseException as error:
            log.append(type(error).__name__)
            if waits:
                await asyncio.sleep(0)
            chosen = _reaction(error, reaction)
            if chosen == "propagate":
                raise
            if chosen == "replace":
                raise Raised(number) from error
            if chosen == "return":
                return
            if chosen == "yield again":
                yield f"again {number}"
        finally:
            log.append(f"left {number}")


def consume(make: Callable[[Body, list[object]], Any], body: Body, consumer: Consumer) -> list[object]:
    """Drive a generator and return what body and consumer saw."""
    log: list[object] = []
    subject = make(body, log)
    for how, value in consumer:
        try:
            log.append(("got", _step(subject, how, value)))
        except BaseException as error:  # noqa: BLE001 - of every kind
            log.append(_seen(error))
    with contextlib.suppress(Raised):
        subject.close()
    return log


async def consume_async(make: Callable[[Body, list[object]], Any], body: Body, consumer: Consumer) -> list[object]:
    """Drive an async generator and return what body and consumer saw."""
    log: list[object] = []
    subject = make(body, log)
    for how, value in consumer:
        try:
            log.append(("got", await _async_step(subject, how, value)))
        except BaseException as error:  # noqa: BLE001 - of every kind
            log.append(_seen(error))
    with contextlib.suppress(Raised):
        await subject.aclose()
    return log


def _step(subject: Any, how: str, value: int) -> object:
    if how == "next":
        return next(subject)
    if how == "send":
        return subject.send(value)
    if how == "throw":
        return subject.throw(Thrown(value))
    return subject.close()


def _async_step(subject: Any, how: str, value: int) -> Any:
    if how == "next":
        return subject.__anext__()
    if how == "send":
        return subject.asend(value)
    if how == "throw":
        return subject.athrow(Thrown(value))
    return subject.aclose()


def _seen(error: BaseException) -> tuple[object, ...]:
    cause, context = error.__cause__, error.__context__
    return ("raised", type(error).__name__, str(error), type(cause).__name__, type(context).__name__)
