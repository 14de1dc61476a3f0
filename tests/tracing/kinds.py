"""The table of kinds of callables: the twin, the coated one, and how each is called."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.tracing.callables import (
    ASYNC_PARTIAL,
    ASYNC_WORKER,
    COATED,
    COATED_ASYNC_BOUND_METHOD,
    COATED_ASYNC_PARTIAL,
    COATED_ASYNC_WORKER,
    COATED_BOUND_METHOD,
    COATED_BUILTIN,
    COATED_EXISTING,
    COATED_EXISTING_ASYNC,
    COATED_GENERATOR_BOUND_METHOD,
    COATED_GENERATOR_PARTIAL,
    COATED_PARTIAL,
    COATED_WORKER,
    GENERATOR_PARTIAL,
    PARTIAL,
    PLAIN,
    WORKER,
    Coated,
    CoatedClass,
    Plain,
    PlainClass,
    coated_async,
    coated_async_generator,
    coated_cached,
    coated_generator,
    coated_plain,
    coated_returning_coroutine,
    coated_returning_future,
    coated_returning_task,
    plain,
    plain_async,
    plain_async_generator,
    plain_cached,
    plain_generator,
    plain_returning_coroutine,
    plain_returning_future,
    plain_returning_task,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Action = Any


def one(action: Action) -> tuple[Any, ...]:
    """Return the arguments of most callables here."""
    return (action,)


def of_reduce(action: Action) -> tuple[Any, ...]:
    """Return arguments that make `functools.reduce` call `action` once and hand its result back."""
    return (lambda _first, _second: action(), (1, 2))


class Kind(NamedTuple):
    """A kind of callable: the twin, the coated one, how to call it, and the name of its span."""

    id: str
    twin: Callable[..., Any]
    coated: Callable[..., Any]
    span: str
    flow: str = "call"
    """What calling it makes: a result ("call"), an awaitable, a generator, an async generator, an instance."""
    arguments: Callable[[Action], tuple[Any, ...]] = one


KINDS = [
    Kind("function", plain, coated_plain, "coated_plain"),
    Kind("async function", plain_async, coated_async, "coated_async", "await"),
    Kind("generator", plain_generator, coated_generator, "coated_generator", "generate"),
    Kind("async generator", plain_async_generator, coated_async_generator, "coated_async_generator", "async generate"),
    Kind("method", PLAIN.method, COATED.method, "Coated.method"),
    Kind("async method", PLAIN.async_method, COATED.async_method, "Coated.async_method", "await"),
    Kind("generator method", PLAIN.generator_method, COATED.generator_method, "Coated.generator_method", "generate"),
    Kind(
        "async generator method",
        PLAIN.async_generator_method,
        COATED.async_generator_method,
        "Coated.async_generator_method",
        "async generate",
    ),
    Kind("coat over classmethod", Plain.class_method, Coated.class_method, "Coated.class_method"),
    Kind("classmethod over coat", Plain.inner_class_method, Coated.inner_class_method, "Coated.inner_class_method"),
    Kind(
        "async classmethod", Plain.async_class_method, Coated.async_class_method, "Coated.async_class_method", "await"
    ),
    Kind("coat over staticmethod", Plain.static_method, Coated.static_method, "Coated.static_method"),
    Kind("staticmethod over coat", Plain.inner_static_method, Coated.inner_static_method, "Coated.inner_static_method"),
    Kind("static generator", Plain.static_generator, Coated.static_generator, "Coated.static_generator", "generate"),
    Kind("partial", PARTIAL, COATED_PARTIAL, "two"),
    Kind("async partial", ASYNC_PARTIAL, COATED_ASYNC_PARTIAL, "two_async", "await"),
    Kind("generator partial", GENERATOR_PARTIAL, COATED_GENERATOR_PARTIAL, "two_generator", "generate"),
    Kind("builtin", functools.reduce, COATED_BUILTIN, "reduce", arguments=of_reduce),
    Kind("callable object", WORKER, COATED_WORKER, "Worker"),
    Kind("async callable object", ASYNC_WORKER, COATED_ASYNC_WORKER, "AsyncWorker", "await"),
    Kind("class", PlainClass, CoatedClass, "CoatedClass", "construct"),
    Kind(
        "returns a coroutine",
        plain_returning_coroutine,
        coated_returning_coroutine,
        "coated_returning_coroutine",
        "await",
    ),
    Kind("returns a task", plain_returning_task, coated_returning_task, "coated_returning_task", "await"),
    Kind("returns a future", plain_returning_future, coated_returning_future, "coated_returning_future", "await"),
    Kind("cached function", plain_cached, coated_cached, "coated_cached"),
    Kind("bound method", PLAIN.method, COATED_BOUND_METHOD, "Plain.method"),
    Kind("async bound method", PLAIN.async_method, COATED_ASYNC_BOUND_METHOD, "Plain.async_method", "await"),
    Kind(
        "generator bound method",
        PLAIN.generator_method,
        COATED_GENERATOR_BOUND_METHOD,
        "Plain.generator_method",
        "generate",
    ),
    Kind("existing function", plain, COATED_EXISTING, "plain"),
    Kind("existing async function", plain_async, COATED_EXISTING_ASYNC, "plain_async", "await"),
]


def run(kind: Kind, fn: Callable[..., Any], action: Action) -> Any:
    """Call `fn` as its kind is called, to its end, and return what `action` came to in it."""
    arguments = kind.arguments(action)
    if kind.flow == "call":
        return fn(*arguments)
    if kind.flow == "construct":
        return fn(*arguments).came_of_it
    if kind.flow == "generate":
        (found,) = fn(*arguments)
        return found
    return asyncio.run(run_async(kind, fn, action))


async def run_async(kind: Kind, fn: Callable[..., Any], action: Action) -> Any:
    """Do as `run` does where an event loop runs already."""
    arguments = kind.arguments(action)
    if kind.flow == "await":
        return await fn(*arguments)
    if kind.flow == "async generate":
        (found,) = [item async for item in fn(*arguments)]
        return found
    return run(kind, fn, action)
