"""SIGTERM where the program leaves it to the system: what waits is sent, then the system's default ends the process.

Nobody else gets to see the handler. Servers look whether there is one, keep the former one to put it back, or call it
from their own; to all of them the disposition is what it would be without us: the default. uvicorn, for one, puts the
former one back when it has shut down, and raises the signal again.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any, Final

from aotel.calls.port import PORT
from aotel.distro.ending import ENDING
from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_PATCHES: Final = Patches("signal")
_NUMBER: Final = signal.SIGTERM
_INIT: Final = 1
# As they are without us; whoever imported them by name has these.
_set, _get = signal.signal, signal.getsignal


def watch_sigterm(*, wanted: bool) -> None:
    """Stand in for the default action of SIGTERM, now or when it is set again; or no longer.

    The process with the number 1 is left alone: for it, the system's default is that nothing happens.

    Args:
        wanted: whether `AOTEL_SIGTERM` asks for it.
    """
    if os.name != "posix":
        return
    if wanted and os.getpid() != _INIT:
        _PATCHES.wrap(signal, "signal", _signal)
        _PATCHES.wrap(signal, "getsignal", _getsignal)
        _PATCHES.active = True
        _replace(signal.SIG_DFL, _terminate)
    elif _PATCHES.active:
        _PATCHES.active = False
        _replace(_terminate, signal.SIG_DFL)


def _replace(former: object, handler: Any) -> None:
    try:
        if _get(_NUMBER) is former:
            _set(_NUMBER, handler)
    except ValueError:  # only the main thread of the main interpreter may
        return


def _terminate(number: int, _frame: FrameType | None) -> None:
    if _get(number) is not _terminate:
        # A handler that was set past us calls the former one: it is up to it what becomes of the process.
        return
    _set(number, signal.SIG_DFL)  # a second one ends the process at once
    if ENDING.is_under_way_here:
        ENDING.signal = number
        return
    try:
        ENDING.finish_elsewhere()
    except Exception as error:  # noqa: BLE001 - the process was told to end
        PORT.report("the flush at SIGTERM", error)
    finally:  # also where a handler of another signal has raised meanwhile
        os.kill(os.getpid(), number)


def _signal(set_handler: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    number, handler = _arguments(*args, **kwargs)
    if number == _NUMBER and _is_default(handler) and os.getpid() != _INIT and _in_main_thread():
        args, kwargs = (number, _terminate), {}
    former = set_handler(*args, **kwargs)
    return signal.SIG_DFL if former is _terminate else former


def _getsignal(get_handler: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handler = get_handler(*args, **kwargs)
    return signal.SIG_DFL if handler is _terminate else handler


def _arguments(signalnum: object = None, handler: object = None, *_: object, **__: object) -> tuple[object, object]:
    return signalnum, handler


def _is_default(handler: object) -> bool:
    return isinstance(handler, int) and handler == signal.SIG_DFL


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
