"""What waits for a destination to come back: bounded in number and bytes, the oldest dropped first."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class Backlog(Generic[T]):
    """Items with their sizes, oldest first.

    Args:
        max_items: how many are kept at most.
        max_bytes: the sum of sizes that is kept at most.
    """

    def __init__(self, max_items: int = 4096, max_bytes: int = 16 << 20) -> None:
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._max_items = max_items
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: T, size: int) -> None:
        """Take an item of `size` bytes, however full it is: `trim` comes after the next attempt."""
        self._items.append((item, size))
        self._bytes += size

    def take(self, max_bytes: int, max_items: int = sys.maxsize) -> list[tuple[T, int]]:
        """Remove and return the oldest items: as many as make up `max_bytes`, at least one if there is any."""
        taken: list[tuple[T, int]] = []
        total = 0
        while self._items and (not taken or (total + self._items[0][1] <= max_bytes and len(taken) < max_items)):
            item = self._items.popleft()
            taken.append(item)
            total += item[1]
        self._bytes -= total
        return taken

    def put_back(self, taken: Iterable[tuple[T, int]]) -> None:
        """Return what was taken last to its place."""
        back = list(taken)
        self._items.extendleft(reversed(back))
        self._bytes += sum(size for _, size in back)

    def trim(self) -> int:
        """Drop the oldest items past the bounds; return how many."""
        dropped = 0
        while self._items and (len(self._items) > self._max_items or self._bytes > self._max_bytes):
            self._bytes -= self._items.popleft()[1]
            dropped += 1
        return dropped

    def clear(self) -> int:
        """Drop everything; return how much it was."""
        dropped = len(self._items)
        self._items.clear()
        self._bytes = 0
        return dropped
