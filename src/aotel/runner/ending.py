"""How a run is brought to its end before its time: by whom first, and that none of the tree is left."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aotel.runner.cgroup import Cgroup
    from aotel.runner.tree import Tree

TIMEOUT: Final = "timeout"
MEMORY_LIMIT: Final = "memory limit"
OUT_OF_MEMORY: Final = "out of memory"
INTERRUPTED: Final = "interrupted"
"""Why a run ended, as the audit log has it."""


class Ending:
    """Ends the tree on demand, from any thread; the first reason counts.

    Args:
        tree: the child with all that it has started.
        cgroup: the group that they are in, if they have one of their own.

    Attributes:
        reason: why it was ended, None as long as it was not.
    """

    def __init__(self, tree: Tree, cgroup: Cgroup | None = None) -> None:
        self._tree = tree
        self._cgroup = cgroup
        self._lock = threading.Lock()
        self.reason: str | None = None

    def ask(self, reason: str) -> bool:
        """Ask all of them to end, also those that are stopped; return whether that is why the run ends."""
        first = self._begin(reason)
        self._tree.send(signal.SIGTERM)
        self._tree.send(signal.SIGCONT)
        return first

    def kill(self, reason: str) -> bool:
        """Kill all of them; return whether that is why the run ends."""
        first = self._begin(reason)
        self._tree.kill(None if self._cgroup is None else self._cgroup.kill)
        return first

    def _begin(self, reason: str) -> bool:
        with self._lock:
            first = self.reason is None
            self.reason = self.reason or reason
        return first
