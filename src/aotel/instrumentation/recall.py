"""What was read and made clean before: an agent's loop sends its whole history with every call.

Justified by the rows "20 messages" and "200 messages" of the benchmarks: redaction of 100 KB costs milliseconds.
"""

from __future__ import annotations

from typing import Any, Final

_MOST: Final = 8_000_000  # bytes of a generation
_OVERHEAD: Final = 512  # bytes that an entry counts for besides its own


class Recall:
    """Two generations by key: when the young one is full, the old one is forgotten and the young one grows old.

    Races between threads forget or remember twice, never wrongly: the key is the content.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self) -> None:
        self._young: dict[object, tuple[Any, int]] = {}
        self._old: dict[object, tuple[Any, int]] = {}
        self._size = 0

    def get(self, key: object) -> Any | None:
        """Return what is remembered for a key, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self._add(key, found)
        return found[0]

    def put(self, key: object, value: Any, size: int) -> None:
        """Remember a value of so many bytes; what is too large for a memory is not."""
        if size + _OVERHEAD <= _MOST // 8:
            self._add(key, (value, size + _OVERHEAD))

    def _add(self, key: object, entry: tuple[Any, int]) -> None:
        if self._size + entry[1] > _MOST:
            self._old, self._young, self._size = self._young, {}, 0
        self._young[key] = entry
        self._size += entry[1]
