"""What a tree of processes uses, seen from outside: processor, memory, disk, network."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

import psutil

from aotel.sensor.cgroups import PROC, Cgroup, OomWatch
from aotel.sensor.sample import Sample
from aotel.sensor.totals import Total
from aotel.sensor.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aotel.sensor.totals import Key

__all__ = ["INTERVAL", "ResourceWatch", "Sample"]

INTERVAL: Final = 5.0
"""Seconds between two samples that are told; memory may be looked at more often."""

_GONE: Final = (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError)
_DENIED: Final = (psutil.AccessDenied, PermissionError)


class ResourceWatch:
    """Watches a tree of processes, from its making on; to be used by one thread at a time.

    Args:
        root_pid: the process that the tree grows from.
        processes: returns the processes of the tree instead, whoever knows them better: one that loses its parent is
            no longer below the root. By default, those that were seen once are remembered.
        memory_limit: bytes of memory that they may have together, if a limit is kept.
        disk_path: a path on the disk whose filling is to be told.
    """

    def __init__(
        self,
        root_pid: int,
        *,
        processes: Callable[[], Iterable[psutil.Process]] | None = None,
        memory_limit: int | None = None,
        disk_path: str | os.PathLike[str] | None = None,
    ) -> None:
        self._root_pid = root_pid
        self._processes = _Tree(root_pid).processes if processes is None else processes
        self._memory_limit = memory_limit
        self._disk_path = disk_path
        self._cgroup = Cgroup(root_pid)
        self.oom = OomWatch(self._cgroup)
        """Tells whether the kernel has killed for want of memory."""
        self._cores = self._count_cores()
        self._cpu, self._read, self._written = Total(), Total(), Total()
        self._before = time.monotonic()
        alive = self._alive()
        self._cpu_before = self._update(self._cpu, alive, _cpu_seconds) or 0.0
        self._traffic = Traffic([process.pid for process in alive.values()])

    def sample(self) -> Sample:
        """Return what the tree uses now; never raises."""
        with contextlib.suppress(psutil.Error, OSError, RuntimeError, ValueError):
            return self._sample()
        return Sample()

    def memory_bytes(self) -> int | None:
        """Return the memory of the tree now, None if there is none left to ask; never raises."""
        with contextlib.suppress(psutil.Error, OSError, RuntimeError, ValueError):
            return _memory(self._alive().values())
        return None

    def memory_over(self, limit: int) -> int | None:
        """Return how many bytes of memory the tree uses if that is more than a limit, else None; never raises.

        Resident memory counts what processes share once for each of them, and is told at once. Only where that is too
        much, the system is asked for their proportional shares, which takes longer.
        """
        with contextlib.suppress(psutil.Error, OSError, RuntimeError, ValueError):
            alive = self._alive().values()
            if sum(map(_resident, alive)) > limit:
                used = _memory(alive)
                return used if used is not None and used > limit else None
        return None

    @property
    def memory_limit_bytes(self) -> int | None:
        """How much memory the tree may have, see `Sample`."""
        limits = [limit for limit in (self._memory_limit, self._cgroup.memory_limit()) if limit is not None]
        with contextlib.suppress(psutil.Error, OSError, RuntimeError, ValueError):
            limits = limits or [psutil.virtual_memory().total]
        return min(limits, default=None)

    def _sample(self) -> Sample:
        alive = self._alive()
        now = time.monotonic()
        read = self._update(self._read, alive, _bytes_read)
        written = self._update(self._written, alive, _bytes_written)
        net = self._traffic.read([process.pid for process in alive.values()])
        percent = self._cpu_percent(alive, now)
        return Sample(
            processes=len(alive),
            cpu_percent=percent if alive else None,
            cpu_cores=self._cores,
            memory_bytes=_memory(alive.values()),
            memory_limit_bytes=self.memory_limit_bytes,
            disk_read_bytes=None if read is None else int(read),
            disk_write_bytes=None if written is None else int(written),
            net_sent_bytes=None if net is None else net.sent,
            net_received_bytes=None if net is None else net.received,
            disk_used_percent=self._disk_used(),
        )

    def _alive(self) -> dict[Key, psutil.Process]:
        found: dict[Key, psutil.Process] = {}
        for process in self._processes():
            with contextlib.suppress(*_GONE, *_DENIED):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found[process.pid, process.create_time()] = process
        return found

    def _cpu_percent(self, alive: dict[Key, psutil.Process], now: float) -> float | None:
        cpu = self._update(self._cpu, alive, _cpu_seconds)
        seconds, self._before = now - self._before, now
        if cpu is None:
            return None
        used, self._cpu_before = cpu - self._cpu_before, cpu
        if seconds <= 0 or not self._cores:
            return None
        return round(min(100.0, 100.0 * used / seconds / self._cores), 1)

    def _update(
        self, total: Total, alive: dict[Key, psutil.Process], count: Callable[[psutil.Process], float | None]
    ) -> float | None:
        """Bring a total up to date; return it, None if there is a process of which it can't be told."""
        counted: dict[Key, float | None] = {}
        parents: dict[Key, Key | None] = {}
        keys = {key[0]: key for key in alive}
        is_known = True
        for key, process in alive.items():
            try:
                counted[key] = count(process)
                parents[key] = keys.get(process.ppid())
                is_known = is_known and counted[key] is not None
            except _GONE:
                counted.pop(key, None)
            except _DENIED:
                counted[key] = None
                is_known = False
        found = total.update(counted, parents)
        return found if is_known else None

    def _count_cores(self) -> float | None:
        cores: float | None = os.cpu_count()
        with contextlib.suppress(psutil.Error, OSError, AttributeError):  # no affinity on macOS
            cores = len(psutil.Process(self._root_pid).cpu_affinity() or ()) or cores
        limits = [limit for limit in (cores, self._cgroup.cpu_limit()) if limit is not None]
        return min(limits, default=None)

    def _disk_used(self) -> float | None:
        if self._disk_path is None:
            return None
        try:
            return float(psutil.disk_usage(os.fspath(self._disk_path)).percent)
        except OSError:
            return None


