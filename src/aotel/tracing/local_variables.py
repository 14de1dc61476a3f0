"""Local variables of a coated function, captured at its return: each step of its body is watched, and nothing else."""

from __future__ import annotations

import functools
from types import coroutine
from typing import TYPE_CHECKING, Any

# Now, and not at the first call: a fork must not meet a thread that imports them.
import aotel.content.monitoring  # pyright: ignore[reportUnusedImport]
import aotel.content.profile_hook  # noqa: F401  # pyright: ignore[reportUnusedImport]
from aotel.content.local_variables import watch
from aotel.tracing.callables import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aotel.calls import Call
    from aotel.content.local_variables import Watch


def watch_call(call: Call, fn: Callable[..., Any], *, in_steps: bool) -> Watch | None:
    """Return a watch for the body of a call, or None where its local variables are not asked for or can't be had.

    Args:
        call: says whether they are asked for.
        fn: what is called.
        in_steps: whether the body runs in steps: then the environment's switch, which is for plain functions, is not
            enough.
    """
    if call.local_capture is None or (in_steps and not call.site.auto_capture):
        return None
    code = code_of(fn)
    return None if code is None else watch(code, call.local_capture)


def watched(call: Call, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fn` so that `call` learns the local variables of a plain function when it returns."""
    watching = watch_call(call, fn, in_steps=False)
    return fn if watching is None else functools.partial(_run, call, watching, fn)


def _run(call: Call, watching: Watch, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    watching.activate()
    try:
        return fn(*args, **kwargs)
    finally:
        watching.deactivate()
        call.local_variables = watching.result


def watched_step(call: Call, watching: Watch, step: Callable[[Any], Any], argument: Any) -> Any:
    """Run one step of a generator's or coroutine's body, watched."""
    watching.activate()
    try:
        return step(argument)
    finally:
        watching.deactivate()
        call.local_variables = watching.result


@coroutine
def watched_awaitable(call: Call, watching: Watch, pending: Any) -> Generator[Any, Any, Any]:
    """Await `pending` so that each of its steps is watched, and nothing that runs between them."""
    body = pending.__await__()
    step: Callable[[Any], Any] = body.send
    argument: Any = None
    while True:
        try:
            item = watched_step(call, watching, step, argument)
        except StopIteration as stop:
            return stop.value
        try:
            argument = yield item
        except GeneratorExit:
            body.close()
            raise
        except BaseException as error:  # noqa: BLE001 - thrown in from outside: the body's to handle
            step, argument = body.throw, error
        else:
            step = body.send
