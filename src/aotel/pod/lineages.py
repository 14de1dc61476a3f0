"""Who descends from whom, as it was when each process was first seen: an orphan's new parent changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.pod.processes import look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.pod.processes import Look, Process

_DEEPEST = 1024  # generations; a circle is impossible, and would end here


class Lineages:
    """Remembers the parent of every process that was seen, and forgets those of which nobody is left."""

    def __init__(self) -> None:
        self._parents: dict[Process, Process | None] = {}
        self._missing: set[Process] = set()

    def __len__(self) -> int:
        return len(self._parents)

    def of(self, process: Process) -> tuple[Process, ...]:
        """Return a process and its ancestors, the nearest first, as far as they are known."""
        chain: list[Process] = []
        current: Process | None = process
        while current is not None and len(chain) < _DEEPEST:
            chain.append(current)
            known = current in self._parents
            current = self._parents[current] if known else self._look_for_parent(current)
        return tuple(chain)

    def hold(self, process: Process) -> None:
        """Remember a process, also one that is gone already."""
        self.of(process)
        self._parents.setdefault(process, None)

    def learn(self, looks: Iterable[Look]) -> set[Process]:
        """Remember the parents of processes not seen before; forget the dead who have no living descendants.

        Args:
            looks: at every process there is.

        Returns:
            The processes that were forgotten.
        """
        by_pid = {seen.process.pid: seen for seen in looks}
        parents = self._parents
        for seen in by_pid.values():
            if seen.process not in parents:
                parents[seen.process] = _elder(seen, by_pid.get(seen.parent))
        kept: set[Process] = set()
        for seen in by_pid.values():
            current: Process | None = seen.process
            while current is not None and current not in kept:
                kept.add(current)
                current = parents.get(current)
        # Twice missing: who was born after these looks began is not among them, but will be next time.
        missing = parents.keys() - kept
        forgotten = missing & self._missing
        for process in forgotten:
            del parents[process]
        self._missing = missing - forgotten
        return forgotten

    def _look_for_parent(self, process: Process) -> Process | None:
        seen = look(process.pid)
        if seen is None or seen.process != process:
            return None  # gone: not remembered, since nothing is known
        parent = _elder(seen, look(seen.parent))
        self._parents[process] = parent
        return parent


def _elder(child: Look, parent: Look | None) -> Process | None:
    """Return the parent, unless it is younger: then it only has the pid of one that has died meanwhile."""
    if parent is None or parent.process.started > child.process.started:
        return None
    return parent.process
