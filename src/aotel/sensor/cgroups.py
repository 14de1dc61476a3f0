"""What control groups say of a process: how much memory and time it may use, and whether memory ran out.

Both versions are read, also where both are mounted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOUNT: Final = Path("/sys/fs/cgroup")
PROC: Final = Path("/proc")

_UNIFIED: Final = ("", "unified")  # where version 2 is mounted, alone or beside version 1
_UNLIMITED: Final = 2**62  # version 1 writes a number near 2 to the 63rd for "no limit"


class Cgroup:
    """The groups of a process, as they are when this is made; each from its own up to the root of what is mounted.

    Args:
        pid: the process.
        root: where control groups are mounted.
        proc: where processes are.
    """

    def __init__(self, pid: int, *, root: Path = MOUNT, proc: Path = PROC) -> None:
        self._memory: list[Path] = []
        self._cpu: list[Path] = []
        for line in _lines(proc / str(pid) / "cgroup"):
            hierarchy, _, rest = line.partition(":")
            controllers, _, path = rest.partition(":")
            if hierarchy == "0" and not controllers:
                chain = _chain((root / name for name in _UNIFIED), path, "cgroup.procs")
                self._memory += chain
                self._cpu += chain
            if "memory" in controllers.split(","):
                self._memory += _chain(_mounts(root, "memory"), path)
            if "cpu" in controllers.split(","):
                self._cpu += _chain(_mounts(root, "cpu"), path)

    def memory_limit(self) -> int | None:
        """Return the bytes of memory that the process may use together with others, None for no limit."""
        found = [_number(group / name) for group in self._memory for name in ("memory.max", "memory.limit_in_bytes")]
        limits = [limit for limit in found if limit is not None and limit < _UNLIMITED]
        return min(limits, default=None)

    def cpu_limit(self) -> float | None:
        """Return how many cores' worth of time it may use, None for no limit."""
        return min((share for group in self._cpu if (share := _share(group)) is not None), default=None)

    def oom_kills(self) -> int | None:
        """Return how many processes of its group were killed for want of memory so far, None if that isn't counted."""
        for group in self._memory:
            for name in ("memory.events", "memory.oom_control"):
                for line in _lines(group / name):
                    key, _, value = line.partition(" ")
                    if key == "oom_kill" and value.strip().isdecimal():
                        return int(value)
        return None


class OomWatch:
    """Tells whether processes of a group are killed for want of memory, from its making on.

    An exit status can't tell: anybody may send the signal that the kernel sends.

    Args:
        cgroup: the group. Others that are in it count as well: ask only about a process that was killed.
    """

    def __init__(self, cgroup: Cgroup) -> None:
        self._cgroup = cgroup
        self._before = cgroup.oom_kills()

    def kills(self) -> int | None:
        """Return how many there were since the making, None if it isn't known."""
        now = self._cgroup.oom_kills()
        return None if now is None or self._before is None else max(0, now - self._before)


def _mounts(root: Path, controller: str) -> list[Path]:
    """Return the directories that may be the root of a controller of version 1: `cpu`, or `cpu,cpuacct`."""
    try:
        return sorted(path for path in root.iterdir() if controller in path.name.split(","))
    except OSError:
        return []


def _chain(mounts: Iterable[Path], path: str, sign: str = "") -> list[Path]:
    """Return a group's directory and those above it, up to the mount; the mount alone if the group isn't below it.

    In a container the path may be the one that the host knows, and what is mounted be the group itself.
    """
    parts = [part for part in path.split("/") if part]
    for mount in mounts:
        if not (mount / sign).exists():
            continue
        inside = parts if ".." not in parts and mount.joinpath(*parts).is_dir() else []
        return [mount.joinpath(*inside[:length]) for length in range(len(inside), -1, -1)]
    return []


def _share(group: Path) -> float | None:
    """Return the share of time that a group itself is limited to, in cores."""
    words = next(iter(_lines(group / "cpu.max")), "").split()
    if len(words) == 2:  # noqa: PLR2004 - quota and period
        quota, period = _whole(words[0]), _whole(words[1])
    else:
        quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    if quota is None or not period or quota <= 0:
        return None
    return quota / period


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _number(path: Path) -> int | None:
    return _whole(next(iter(_lines(path)), ""))


def _whole(text: str) -> int | None:
    """Return a number as the kernel writes it; None for `max`."""
    text = text.strip()
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else None
