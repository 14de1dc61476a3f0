"""Whether a destination takes what it is sent: two messages an outage, and when to try again."""

from __future__ import annotations

import contextlib
import logging
import random
import time
from dataclasses import dataclass

_logger = logging.getLogger(__name__)

# Not the module's own functions: a program that seeds `random` gets the numbers it expects, and we get ours.
_random = random.Random()  # noqa: S311  jitter is no secret


def say(level: int, message: str, *args: object) -> None:
    """Log a message, whatever state the program's logging is in (a closed stderr makes it raise)."""
    with contextlib.suppress(Exception):
        _logger.log(level, message, *args)


@dataclass(frozen=True)
class Backoff:
    """Growing waits: each twice the one before, give or take a fifth.

    Args:
        first: seconds of the first wait.
        longest: seconds that no wait exceeds.
    """

    first: float = 1.0
    longest: float = 60.0

    def wait(self, attempt: int) -> float:
        """Return the seconds to wait after attempt number `attempt`, counted from 0."""
        seconds = self.first * 2.0 ** min(attempt, 32)
        return min(self.longest, seconds * _random.uniform(0.8, 1.2))


class Health:
    """Counts failures in a row; says once that a destination is down, and once that it is back.

    Args:
        destination: what it is called in messages, a noun: "the pod at /run/envpod/queue.sock".
        consequence: what happens to the data meanwhile, the end of the warning.
        tolerated: failures in a row that don't count as being down yet.
        backoff: how long to leave a destination alone that is down.
    """

    def __init__(
        self, destination: str, *, consequence: str, tolerated: int = 0, backoff: Backoff | None = None
    ) -> None:
        self._destination = destination
        self.consequence = consequence
        self._tolerated = tolerated
        self._backoff = backoff or Backoff()
        self._failures = 0
        self._next_try = self._asked_until = 0.0
        self.down = False

    @property
    def due(self) -> bool:
        """Whether it may be tried now."""
        return not self.wait()

    def wait(self, *, hurry: bool = False) -> float:
        """Return the seconds until it may be tried; in a `hurry`, only those that it asked for itself."""
        if not self.down:
            return 0.0
        return max((self._asked_until if hurry else self._next_try) - time.monotonic(), 0.0)

    def failed(
        self, reason: str, *, for_sure: bool = False, wait: float = 0.0, consequence: str = "", anew: bool = False
    ) -> None:
        """Note a failure.

        Args:
            reason: what went wrong.
            for_sure: whether there is no use in trying again at once.
            wait: seconds that the destination asks to be left alone, at least.
            consequence: what happens to the data this time, instead of the usual.
            anew: whether it is said although the destination is known to be down: the trouble is another one.
        """
        self._failures = self._tolerated + 1 if for_sure and not self.down else self._failures + 1
        if self._failures <= self._tolerated:
            return
        now = time.monotonic()
        self._asked_until = now + wait if wait else 0.0
        self._next_try = now + max(self._backoff.wait(self._failures - self._tolerated - 1), wait)
        if not self.down or anew:
            self.down = True
            say(logging.WARNING, "aotel: %s: %s; %s", self._destination, reason, consequence or self.consequence)

    def worked(self, *, lost: int = 0) -> None:
        """Note a success.

        Args:
            lost: how many items were lost while it was down.
        """
        self._failures = 0
        if self.down:
            self.down = False
            if lost:
                say(logging.WARNING, "aotel: %s works again; %d were lost meanwhile", self._destination, lost)
            else:
                say(logging.INFO, "aotel: %s works again", self._destination)
