"""What every form of the view can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aotel.view.events import Event
    from aotel.view.summary import Summary

CLOSING: float = 3.0
"""Seconds that the end of a view is waited for: a terminal that was stopped (Ctrl-S) takes nothing."""


class View(Protocol):
    """Shows events to a person, or writes them for a program. Its methods may be called by any thread; none raises."""

    form: str
    """What it is: "rich", "simple", "json" or "off"."""
    reason: str
    """Why it is not what was asked for; "" if it is."""

    def show(self, event: Event) -> None:
        """Take an event; returns at once."""
        ...

    def drain(self, timeout: float) -> bool:
        """Wait until what was taken is shown, at most `timeout` seconds; return whether it is."""
        ...

    def suspend(self) -> None:
        """Leave the terminal as it was, until `resume`: the process is about to be stopped."""
        ...

    def resume(self) -> None:
        """Take the terminal up again."""
        ...

    def resized(self) -> None:
        """Look at the terminal's size: it may have changed."""
        ...

    def close(self, summary: Summary | None) -> None:
        """Show what is left, then the summary, and give the terminal back; a second call does nothing."""
        ...


class Off:
    """Shows nothing."""

    form = "off"
    reason = ""

    def show(self, event: Event) -> None:
        """Let it go."""

    def drain(self, timeout: float) -> bool:  # noqa: ARG002 - there is nothing to wait for
        """Return at once."""
        return True

    def suspend(self) -> None:
        """Nothing is held."""

    def resume(self) -> None:
        """Nothing was left."""

    def resized(self) -> None:
        """It has no size."""

    def close(self, summary: Summary | None) -> None:
        """Nothing is left."""
