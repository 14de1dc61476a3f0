"""Programs that are started, and children that are forked."""

from __future__ import annotations

import os
import sys
import time
from _thread import get_ident
from typing import TYPE_CHECKING, Any, Final

from aotel.audit import actions
from aotel.sensor import arguments, origin
from aotel.sensor.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.sensor.event import Fields, Note
    from aotel.sensor.hook import Handler

_EXEC_PATIENCE: Final = 0.5  # seconds that a process may take to tell what it has to before it becomes another program
_CALLER: Final = 2  # frames from a handler to whoever caused the event


class ProcessWatch:
    """What a program starts.

    Args:
        note: takes what happened.
        flush: tells all that was noted, within the seconds that it is given.
    """

    def __init__(self, note: Note, flush: Callable[[float], object]) -> None:
        self._note = note
        self._flush = flush
        self._forking: int | None = None

    def handlers(self) -> dict[str, Handler]:
        """Return what handles which event."""
        return {
            "subprocess.Popen": self._popen,
            "os.system": self._system,
            "os.exec": self._exec,
            "os.posix_spawn": self._posix_spawn,
            "os.fork": self._fork,
            "os.forkpty": self._fork,
        }

    def _popen(self, given: tuple[Any, ...]) -> None:
        self._started(arguments.command(given[1]), "subprocess.Popen")

    def _system(self, given: tuple[Any, ...]) -> None:
        self._started(arguments.command(given[0]), "os.system")

    def _posix_spawn(self, given: tuple[Any, ...]) -> None:
        subprocess = sys.modules.get("subprocess")
        caller = sys._getframe(_CALLER)  # noqa: SLF001 - the only way to tell who asks
        if subprocess is None or caller.f_globals is not subprocess.__dict__:  # else it was told as `Popen`
            self._started(arguments.command(given[1]), "os.posix_spawn")

    def _exec(self, given: tuple[Any, ...]) -> None:
        path = arguments.text(given[0])
        if path is not None and not os.path.exists(path):  # noqa: PTH110 - text
            return  # one of the directories of PATH in which it is not
        self._started(arguments.command(given[1]), "os.exec")
        if not origin.is_ours():
            self._flush(_EXEC_PATIENCE)

    def _fork(self, given: tuple[Any, ...]) -> None:  # noqa: ARG002 - the signature of handlers
        self._forking = get_ident()

    def forked(self, *, is_child: bool) -> None:
        """Note the end of a fork: that of `os.fork`, not one that `subprocess` makes, which has been told."""
        if is_child and self._forking == get_ident() and not origin.is_ours():
            self._tell((("ppid", os.getppid()), ("via", "os.fork")))
        self._forking = None

    def _started(self, command: tuple[str, ...], via: str) -> None:
        if not origin.is_ours():
            self._tell((("command", command), ("via", via)))

    def _tell(self, fields: Fields) -> None:
        self._note(Event(actions.PROCESS_START, fields, *origin.span_ids(), time.time_ns(), is_counted=False))
