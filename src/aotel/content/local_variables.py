"""Local variables of a function at its return: watched by `sys.monitoring`, or by a profile hook on older Pythons."""

from __future__ import annotations

import sys
from inspect import currentframe
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from aotel.content.capture import Capture
    from aotel.content.modes import Tree

_GENERATOR_FLAGS: Final = 0x20 | 0x80 | 0x100 | 0x200  # generator, coroutine, iterable coroutine, async generator


class Watch:
    """Waits for one call of a function to return, and takes its local variables then.

    Args:
        code: the code of the function.
        capture: how the variables are written.

    Attributes:
        result: the variables by name; empty until the function has returned, and if it raised.
    """

    __slots__ = ("_anchor", "_capture", "_done", "code", "result")

    def __init__(self, code: CodeType, capture: Capture) -> None:
        self.code = code
        self.result: dict[str, Tree] = {}
        self._capture = capture
        self._anchor: FrameType | None = None
        self._done = False

    def activate(self) -> None:
        """Begin to watch this thread: right before the function, or a step of the generator, runs."""
        raise NotImplementedError

    def deactivate(self) -> None:
        """Cease to watch: right after the function, or the step, has run."""
        raise NotImplementedError

    def take(self, frame: FrameType | None) -> None:
        """Take the variables of a frame that is about to return, if it is the call that is watched; never raises."""
        try:
            if frame is not None and not self._done and self._is_outermost(frame):
                self._done = True
                self.result = self._capture.variables(self._shown(frame))
        except Exception:  # noqa: BLE001 - nothing of this is the watched function's business
            self.result = {}

    def _is_outermost(self, frame: FrameType) -> bool:
        """Say whether the frame was called from where the watch began, and not by recursion."""
        outer = frame.f_back
        while outer is not None and outer is not self._anchor:
            if outer.f_code is self.code:
                return False
            outer = outer.f_back
        return True

    def _shown(self, frame: FrameType) -> dict[str, object]:
        code, values, secret = frame.f_code, frame.f_locals, self._capture.is_secret_name
        names = dict.fromkeys((*code.co_varnames, *code.co_cellvars))
        return {
            name: values[name]
            for name in names
            if name in values and name.isidentifier() and name[0] != "_" and not secret(name)
        }


def calling_frame() -> FrameType | None:
    """Return the frame that called the function which asks."""
    here = currentframe()
    asking = here.f_back if here is not None else None
    return asking.f_back if asking is not None else None


def watch(code: CodeType, capture: Capture) -> Watch | None:
    """Return a watch for one call of a function, or None if there is no way to watch it.

    Args:
        code: the code of the function: before Python 3.12, or where other tools hold all the ids of
            `sys.monitoring`, that of a plain function only.
        capture: how the variables are written.
    """
    if sys.version_info >= (3, 12):
        from aotel.content.monitoring import monitor

        found = monitor(code, capture)
        if found is not None:
            return found
    if code.co_flags & _GENERATOR_FLAGS:
        return None
    from aotel.content.profile_hook import ProfileWatch

    return ProfileWatch(code, capture)
