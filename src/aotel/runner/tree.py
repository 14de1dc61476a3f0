"""The processes that a child has brought about, also those that have left it, and how to end them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37
_ROUNDS: Final = 100
_PAUSE: Final = 0.02  # seconds between two rounds: what is killed needs a moment to be gone

_GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


class Tree:
    """All descendants of this process but those it had before: made before the child starts.

    On Linux orphans come back to us (`PR_SET_CHILD_SUBREAPER`), so that a daemon does not get away by its parent's end;
    elsewhere those that were seen once are remembered.
    """

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._foreign = {(process.pid, process.create_time()) for process in _children(self._own)}
        self._known: dict[int, psutil.Process] = {}
        self._lock = threading.Lock()
        self._was_reaper = _is_subreaper()
        self.adopts = _set_subreaper(on=True)

    def close(self) -> None:
        """Leave those that are left to themselves."""
        if self.adopts and not self._was_reaper:
            _set_subreaper(on=False)

    def processes(self) -> list[psutil.Process]:
        """Return those that run now, the child first if it does."""
        found: dict[int, psutil.Process] = {}
        roots = [each for each in _children(self._own) if (each.pid, _born(each)) not in self._foreign]
        with self._lock:
            # Where orphans don't come back, they are under nobody that we can see.
            roots += [] if self.adopts else list(self._known.values())
            for root in roots:
                for process in (root, *_children(root, recursive=True)):
                    if process.pid not in found and _runs(process):
                        found[process.pid] = process
            self._known = found
        return list(found.values())

    def includes(self, pid: int) -> bool:
        """Say whether a process is one of them, or was when they were last looked at."""
        with self._lock:
            if pid in self._known:
                return True
        try:
            process = psutil.Process(pid)
            line = [process, *process.parents()]
        except _GONE:
            return False
        if self._own not in line[1:]:
            return False
        root = line[line.index(self._own) - 1]
        return (root.pid, _born(root)) not in self._foreign

    def send(self, number: int) -> None:
        """Send a signal to all of them."""
        _send(self.processes(), number)

    def kill(self, sweep: Callable[[], None] | None = None) -> bool:
        """Kill all of them, also those that are born meanwhile; return whether none is left.

        Args:
            sweep: kills what it knows of, before each round.
        """
        for _ in range(_ROUNDS):
            if sweep is not None:
                sweep()
            processes = self.processes()
            if not processes:
                return True
            _send(processes, signal.SIGKILL)
            time.sleep(_PAUSE)
        return False

    def reap(self, but: int) -> None:
        """Take leave of orphans that came to us and have ended.

        Args:
            but: a child that somebody else waits for.
        """
        foreign = {pid for pid, _ in self._foreign}
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if found.si_pid == but or found.si_pid in foreign:
                    return
                os.waitpid(found.si_pid, os.WNOHANG)


def _send(processes: Iterable[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(*_GONE, OSError):
            process.send_signal(number)


def _children(process: psutil.Process, *, recursive: bool = False) -> list[psutil.Process]:
    try:
        return process.children(recursive=recursive)
    except _GONE:
        return []


def _born(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except _GONE:
        return 0.0


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except _GONE:
        return False


def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None, use_errno=True)
    except OSError:
        return None


def _is_subreaper() -> bool:
    libc = _libc()
    found = ctypes.c_int(0)
    return libc is not None and libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(found), 0, 0, 0) == 0 and bool(found)


def _set_subreaper(*, on: bool) -> bool:
    libc = _libc()
    return libc is not None and libc.prctl(_PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) == 0
