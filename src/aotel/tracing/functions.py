"""A span around each call of a plain or async function."""

from __future__ import annotations

import functools
import weakref
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

from aotel.calls.call import Call, CallSite
from aotel.calls.port import PORT
from aotel.calls.scope import detach
from aotel.tracing.local_variables import watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from opentelemetry.context import Context

R = TypeVar("R")

# The commonest results, told apart from awaitables by one look at their type.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, list, dict, tuple, set, frozenset})


def trace_function(fn: Callable[..., R], site: CallSite) -> Callable[..., R]:
    """Return `fn` with a span around each call; what it returns is the same object, awaited or not."""

    @functools.wraps(fn)
    def traced(*args: Any, **kwargs: Any) -> R:
        if not PORT.enabled:
            return fn(*args, **kwargs)
        call = Call(site, args, kwargs)
        context = call.start()
        token = otel_context.attach(context)
        try:
            result = fn(*args, **kwargs) if call.local_capture is None else watched(call, fn)(*args, **kwargs)
        except BaseException as error:
            detach(token)
            call.fail(error)
            raise
        detach(token)
        if type(result) not in _PLAIN and is_pending(result):
            return finish_later(call, context, result)
        call.succeed(result)
        return result

    return traced


def trace_coroutine_function(fn: Callable[..., Awaitable[R]], site: CallSite) -> Callable[..., Coroutine[Any, Any, R]]:
    """Return the async function `fn` with a span around each call, from its first step to its end."""

    @functools.wraps(fn)
    async def traced(*args: Any, **kwargs: Any) -> R:
        if not PORT.enabled:
            return await fn(*args, **kwargs)
        call = Call(site, args, kwargs)
        token = otel_context.attach(call.start())
        try:
            result = await (fn(*args, **kwargs) if call.local_capture is None else watched(call, fn)(*args, **kwargs))
        except BaseException as error:
            detach(token)
            call.fail(error)
            raise
        detach(token)
        call.succeed(result)
        return result

    return traced


def is_pending(result: object) -> bool:
    """Say whether a plain function returned something that has yet to happen: a coroutine, a Future or a Task."""
    cls = type(result)
    return cls is CoroutineType or hasattr(cls, "_asyncio_future_blocking")


def finish_later(call: Call, context: Context, pending: Any) -> Any:
    """Return `pending`, with the span of `call` ending when it does.

    A coroutine comes back wrapped; a Future or Task is the same object and ends the span by its callback.
    """
    if type(pending) is not CoroutineType:
        pending.add_done_callback(functools.partial(_finish_with_future, call))
        return pending
    coroutine = _finish_with_coroutine(call, context, pending)
    coroutine.__name__, coroutine.__qualname__ = pending.__name__, pending.__qualname__
    # A coroutine that nobody awaits never runs a step, so only its end of life can end the span.
    weakref.finalize(coroutine, _abandon, call).atexit = False
    return coroutine


async def _finish_with_coroutine(call: Call, context: Context, pending: Awaitable[R]) -> R:
    token = otel_context.attach(context)
    try:
        result = await pending
    except BaseException as error:
        detach(token)
        call.fail(error)
        raise
    detach(token)
    call.succeed(result)
    return result


def _abandon(call: Call) -> None:
    if not call.ended:
        call.fail(GeneratorExit())


def _finish_with_future(call: Call, future: Any) -> None:
    try:
        result = future.result()
    except BaseException as error:  # noqa: BLE001 - whatever the future holds is its owner's to raise
        call.fail(error)
    else:
        call.succeed(result)
