"""What views have in common whose lines flow by, with nothing that stays in place: a thread that writes them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from aotel.view.relay import Relay
from aotel.view.views import CLOSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.view.events import Event, Level
    from aotel.view.sink import Sink
    from aotel.view.summary import Summary


class FlowingView(ABC):
    """Writes events in a thread of its own.

    Args:
        sink: where to.
        level: the least that is shown.
        due: seconds until there is something to write that no event brings; None for never.
    """

    def __init__(self, sink: Sink, level: Level, due: Callable[[], float | None] = lambda: None) -> None:
        self._sink = sink
        self._level = level
        self._relay = Relay(self._turn, due=due)

    def show(self, event: Event) -> None:
        """Take an event."""
        if event.level >= self._level:
            self._relay.put(event)

    def drain(self, timeout: float) -> bool:
        """Wait until what was taken is written, or waits for the end of what it stands in."""
        return self._relay.drain(timeout)

    def suspend(self) -> None:  # noqa: B027 - a default
        """Nothing is held."""

    def resume(self) -> None:  # noqa: B027
        """Nothing was left."""

    def resized(self) -> None:  # noqa: B027
        """A size is looked at every time, if it matters."""

    def close(self, summary: Summary | None) -> None:
        """Write what is left, and the summary."""
        if not self._relay.close(lambda: self._finish(summary), CLOSING):
            self._sink.is_abandoned = True

    @abstractmethod
    def _turn(self, events: list[Event], left_out: int) -> None:
        """Write events; before them, that some were left out."""

    @abstractmethod
    def _finish(self, summary: Summary | None) -> None:
        """Write what still waits, and the summary if there is one."""
