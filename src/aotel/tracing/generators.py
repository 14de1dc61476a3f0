"""A span around each run of a generator: from the first step to the end, and current only while the body runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from aotel.calls.call import Call, CallSite
from aotel.calls.port import PORT
from aotel.calls.scope import detach
from aotel.tracing.functions import named_after
from aotel.tracing.local_variables import watch_call, watched_awaitable, watched_step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from opentelemetry.context import Context

    from aotel.content.local_variables import Watch


def trace_generator_function(fn: Callable[..., Any], site: CallSite) -> Callable[..., Any]:
    """Return `fn` so that each generator it makes runs in a span, child of what was current at its creation."""

    def traced(*args: Any, **kwargs: Any) -> Any:
        if not PORT.enabled:
            return fn(*args, **kwargs)
        call = Call(site, args, kwargs)
        generator = fn(*args, **kwargs)
        watch = watch_call(call, fn, in_steps=True)
        return named_after(generator, _drive(generator, call, watch, otel_context.get_current()))

    return traced


def trace_async_generator_function(fn: Callable[..., Any], site: CallSite) -> Callable[..., Any]:
    """Return `fn` so that each async generator it makes runs in a span, child of what was current at its creation."""

    def traced(*args: Any, **kwargs: Any) -> Any:
        if not PORT.enabled:
            return fn(*args, **kwargs)
        call = Call(site, args, kwargs)
        generator = fn(*args, **kwargs)
        watch = watch_call(call, fn, in_steps=True)
        return named_after(generator, _drive_async(generator, call, watch, otel_context.get_current()))

    return traced


def _drive(
    generator: Generator[Any, Any, Any], call: Call, watch: Watch | None, parent: Context
) -> Generator[Any, Any, Any]:
    context = call.start(parent)
    step: Callable[[Any], Any] = generator.send
    argument: Any = None
    yields = 0
    closing = False
    try:
        while True:
            token = otel_context.attach(context)
            try:
                item = step(argument) if watch is None else watched_step(call, watch, step, argument)
            finally:
                detach(token)
                argument = None  # an exception that was thrown in would hold this frame, which would hold it
            yields += 1
            if closing:  # it yields where it should end: whatever it does from here on, the consumer has gone
                call.fail(GeneratorExit())
            try:
                argument = yield item
            except BaseException as error:  # noqa: BLE001 - thrown in or closed: the body's to handle
                closing = isinstance(error, GeneratorExit)
                step, argument = generator.throw, _as_thrown(error)
            else:
                step = generator.send
    except StopIteration as stop:
        call.succeed({"yields": yields, "return": stop.value})
        return stop.value
    except BaseException as error:
        call.set_output({"yields": yields})
        call.fail(error)
        raise


def _as_thrown(error: BaseException) -> BaseException:
    # Without the frame that caught it here: its traceback is to end where the body was.
    caught = error.__traceback__
    return error.with_traceback(None if caught is None else caught.tb_next)


async def _drive_async(
    generator: AsyncGenerator[Any, Any], call: Call, watch: Watch | None, parent: Context
) -> AsyncGenerator[Any, Any]:
    context = call.start(parent)
    step: Callable[[Any], Any] = generator.asend
    argument: Any = None
    pending: Any = _first_step(generator)
    yields = 0
    closing = False
    try:
        while True:
            token = otel_context.attach(context)
            try:
                item = await (pending if watch is None else watched_awaitable(call, watch, pending))
            finally:
                detach(token)
                pending = argument = None  # an exception that was thrown in would hold this frame, which would hold it
            yields += 1
            if closing:  # it yields where it should end: whatever it does from here on, the consumer has gone
                call.fail(GeneratorExit())
            try:
                argument = yield item
            except BaseException as error:  # noqa: BLE001 - thrown in or closed: the body's to handle
                closing = isinstance(error, GeneratorExit)
                step, argument = generator.athrow, _as_thrown(error)
            else:
                step = generator.asend
            pending = step(argument)
    except StopAsyncIteration:
        call.succeed({"yields": yields})
    except BaseException as error:
        call.set_output({"yields": yields})
        call.fail(error)
        raise


def _first_step(generator: AsyncGenerator[Any, Any]) -> Any:
    # The event loop follows the driver, which closes the body: following both, it would close the body twice at once.
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
