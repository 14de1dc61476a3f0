"""Lines of several operations that go on at the same time, sorted by the outermost one that each stands in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aotel.view.events import Event, Kind
from aotel.view.lines import Line, Lines

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE: Final = 1.0
"""Seconds that an operation's lines wait for its end, to be shown in one piece."""
_MOST_LINES: Final = 500  # that wait
_MOST_SPANS: Final = 20_000
_ENDS: Final = frozenset({"ended", "failed", "stopped"})

Key = tuple[str, str]


@dataclass
class _Root:
    name: str
    since: float
    lines: Lines
    waiting: list[Line] = field(default_factory=list)
    is_shown: bool = False  # in part


class Roots:
    """Keeps the lines of an outermost operation together: until it ends, or takes so long that nobody wants to wait.

    Args:
        eager: give every operation a head.
    """

    def __init__(self, *, eager: bool) -> None:
        self._eager = eager
        self._roots: dict[Key, _Root] = {}
        self._spans: OrderedDict[Key, Key] = OrderedDict()
        self._latest: Key = ("", "")

    def take(self, event: Event) -> list[Line]:
        """Take an event, and return the lines that are to be shown by it."""
        key = _key(event.fields, "span_id")
        place = self._place(event, key)
        root = self._roots.get(place)
        if root is None:
            return [] if event.fields.get("event") == "started" and key[1] else [Line(event)]
        root.waiting += root.lines.of(event)
        if key == place and event.kind is Kind.OPERATION and event.fields.get("event") in _ENDS:
            lines = self._shown(place, root)
            del self._roots[place]
            return lines
        return self._shown(place, root) if len(root.waiting) > _MOST_LINES else []

    def due(self, now: float) -> float | None:
        """Return in how many seconds there will be lines that have waited long enough; None if nothing waits."""
        since = [root.since for root in self._roots.values() if root.waiting]
        return max(min(since) + PATIENCE - now, 0.0) if since else None

    def overdue(self, now: float) -> list[Line]:
        """Return the lines that have waited long enough."""
        lines: list[Line] = []
        for place, root in self._roots.items():
            if root.waiting and now - root.since >= PATIENCE:
                lines += self._shown(place, root)
        return lines

    def rest(self) -> list[Line]:
        """Return all lines that wait."""
        return [line for place, root in self._roots.items() for line in self._shown(place, root)]

    def forget(self) -> None:
        """Forget what is open: events were lost, so that it may have ended."""
        self._roots.clear()
        self._spans.clear()

    def _place(self, event: Event, key: Key) -> Key:
        """Return the outermost operation that an event belongs to; begin a new one if need be."""
        fields = event.fields
        if event.kind is not Kind.OPERATION or "operation" not in fields:
            return self._spans.get(key, key)
        if fields.get("event") != "started":
            return self._spans.pop(key, None) or self._spans.get(_key(fields, "parent_span_id"), key)
        place = self._spans.get(_key(fields, "parent_span_id"), key)
        if key[1]:
            self._spans[key] = place
            if place == key and key not in self._roots:
                self._roots[key] = _Root(str(fields.get("name", "")), event.time, Lines(eager=self._eager))
        if len(self._spans) > _MOST_SPANS:
            self._roots.pop(self._spans.popitem(last=False)[0], None)
        return place

    def _shown(self, place: Key, root: _Root) -> list[Line]:
        lines, root.waiting = root.waiting, []
        if lines and root.is_shown and self._latest != place and not lines[0].inside:
            lines[0] = replace(lines[0], inside=root.name)
        if lines:
            root.is_shown = True
            self._latest = place
        return lines


def _key(fields: Mapping[str, object], name: str) -> Key:
    return str(fields.get("trace_id", "")), str(fields.get(name, ""))
