"""Processes as the kernel knows them: a pid together with its start time names one process and no later one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_PARENT, _STARTED = 1, 19  # fields of /proc/<pid>/stat, counted from behind the command's name
_LINUX = sys.platform == "linux"


class Process(NamedTuple):
    """One process.

    Attributes:
        pid: its id.
        started: when it started: clock ticks since boot on Linux, else seconds since the epoch.
    """

    pid: int
    started: float


class Look(NamedTuple):
    """What one look at a process shows.

    Attributes:
        process: the process.
        parent: the pid of its parent now; 0 for none.
    """

    process: Process
    parent: int


def look(pid: int) -> Look | None:
    """Return what can be seen of a process, or None if it is gone, hidden, or of another namespace (pid 0)."""
    if pid <= 0:
        return None
    return _look_at_proc(pid) if _LINUX else _look_by_psutil(pid)


def look_at_all() -> list[Look]:
    """Return what can be seen of every process, in no order."""
    if _LINUX:
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    else:
        import psutil

        pids = psutil.pids()
    return [seen for pid in pids if (seen := look(pid)) is not None]


def _look_at_proc(pid: int) -> Look | None:
    # Read here, not by psutil, which takes ten times as long: a client may connect for every envelope.
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - on the way of every connection
            stat = file.read(4096)
    except OSError:
        return None
    fields = stat[stat.rfind(b")") + 2 :].split()  # a command's name may contain anything
    if len(fields) <= _STARTED:
        return None
    return Look(Process(pid, int(fields[_STARTED])), int(fields[_PARENT]))


def _look_by_psutil(pid: int) -> Look | None:
    import psutil

    try:
        seen = psutil.Process(pid)
        with seen.oneshot():
            return Look(Process(pid, seen.create_time()), seen.ppid() or 0)
    except psutil.Error:
        return None
