"""Operations while they are held to be grouped: where they stand in which tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from aotel.audit.envelopes import moment
from aotel.audit.trees import Operation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.audit.envelopes import ReadEnvelope
    from aotel.audit.trees import Happening

Span: TypeAlias = tuple[str, str]
"""Trace and span; span ids alone repeat."""

DEEPEST: Final = 100
"""How deep operations are nested; those below stand side by side."""


class Node:
    """An operation that is held.

    Args:
        operation: the operation.
        above: the operation around it.
        pid: its process.
        begun: when, in seconds since the epoch.
        is_open: whether it goes on.
    """

    __slots__ = ("above", "begun", "depth", "ended", "is_open", "operation", "pid", "span", "tree")

    def __init__(self, operation: Operation, above: Node | None, pid: int, begun: float, *, is_open: bool) -> None:
        self.operation = operation
        self.above = above
        self.depth: int = 0 if above is None else above.depth + 1
        self.tree: Tree = Tree() if above is None else above.tree
        self.span = operation.first.span
        self.pid = pid
        self.begun = begun
        self.ended = begun
        self.is_open = is_open

    def room_below(self) -> Node:
        """Return the node under which something goes that belongs under this one."""
        return self if self.depth < DEEPEST or self.above is None else self.above


class Tree:
    """A root and all that is under it."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        """Each behind the one above it. What is not in it any more goes at once, not when Python looks for cycles."""
        self.open = 0
        self.things = 0
        self.bytes = 0
        self.deepest = 0
        self.waits_for: Span | None = None
        """The span around the root, which has not been seen."""

    @property
    def root(self) -> Node:
        """The root."""
        return self.nodes[0]

    def add(self, node: Node) -> None:
        """Take a node in; the first one is the root."""
        self.nodes.append(node)
        self.open += node.is_open
        self.deepest = max(self.deepest, node.depth)

    def adopt(self, other: Tree, above: Node) -> None:
        """Put another tree under a node of this one."""
        root = other.root
        root.above = above
        above.operation.inside.append(root.operation)
        for node in other.nodes:
            node.tree = self
            node.depth += above.depth + 1
            self.add(node)
        other.nodes = []
        self.things += other.things
        self.bytes += other.bytes

    def sort(self) -> None:
        """Put what is inside of each operation into the order in which it happened."""
        for node in self.nodes:
            if len(node.operation.inside) > 1:
                node.operation.inside.sort(key=_when)

    def keep_open(self) -> Operation:
        """Return all of the tree by now, and keep no more than what is open, to be gone on with."""
        self.sort()
        kept: dict[Node, None] = {}
        for node in self.nodes:
            if node.is_open:
                kept.update(dict.fromkeys(_upwards(node, kept)))
        part = self.root.operation
        in_order = [node for node in self.nodes if node in kept]
        for node in in_order:
            shown = node.operation
            shown.continues = True
            node.operation = Operation(_brief(shown.start), _brief(shown.end), shown.agent, is_continued=True)
        for node in in_order:
            if node.above is not None:
                node.above.operation.inside.append(node.operation)
        self.nodes = in_order
        self.things, self.bytes = len(in_order), 0
        return part

    @property
    def gain(self) -> int:
        """How many things `keep_open` would let go of, at least."""
        return self.things - self.open * (self.deepest + 1)


def _when(thing: Operation | Happening) -> float:
    return moment(thing.time) or 0.0


def _upwards(node: Node, known: dict[Node, None]) -> Iterator[Node]:
    each: Node | None = node
    while each is not None and each not in known:
        yield each
        each = each.above


def _brief(envelope: ReadEnvelope | None) -> ReadEnvelope | None:
    """Return an envelope without what it was that went in or came out."""
    if envelope is None:
        return None
    said = ("fn", "tag", "ok", "duration_ms", "outcome", "error_type")
    return envelope._replace(payload={name: envelope.payload[name] for name in said if name in envelope.payload})
