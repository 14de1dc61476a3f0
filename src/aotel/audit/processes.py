"""Guessing: which operation a process was in the midst of at some time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.audit.nodes import Node

_RECENT: Final = 256  # operations of a process that have ended, and may still be meant
_KNOWN: Final = 65_536  # processes whose parents are remembered
_GENERATIONS: Final = 64
_SKEW: Final = 1.0  # seconds by which ends may come in another order than they happened


@dataclass(slots=True)
class _Process:
    open: OrderedDict[Node, None] = field(default_factory=OrderedDict)  # in the order in which they began
    ended: OrderedDict[Node, None] = field(default_factory=OrderedDict)  # in the order in which they ended
    held: int = 0

    def note_ended(self, node: Node) -> None:
        self.ended[node] = None
        if len(self.ended) > _RECENT:
            del self.ended[next(iter(self.ended))]


class Processes:
    """Knows of each process what it was doing, and who started it, within bounds."""

    def __init__(self) -> None:
        self._of: dict[int, _Process] = {}
        self._parents: OrderedDict[int, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._of)

    def started(self, pid: int, parent: int) -> None:
        """Remember who started a process."""
        self._parents.pop(pid, None)
        self._parents[pid] = parent
        if len(self._parents) > _KNOWN:
            del self._parents[next(iter(self._parents))]

    def hold(self, node: Node) -> None:
        """Take up an operation, that may have ended already."""
        process = self._of.setdefault(node.pid, _Process())
        process.held += 1
        if node.is_open:
            process.open[node] = None
        else:
            process.note_ended(node)

    def end(self, node: Node) -> None:
        """Note that an operation has ended."""
        process = self._of.get(node.pid)
        if process is not None and process.open.pop(node, node) is None:
            process.note_ended(node)

    def forget(self, node: Node) -> None:
        """Drop an operation."""
        process = self._of.get(node.pid)
        if process is None:
            return
        process.open.pop(node, None)
        process.ended.pop(node, None)
        process.held -= 1
        if not process.held:
            del self._of[node.pid]

    def open_in(self, pid: int) -> list[Node]:
        """Return what a process has begun and not ended."""
        process = self._of.get(pid)
        return [] if process is None else list(process.open)

    def find(self, pid: int, when: float) -> Node | None:
        """Return the innermost operation that a process was in the midst of.

        A process without any was started by another, inside of an operation of that one.
        """
        for each in self._lineage(pid):
            process = self._of.get(each)
            if process is not None:
                return _innermost(process, when)
        return None

    def _lineage(self, pid: int) -> Iterator[int]:
        for _ in range(_GENERATIONS):
            yield pid
            if pid not in self._parents:
                return
            pid = self._parents[pid]


def _innermost(process: _Process, when: float) -> Node | None:
    """Return what began last of what was under way."""
    found = next((node for node in reversed(process.open) if node.begun <= when), None)
    for node in reversed(process.ended):
        if node.ended < when - _SKEW:
            break
        is_later = found is None or (node.begun, node.depth) > (found.begun, found.depth)
        if is_later and node.begun <= when <= node.ended:
            found = node
    return found
