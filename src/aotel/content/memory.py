"""Remembers texts that hold no secret: the messages of a chat come by again with every call."""

from __future__ import annotations

from typing import Final

_SHORTEST: Final = 16  # characters; looking at less costs no more than remembering
_OVERHEAD: Final = 64  # characters that an entry counts for besides its own
_LONGEST: Final = 16_384
_MOST: Final = 1_000_000  # characters of a generation


class Memory:
    """Two generations of texts: when the young one is full, the old one is forgotten and the young one grows old.

    Bounded to some two million characters. Races between threads forget or remember twice, never wrongly.
    """

    __slots__ = ("_old", "_size", "_young", "shortest")

    def __init__(self) -> None:
        self._young: set[str] = set()
        self._old: set[str] = set()
        self._size = 0
        self.shortest = _SHORTEST

    def knows(self, text: str) -> bool:
        """Say whether a text was added lately."""
        if text in self._young:
            return True
        if text not in self._old:
            return False
        self.add(text)
        return True

    def add(self, text: str) -> None:
        """Remember a text."""
        size = len(text) + _OVERHEAD
        if size > _LONGEST:
            return
        if self._size + size > _MOST:
            self._old, self._young, self._size = self._young, set(), 0
        self._young.add(text)
        self._size += size
