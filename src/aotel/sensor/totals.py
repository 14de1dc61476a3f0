"""A count over a tree of processes, some of which end while it goes on: it never goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    Key: TypeAlias = tuple[int, float]
    """A process: its id and when it was created, because ids are used again."""


class Total:
    """The sum of what each process has counted so far.

    What a process has counted goes over to its parent when that takes leave of it (`wait`), so it must not be counted
    twice; where there is no parent left, it is kept here.
    """

    def __init__(self) -> None:
        self._last: dict[Key, float] = {}
        self._parents: dict[Key, Key | None] = {}
        self._gone = 0.0
        self._highest = 0.0

    def update(self, counted: Mapping[Key, float | None], parents: Mapping[Key, Key | None]) -> float:
        """Take the latest counts, and return the sum.

        Args:
            counted: what each process that is there has counted; None for one that can't be read now, which keeps
                what it had.
            parents: the parent of each, None if it isn't one of them.
        """
        for key in self._last.keys() - counted.keys():
            value = self._last.pop(key)
            if self._parents.get(key) not in counted:
                self._gone += value
        for key, count in counted.items():
            self._last[key] = self._last.get(key, 0.0) if count is None else count
        self._parents = dict(parents)
        self._highest = max(self._highest, self._gone + sum(self._last.values()))
        return self._highest
