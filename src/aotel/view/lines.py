"""From events to lines, in the order of a tree: shared by the forms that a person reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from aotel.view.events import Event, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_OPEN: Final = 20_000
_ENDS: Final = frozenset({"ended", "failed", "stopped"})

Key = tuple[str, str]


class Part(Enum):
    """What a line is to the tree."""

    LEAF = "leaf"
    """Something that has no lines below it."""
    HEAD = "head"
    """The beginning of an operation, with lines below it."""
    FOOT = "foot"
    """The end of such an operation."""


@dataclass(frozen=True)
class Line:
    """An event, and its place in the tree.

    Attributes:
        event: what happened.
        part: what the line is to the tree.
        depth: how many operations it stands in.
        inside: the name of the operation that it stands in, where the lines above don't show it; else "".
        began: the beginning of an operation, on the line of its end.
    """

    event: Event
    part: Part = Part.LEAF
    depth: int = 0
    inside: str = ""
    began: Event | None = None


@dataclass
class _Node:
    started: Event
    parent: Key
    depth: int
    name: str
    has_head: bool = False


class Lines:
    """Remembers what is open.

    An operation without anything in it takes one line, at its end; others get a head and a foot.

    Args:
        eager: give every operation a head, as soon as it begins.
    """

    def __init__(self, *, eager: bool = False) -> None:
        self._eager = eager
        self._nodes: dict[Key, _Node] = {}
        self._above: list[Key] = []  # the operation whose lines come now, and those that it stands in

    def forget(self) -> None:
        """Forget what is open: events were lost, so that it may have ended."""
        self._nodes.clear()
        self._above.clear()

    def of(self, event: Event) -> list[Line]:
        """Return the lines of an event, heads that have waited for it first; the beginning of an operation waits."""
        fields = event.fields
        key = _key(fields, "span_id")
        if event.kind is Kind.OPERATION and key[1]:
            if fields.get("event") == "started":
                return self._start(event, key)
            if fields.get("event") in _ENDS:
                return self._end(event, key)
        node = self._nodes.get(key)
        return [*self._heads(key), self._leaf(event, key, 0 if node is None else node.depth + 1)]

    def _start(self, event: Event, key: Key) -> list[Line]:
        if key in self._nodes:  # the same span in a forked child
            return []
        parent = _key(event.fields, "parent_span_id")
        above = self._nodes.get(parent)
        depth = 0 if above is None else above.depth + 1
        self._nodes[key] = _Node(event, parent, depth, str(event.fields.get("name", "")))
        if len(self._nodes) > _MOST_OPEN:
            del self._nodes[next(iter(self._nodes))]
        return self._heads(key) if self._eager else []

    def _end(self, event: Event, key: Key) -> list[Line]:
        node = self._nodes.pop(key, None)
        if node is not None and node.has_head:
            self._above = self._chain(node.parent)
            return [Line(event, Part.FOOT, node.depth, began=node.started)]
        parent = _key(event.fields, "parent_span_id")
        above = self._nodes.get(parent)
        began = None if node is None else node.started
        return [*self._heads(parent), self._leaf(event, parent, 0 if above is None else above.depth + 1, began)]

    def _leaf(self, event: Event, parent: Key, depth: int, began: Event | None = None) -> Line:
        return Line(event, Part.LEAF, depth, self._turn_to(parent), began)

    def _heads(self, key: Key) -> list[Line]:
        """Return the heads of an operation and of those that it stands in, as far as they were not shown yet."""
        waiting: list[tuple[Key, _Node]] = []
        node = self._nodes.get(key)
        while node is not None and not node.has_head:
            node.has_head = True
            waiting.append((key, node))
            key, node = node.parent, self._parent(node)
        lines: list[Line] = []
        for place, each in reversed(waiting):
            lines.append(Line(each.started, Part.HEAD, each.depth, self._turn_to(each.parent)))
            self._above[each.depth :] = [place]
        return lines

    def _turn_to(self, key: Key) -> str:
        """Let the lines that come stand in an operation; return its name if that is not what they stood in before."""
        node = self._nodes.get(key)
        if node is None:  # a line of its own, in the midst of whatever else goes on
            return ""
        if len(self._above) > node.depth and self._above[node.depth] == key:
            del self._above[node.depth + 1 :]
            return ""
        self._above = self._chain(key)
        return node.name

    def _chain(self, key: Key) -> list[Key]:
        """Return an operation with those that it stands in, the outermost first."""
        chain: list[Key] = []
        node = self._nodes.get(key)
        while node is not None:
            chain.append(key)
            key, node = node.parent, self._parent(node)
        return chain[::-1]

    def _parent(self, node: _Node) -> _Node | None:
        """Return what an operation stands in; one that began after it, by ids that are made up, is none."""
        above = self._nodes.get(node.parent)
        return above if above is not None and above.depth == node.depth - 1 else None


def _key(fields: Mapping[str, object], name: str) -> Key:
    return str(fields.get("trace_id", "")), str(fields.get(name, ""))
