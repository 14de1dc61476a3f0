"""How many requests a user's processes may make in a minute: what is not used comes back with time, up to the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE = 60.0
_USERS = 1024  # whose allowances are remembered at a time


class Allowance:
    """One allowance for each user.

    Not for each process: one that is refused would start another.

    Args:
        a_minute: requests in a minute, and at once after a pause.
        clock: seconds; may jump.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float]) -> None:
        self._limit = a_minute
        self._clock = clock
        self._left: dict[int, tuple[float, float]] = {}  # by user: how many are left, as of when

    def wait(self, uid: int) -> float:
        """Return the seconds until a user may make a request; 0 for now."""
        left, _ = self._now(uid)
        return 0.0 if left >= 1 else (1 - left) * _MINUTE / self._limit

    def use(self, uid: int) -> None:
        """Count a request."""
        left, now = self._now(uid)
        if uid not in self._left and len(self._left) >= _USERS:
            del self._left[min(self._left, key=lambda each: self._left[each][1])]
        self._left[uid] = (left - 1, now)

    def _now(self, uid: int) -> tuple[float, float]:
        now = self._clock()
        left, then = self._left.get(uid, (float(self._limit), now))
        return min(float(self._limit), left + max(0.0, now - then) * self._limit / _MINUTE), now
