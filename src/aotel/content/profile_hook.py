"""Watching a function by a profile hook, where Python has no `sys.monitoring`."""

from __future__ import annotations

import sys
from opcode import opmap
from typing import TYPE_CHECKING, Any, Final

from aotel.content.local_variables import Watch, calling_frame

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from aotel.content.capture import Capture

_RETURNS: Final = frozenset({opmap["RETURN_VALUE"], opmap.get("RETURN_CONST", -1)})


class ProfileWatch(Watch):
    """Watches by a profile hook on the thread that runs the function; one that is there already is called on.

    Where a profiler written in C is at work there is nothing to call on, and nothing is watched.
    """

    __slots__ = ("_active", "_hook", "_previous")

    def __init__(self, code: CodeType, capture: Capture) -> None:
        super().__init__(code, capture)
        self._active = False
        self._previous: Any = None  # a hook, or none
        self._hook = self._on_event

    def activate(self) -> None:
        """Set the hook on this thread."""
        previous: Any = sys.getprofile()
        if previous is not None and not callable(previous):
            return
        self._previous = previous
        self._anchor = calling_frame()
        self._active = True
        sys.setprofile(self._hook)

    def deactivate(self) -> None:
        """Set the hook that was there before."""
        if not self._active:
            return
        self._active = False
        self._anchor = None
        # Where the function has set a hook of its own, or none, that is how it wants it.
        if sys.getprofile() is self._hook:
            sys.setprofile(self._previous)

    def _on_event(self, frame: FrameType, event: str, arg: Any) -> None:
        # Somebody may have kept this hook: then it only passes on what it hears.
        if self._previous is not None:
            self._previous(frame, event, arg)
        if self._active and event == "return" and frame.f_code is self.code and (arg is not None or _returns(frame)):
            self.take(frame)


def _returns(frame: FrameType) -> bool:
    """Say whether a frame ends by returning: an exception that leaves it counts as the return of None to profilers."""
    return frame.f_code.co_code[frame.f_lasti] in _RETURNS
