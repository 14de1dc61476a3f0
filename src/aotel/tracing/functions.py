"""A span around each call of a plain or async function."""

from __future__ import annotations

import functools
from concurrent.futures import CancelledError
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

from aotel.calls.call import Call, CallSite
from aotel.calls.port import PORT
from aotel.calls.scope import detach
from aotel.tracing.local_variables import watch_call, watched, watched_awaitable

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
            later: R = finish_later(call, context, result)
            return later
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
            pending = fn(*args, **kwargs)
            watch = None if call.local_capture is None else watch_call(call, fn, in_steps=True)
            result = await (pending if watch is None else watched_awaitable(call, watch, pending))
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
    return cls is CoroutineType or (hasattr(cls, "_asyncio_future_blocking") and hasattr(cls, "add_done_callback"))


def finish_later(call: Call, context: Context, pending: Any) -> Any:
    """Return `pending`, with the span of `call` ending when it does.

    A coroutine comes back wrapped; a Future or Task is the same object and ends the span by its callback.
    """
    if type(pending) is not CoroutineType:
        _follow_future(call, pending)
        return pending
    return named_after(pending, _finish_with_coroutine(context, _Unawaited(call, pending)))


def _follow_future(call: Call, pending: Any) -> None:
    try:
        if pending.done():
            _finish_with_future(call, pending)
        else:
            pending.add_done_callback(functools.partial(_finish_with_future, call))
    except Exception as error:  # noqa: BLE001 - a loop that is closed, or another thread's
        PORT.report("following a future", error)
        call.succeed()


def named_after(original: Any, driver: Any) -> Any:
    """Return `driver` with the name of the generator or coroutine that it drives."""
    driver.__name__, driver.__qualname__ = original.__name__, original.__qualname__
    return driver


class _Unawaited:
    """A coroutine that was returned and not awaited yet: where it never is, only its end of life can end the span."""

    __slots__ = ("_call", "_pending")

    def __init__(self, call: Call, pending: Awaitable[Any]) -> None:
        self._call = call
        self._pending: Any = pending

    def begin(self) -> tuple[Call, Awaitable[Any]]:
        """Hand over: from its first step on the coroutine ends the span itself."""
        pending, self._pending = self._pending, None
        return self._call, pending

    def __del__(self) -> None:
        if self._pending is not None:
            self._pending.close()
            self._call.fail(GeneratorExit())


async def _finish_with_coroutine(context: Context, unawaited: _Unawaited) -> Any:
    call, pending = unawaited.begin()
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


def _finish_with_future(call: Call, future: Any) -> None:
    if future.cancelled():
        call.fail(CancelledError())
        return
    # Not by `result()`: that hands out the traceback once, and counts as if the owner had seen the exception.
    error = getattr(future, "_exception", None)
    if error is None:
        error = future.exception()
    if error is None:
        call.succeed(future.result())
    else:
        call.fail(error)
