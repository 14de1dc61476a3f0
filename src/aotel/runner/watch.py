"""Watches what the command and all that it has started use, from outside, and ends them above the memory limit."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import psutil

from aotel.audit import actions
from aotel.runner.ending import MEMORY_LIMIT
from aotel.view.wording import size

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from aotel.runner.ending import Ending
    from aotel.runner.stage import Stage
    from aotel.runner.tree import Tree

_TOLD_EVERY: Final = 5.0  # seconds between entries of the log
_CHECKED_EVERY: Final = 0.25  # seconds between looks at the memory, where it has a limit
_GONE: Final = (psutil.Error, OSError)


class _Used(NamedTuple):
    """What one process has used since it began."""

    cpu: float
    read: int | None
    written: int | None


class Watch:
    """A thread that looks, as long as its block lasts.

    Args:
        stage: the run's parts.
        tree: whose use is watched.
        ending: ends them.
        pid: the command's own process.
    """

    def __init__(self, stage: Stage, tree: Tree, ending: Ending, pid: int) -> None:
        self._stage = stage
        self._tree = tree
        self._ending = ending
        self._pid = pid
        self._limit = stage.options.memory_limit
        self._used: dict[tuple[int, float], _Used] = {}
        self._before: tuple[float, float] | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="aotel-run-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._tell()

    def _work(self) -> None:
        pause = _TOLD_EVERY if self._limit is None else _CHECKED_EVERY
        told = time.monotonic()
        while not self._done.wait(pause):
            if self._limit is not None and self._is_over(self._limit):
                return
            if time.monotonic() - told >= _TOLD_EVERY:
                told = time.monotonic()
                self._tell()

    def _is_over(self, limit: int) -> bool:
        used = self._memory(self._tree.processes())
        if used <= limit:
            return False
        self._stage.told.memory_is_over(size(used), size(limit))
        self._ending.kill(MEMORY_LIMIT)
        return True

    def _memory(self, processes: list[psutil.Process]) -> int:
        return sum(filter(None, (_resident(process) for process in processes)))

    def _tell(self) -> None:
        """Write to the log what is used now; counters are totals since the start, of those that have ended too."""
        processes = self._tree.processes()
        for process in processes:
            found = _usage(process)
            if found is not None:
                self._used[found[0]] = found[1]
        if not processes:
            return
        cores = _cores()
        now, cpu = time.monotonic(), sum(used.cpu for used in self._used.values())
        percent = None
        if self._before is not None and now > self._before[0]:
            percent = round(max(cpu - self._before[1], 0.0) / (now - self._before[0]) / cores * 100, 1)
        self._before = now, cpu
        detail: dict[str, object] = {
            "pid": self._pid,
            "processes": len(processes),
            "cpu_percent": percent,
            "cpu_cores": cores,
            "memory_bytes": self._memory(processes) or None,
            "memory_limit_bytes": self._limit,
            "disk_read_bytes": _total([used.read for used in self._used.values()]),
            "disk_write_bytes": _total([used.written for used in self._used.values()]),
        }
        self._stage.record.add(actions.RESOURCE, detail)


def _usage(process: psutil.Process) -> tuple[tuple[int, float], _Used] | None:
    try:
        with process.oneshot():
            times = process.cpu_times()
            key = process.pid, process.create_time()
            read, written = _disk(process)
    except _GONE:
        return None
    return key, _Used(times.user + times.system, read, written)


def _disk(process: psutil.Process) -> tuple[int | None, int | None]:
    try:
        counters = process.io_counters()  # not everywhere, and not of everybody's processes
    except (AttributeError, *_GONE):
        return None, None
    return counters.read_bytes, counters.write_bytes


def _resident(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss)
    except _GONE:
        return None


def _total(amounts: list[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
