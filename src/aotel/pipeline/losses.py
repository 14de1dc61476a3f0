"""What was dropped because too much waited: counted by phase, said when it begins and when it is over."""

from __future__ import annotations

import _thread
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Callable

_logger = logging.getLogger("aotel")


class Dropped(NamedTuple):
    """How many envelopes were dropped, by phase.

    Args:
        start: starts of operations; the end of each says all that it said, but for the arguments.
        emit: events inside operations.
        end: ends of operations.
        error: ends of operations that failed.
    """

    start: int = 0
    emit: int = 0
    end: int = 0
    error: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self)

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in zip(self._fields, self, strict=True) if number)


NOTHING: Final = Dropped()
_BEHIND: Final = (
    "aotel: envelopes come faster than they can be sent: starts and events are dropped, then the oldest ends; "
    "aotel.status() counts them"
)
_KEPT: Final = frozenset({"end", "error"})


class Losses(Forking):
    """Counts what is dropped, in this process.

    Args:
        phase_of: says which phase an item is: a field of `Dropped`, or None for one that is no envelope.
    """

    def __init__(self, phase_of: Callable[[Any], str | None] = lambda _: "end") -> None:
        self._phase_of = phase_of
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._full = dict.fromkeys(Dropped._fields, 0)
        self._late = dict.fromkeys(Dropped._fields, 0)
        self._before = NOTHING
        self.going_on = False

    def after_fork_in_child(self) -> None:
        """Start anew: what was dropped before is the parent's loss."""
        self._renew()

    @property
    def full(self) -> Dropped:
        """What was dropped because too much waited."""
        return Dropped(**self._full)

    @property
    def late(self) -> Dropped:
        """What came after the end."""
        return Dropped(**self._late)

    def add_early(self, item: object) -> bool:
        """Count an item that is dropped before others, and say whether it may be.

        An end may not: it says what its start said, and what came of it besides.
        """
        phase = self._phase_of(item)
        if phase in _KEPT:
            return False
        self._add(phase)
        return True

    def add(self, item: object) -> None:
        """Count an item that was dropped because too much waited; neither this nor `add_early` waits for a lock."""
        self._add(self._phase_of(item))

    def _add(self, phase: str | None) -> None:
        if phase is None:
            return
        if not self.going_on:
            self._before = self.full
            self.going_on = True
            _say_elsewhere(logging.WARNING, _BEHIND)
        self._full[phase] += 1

    def add_late(self, item: object) -> None:
        """Count an item that came after the end."""
        phase = self._phase_of(item)
        if phase is not None:
            self._late[phase] += 1

    def over(self) -> None:
        """Say that nothing waits any more, and what was dropped since that was so."""
        if self.going_on:
            self.going_on = False
            lost = Dropped(*(now - before for now, before in zip(self.full, self._before, strict=True)))
            with contextlib.suppress(Exception):
                _logger.info("aotel: envelopes are sent as they come again; dropped meanwhile: %s", lost)


def _say_elsewhere(level: int, sentence: str) -> None:
    # Logging takes locks, of the program's handlers too, and who puts an item may be in the middle of anything. The
    # worker can't say it either: it may wait for a receiver as long as that likes.
    with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
        _thread.start_new_thread(_say, (level, sentence))


def _say(level: int, sentence: str) -> None:
    with contextlib.suppress(Exception):
        _logger.log(level, sentence)
