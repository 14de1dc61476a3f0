"""How much memory processes use together: quickly, and, where it matters, without counting shared memory twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

_KIB = 1024


def is_over(limit: int, processes: Iterable[psutil.Process]) -> int | None:
    """Return how many bytes the processes use if that is more than a limit, else None.

    Resident memory counts what processes share once for each of them: a server that has forked its workers seems to
    use a multiple. Only where that is too much, the kernel is asked for their proportional shares, which takes longer.

    Args:
        limit: bytes.
        processes: those that count together.
    """
    those = list(processes)
    if sum(map(_resident, those)) <= limit:
        return None
    used = sum(map(_share, those))
    return used if used > limit else None


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0


def _share(process: psutil.Process) -> int:
    try:
        with Path(f"/proc/{process.pid}/smaps_rollup").open("rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * _KIB
    except (OSError, ValueError):  # gone, another user's, or a system that doesn't tell
        pass
    return _resident(process)
