"""Lines that have not ended yet, over all connections: together they stay within a bound."""

from __future__ import annotations

from typing import Final, Protocol

MOST: Final = 64 << 20
"""Bytes of unfinished lines that a pod keeps."""


class Holder(Protocol):
    """Whoever has an unfinished line."""

    def drop_half_line(self) -> None:
        """Give it up."""


class HalfLines:
    """Counts what is held; when it is too much, the line that was begun first is given up.

    Who finishes a line does so soon: the oldest is the likeliest never to end.

    Args:
        most: bytes, of all together.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sizes: dict[Holder, int] = {}
        self.total = 0

    def hold(self, holder: Holder, size: int) -> None:
        """Note how long a holder's unfinished line is by now."""
        self.total += size - self._sizes.get(holder, 0)
        self._sizes[holder] = size
        while self.total > self._most:
            next(iter(self._sizes)).drop_half_line()

    def forget(self, holder: Holder) -> None:
        """Note that a holder has none."""
        self.total -= self._sizes.pop(holder, 0)