class _Tree:
    """A process and all that it has started, also those that have lost their parent since they were seen."""

    def __init__(self, root_pid: int) -> None:
        self._known: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            self._known[root_pid] = psutil.Process(root_pid)

    def processes(self) -> list[psutil.Process]:
        """Return those that are there."""
        found: dict[int, psutil.Process] = {}
        for process in self._known.values():
            if process.is_running():
                found[process.pid] = process
                with contextlib.suppress(*_GONE, *_DENIED):
                    for child in process.children(recursive=True):
                        found.setdefault(child.pid, child)
        self._known = found
        return list(found.values())


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    # With those of its children that have ended, also of those too short-lived to be seen.
    return float(times.user + times.system + times.children_user + times.children_system)


def _bytes_read(process: psutil.Process) -> float | None:
    counters = getattr(process, "io_counters", None)  # not on macOS
    return None if counters is None else counters().read_bytes


def _bytes_written(process: psutil.Process) -> float | None:
    counters = getattr(process, "io_counters", None)
    return None if counters is None else counters().write_bytes


def _memory(processes: Iterable[psutil.Process]) -> int | None:
    """Return the memory of processes, None if there are none: forked ones share most of it, and it counts once."""
    found: list[int] = []
    for process in processes:
        with contextlib.suppress(*_GONE, *_DENIED):
            proportional = _proportional_memory(process.pid)
            found.append(process.memory_info().rss if proportional is None else proportional)
    return sum(found) if found else None


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(*_GONE, *_DENIED):
        return int(process.memory_info().rss)
    return 0


def _proportional_memory(pid: int) -> int | None:
    """Return the proportional set size in bytes, None where the system doesn't tell it."""
    try:
        with (PROC / str(pid) / "smaps_rollup").open("rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None
