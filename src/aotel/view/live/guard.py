"""Gives the terminal back when the process ends in other ways than by closing its view."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import weakref
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from types import FrameType


class Holder(Protocol):
    """What holds a terminal."""

    def let_go(self) -> None:
        """Give it back for good, from wherever this is called: a signal handler, or the very end."""

    def suspend(self) -> None:
        """Give it back for now."""

    def resume(self) -> None:
        """Take it again."""


_ENDING: Final = ("SIGTERM", "SIGHUP", "SIGQUIT")
"""What ends a process without its exit functions; Ctrl-C is an exception, and reaches them."""

_holders: weakref.WeakSet[Holder] = weakref.WeakSet()
_pid = 0


def watch(holder: Holder) -> None:
    """Have a holder let go at exit; and, where nobody else has asked for them, at signals."""
    global _pid
    _holders.add(holder)
    if _pid != os.getpid():
        _pid = os.getpid()
        atexit.register(_let_go)
    _set_handlers()


def forget(holder: Holder) -> None:
    """Leave a holder alone, which has let go itself."""
    _holders.discard(holder)
    if not _holders:
        _unset_handlers()


def _let_go() -> None:
    if _pid != os.getpid():  # a forked child: the terminal is its parent's
        return
    for holder in list(_holders):
        with contextlib.suppress(Exception):
            holder.let_go()


def _set_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _ENDING:
        _replace(name, signal.SIG_DFL, _ended)
    _replace("SIGTSTP", signal.SIG_DFL, _stopped)


def _unset_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # they do what would have been done without them, as long as there is nothing to let go
    for name in _ENDING:
        _replace(name, _ended, signal.SIG_DFL)
    _replace("SIGTSTP", _stopped, signal.SIG_DFL)


def _replace(name: str, former: object, handler: object) -> None:
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) is former:
        with contextlib.suppress(OSError, ValueError):  # not the main interpreter
            signal.signal(number, handler)  # type: ignore[arg-type]


def _ended(number: int, _frame: FrameType | None) -> None:
    """Let go, then end as the signal would have ended the process."""
    _let_go()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _stopped(number: int, _frame: FrameType | None) -> None:
    """Let go, stop, and go on when the process is continued."""
    holders = list(_holders) if _pid == os.getpid() else []
    for holder in holders:
        holder.suspend()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # Continued.
    signal.signal(number, _stopped)
    for holder in holders:
        holder.resume()
