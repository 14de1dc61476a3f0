"""What waits for the worker, bounded: past the bound, starts and events go first, then the oldest ends.

One line in the order of events, as long as it is short enough. When it is not, it is gone through from its old end:
what may go goes, and what is to be kept is put aside, where it stays ahead of all that is still in line. So each item
is moved once at most, the order stays that of the events, and taking an item costs nothing that it did not cost before.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from aotel.pipeline.losses import Losses

Entry: TypeAlias = tuple[Any, int]
"""An item, and how much memory it keeps from being freed, roughly, in characters."""

QUEUE_LIMIT = 65_536
"""Items that wait at most; past that some go, counted and said."""
SIZE_LIMIT = 64 * 2**20
"""How much memory they keep from being freed at most, likewise."""

_SHARE = 1024  # once it is full, room is made for that part of what may wait: it costs less than making it one by one
_PATIENCE = 0.05  # seconds that the worker waits for whoever makes room


class FlushRequest:
    """Stands in line for a flush; whoever takes it out answers it."""

    def answered(self, *, complete: bool) -> None:
        """Take the answer: whether all that was put before it was worked off."""


class Waiting:
    """Items in the order in which they came; filled by any thread, in its own words (see `Worker.put`).

    Args:
        losses: counts what is dropped, and says what may be.

    Attributes:
        line: where items are put.
        room: how many `line` may have before somebody makes room.
        size_in: the sizes of all that was put; `size_out` of all that was taken. A sum that both sides change would
            need a lock.
    """

    __slots__ = ("_aside", "_losses", "_making_room", "_moving", "line", "room", "size_in", "size_out")

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        # Whoever puts an item never waits for it. It may be had twice: what is interrupted by a signal handler that
        # flushes can't be waited for.
        self._moving = threading.RLock()
        self._making_room = False
        self._aside: deque[Entry] = deque()
        self.line: deque[Entry] = deque()
        self.room = QUEUE_LIMIT
        self.size_in = self.size_out = 0

    def __len__(self) -> int:
        return len(self.line) + len(self._aside)

    @property
    def size(self) -> int:
        """How much memory all of it keeps from being freed, roughly."""
        return max(self.size_in - self.size_out, 0)

    def is_empty(self) -> None:
        """Set the sizes right: nothing waits."""
        self.size_in = self.size_out = 0

    def take(self, most: int) -> list[Any]:
        """Remove and return the oldest items, `most` of them or as many as there are, up to the first flush."""
        taken: list[Any] = []
        locked = self._moving.acquire(timeout=_PATIENCE)
        try:
            while len(taken) < most:
                item, size = (self._aside or self.line).popleft()
                self.size_out += size
                taken.append(item)
                if isinstance(item, FlushRequest):
                    break
        except IndexError:
            pass
        finally:
            self.room = QUEUE_LIMIT - len(self._aside)
            if locked:
                self._moving.release()
        return taken

    def make_room(self) -> None:
        """Drop what is best done without, until there is room for some more; never waits."""
        if self._making_room or not self._moving.acquire(blocking=False):
            return  # somebody is at it, perhaps the very code that a signal handler has interrupted
        self._making_room = True
        try:
            self._make_room(QUEUE_LIMIT - QUEUE_LIMIT // _SHARE)
        except IndexError:
            pass  # it was interrupted, and there is nothing left
        finally:
            self.room = QUEUE_LIMIT - len(self._aside)
            self._making_room = False
            self._moving.release()

    def _make_room(self, most: int) -> None:
        line, aside, drop_early = self.line, self._aside, self._losses.add_early
        while len(line) + len(aside) >= most or self.size_in - self.size_out > SIZE_LIMIT:
            if line:
                entry = line.popleft()
                item, size = entry
                if not isinstance(item, FlushRequest) and drop_early(item):
                    self.size_in -= size
                else:
                    aside.append(entry)
            elif aside:
                self._gone(aside.popleft())
            else:
                self.is_empty()
                return

    def _gone(self, entry: Entry) -> None:
        item, size = entry
        self.size_in -= size
        if isinstance(item, FlushRequest):
            item.answered(complete=False)
        else:
            self._losses.add(item)
