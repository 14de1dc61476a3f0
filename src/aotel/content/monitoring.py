"""Watching a function by `sys.monitoring`, for events of its code alone: Python 3.12 and later."""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

from aotel.content.local_variables import Watch, calling_frame

if TYPE_CHECKING:
    from types import CodeType

    from aotel.content.capture import Capture

_NAME: Final = "aotel"
_FREE_IDS: Final = (4, 3)  # those that Python reserves for no kind of tool
_monitoring: Any = getattr(sys, "monitoring", None)


class _Active(threading.local):
    """The watches that are active on this thread, the innermost last."""

    def __init__(self) -> None:
        self.watches: list[MonitorWatch] = []


class _Tool:
    """Our registration with `sys.monitoring`.

    Attributes:
        id: the tool id that we hold, if any.
        codes: the code that has events set, by id.
    """

    id: ClassVar[int | None] = None
    codes: ClassVar[dict[int, weakref.ref[CodeType]]] = {}


_active = _Active()
_lock = threading.Lock()


class MonitorWatch(Watch):
    """Watches by the return event of one code object."""

    __slots__ = ()

    def activate(self) -> None:
        """Begin to watch this thread."""
        self._anchor = calling_frame()
        _active.watches.append(self)

    def deactivate(self) -> None:
        """Cease to watch."""
        self._anchor = None
        watches = _active.watches
        if watches and watches[-1] is self:
            watches.pop()
        elif self in watches:
            watches.remove(self)


def monitor(code: CodeType, capture: Capture) -> MonitorWatch | None:
    """Return a watch for one call of a function, or None if other tools hold all the ids there are."""
    tool = _claim()
    if tool is None:
        return None
    known = _Tool.codes.get(id(code))
    if known is None or known() is not code:
        with _lock:
            _monitoring.set_local_events(tool, code, _monitoring.events.PY_RETURN)
            _Tool.codes[id(code)] = weakref.ref(code, functools.partial(_forget, _Tool.codes, id(code)))
    return MonitorWatch(code, capture)


def release() -> None:
    """Take all events off and give the tool id back; the next watch claims one again."""
    with _lock:
        if _Tool.id is None or _monitoring.get_tool(_Tool.id) != _NAME:
            return
        for reference in list(_Tool.codes.values()):
            code = reference()
            if code is not None:
                _monitoring.set_local_events(_Tool.id, code, 0)
        _Tool.codes.clear()
        _monitoring.register_callback(_Tool.id, _monitoring.events.PY_RETURN, None)
        _monitoring.free_tool_id(_Tool.id)
        _Tool.id = None


def _claim() -> int | None:
    """Return the tool id that we hold, or get one."""
    if _Tool.id is not None and _monitoring.get_tool(_Tool.id) == _NAME:
        return _Tool.id
    with _lock:
        if _Tool.id is not None and _monitoring.get_tool(_Tool.id) == _NAME:  # another thread was quicker
            return _Tool.id
        _Tool.codes.clear()
        _Tool.id = None
        for free in _FREE_IDS:
            if _monitoring.get_tool(free) is None:
                _monitoring.use_tool_id(free, _NAME)
                _monitoring.register_callback(free, _monitoring.events.PY_RETURN, _on_return)
                _Tool.id = free
                break
    return _Tool.id


def _forget(codes: dict[int, weakref.ref[CodeType]], key: int, reference: weakref.ref[CodeType]) -> None:
    # Without globals: these may be gone when the interpreter ends.
    if codes.get(key) is reference:
        del codes[key]


def _on_return(code: CodeType, offset: int, value: object) -> None:
    del offset, value
    watches = _active.watches
    if watches and watches[-1].code is code:
        watches[-1].take(calling_frame())
