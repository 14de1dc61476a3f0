"""The rich view itself: takes events, and draws in a thread of its own, a few times a second."""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from aotel.view import wording
from aotel.view.events import Event, Kind, Level
from aotel.view.lines import Line, Lines
from aotel.view.live import guard
from aotel.view.live.look import Look
from aotel.view.live.page import page
from aotel.view.live.panel import Panel
from aotel.view.live.pulse import Pulse
from aotel.view.live.region import Region, at_once, insert, new_line
from aotel.view.live.rows import Rows
from aotel.view.relay import Relay
from aotel.view.sink import size
from aotel.view.views import CLOSING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.view.sink import Sink
    from aotel.view.summary import Summary

if sys.platform != "win32":
    import termios

INTERVAL: Final = 0.125
"""Seconds between two looks at what came: nothing is drawn more often."""
_AGAIN: Final = 1.0  # seconds after which all of the panel is drawn anew: somebody may have wiped it
_MOST: Final = 60  # lines a turn; of those that matter more, as many again
_HELD: Final = 2_000  # lines that wait while somebody else has the terminal
_PATIENCE: Final = 0.3  # seconds that whoever wants the terminal back waits for a drawing to end
_SHRINK: Final = 2.0  # seconds that the panel keeps a height that it doesn't need
_LOWEST: Final = 8  # rows of a screen that has a panel


class LiveView:
    """Shows lines, and a panel below them.

    Args:
        sink: a terminal.
        level: the least that lines are shown of; the panel counts all.
        title: what is run.
        environ: where the terminal's abilities stand.
    """

    form = "rich"
    reason = ""

    def __init__(self, sink: Sink, level: Level, title: str, environ: Mapping[str, str]) -> None:
        self._sink = sink
        self._level = level
        self._title = title
        self._look = Look(sink.encoding, environ)
        self._rows = Rows(self._look)
        self._panel = Panel(self._look, title)
        self._lines = Lines(eager=level is Level.DEBUG)
        self._pulse = Pulse()
        self._region = Region()
        self._held: list[Line] = []
        self._hidden = 0
        self._since = time.time()
        self._drawn_all = self._needed_at = 0.0
        self._needed = 0
        self._is_ours = True  # whether nobody else reads the terminal key by key
        self._is_suspended = self._has_let_go = False
        self._drawing = threading.Lock()
        self._relay = Relay(self._turn, interval=INTERVAL)
        guard.watch(self)
        self._relay.start()

    def show(self, event: Event) -> None:
        """Take an event."""
        self._relay.put(event)

    def drain(self, timeout: float) -> bool:
        """Wait until it is drawn."""
        return self._relay.drain(timeout)

    def resized(self) -> None:
        """Draw for the terminal's size of now, which is looked at every time in any case."""
        self._relay.nudge()

    def suspend(self) -> None:
        """Take the panel away, and draw nothing."""
        self._is_suspended = True
        if self._relay.is_ours:
            self._leave()

    def resume(self) -> None:
        """Draw again."""
        self._is_suspended = False
        self._relay.nudge()

    def let_go(self) -> None:
        """Take the panel away for good; also from a signal handler."""
        self._has_let_go = True
        if self._relay.is_ours:
            self._leave()

    def close(self, summary: Summary | None) -> None:
        """Draw what is left, take the panel away, and show the summary."""
        if not self._relay.is_ours:
            return
        if not self._relay.close(lambda: self._finish(summary), CLOSING):
            self._sink.is_abandoned = True
            self.let_go()
        guard.forget(self)

    def _leave(self) -> None:
        # Without the lock if need be: it may be this very thread that holds it, below a signal handler.
        locked = self._drawing.acquire(timeout=_PATIENCE)
        try:
            self._sink.write(self._region.close(), patience=_PATIENCE)
        finally:
            if locked:
                self._drawing.release()

    def _turn(self, events: list[Event], left_out: int) -> None:
        if left_out:
            self._hidden += left_out
            self._lines.forget()
            self._pulse.forget()
        for event in events:
            self._pulse.take(event)
            if event.level >= self._level and not _is_for_the_panel(event):
                self._held += self._lines.of(event)
        self._choose()
        with self._drawing:
            if not self._is_suspended and not self._has_let_go and not self._sink.is_broken:
                self._sink.write(at_once(self._drawn()))

    def _choose(self) -> None:
        """Keep as many lines as somebody could read, those that matter more for sure."""
        most = _HELD if self._is_suspended or not self._is_ours else _MOST
        if len(self._held) <= most:
            return
        matter = [line for line in self._held[most:] if line.event.level >= Level.WARNING]
        kept = self._held[:most] + matter[:most]
        self._hidden += len(self._held) - len(kept)
        self._held = kept

    def _drawn(self) -> str:
        """Return what brings the terminal up to date."""
        if not self._may_draw():
            return ""
        columns, rows = size(self._sink.descriptor)
        now = time.time()
        panel = self._panel.rows(self._pulse, columns, rows, self._since, now) if rows >= _LOWEST else []
        text = self._region.fit(columns, rows, self._height(len(panel)))
        panel = [" " * columns] * (self._region.height - len(panel)) + panel
        text += self._waiting_lines(columns)
        again = now - self._drawn_all >= _AGAIN or now < self._drawn_all
        if again:
            self._drawn_all = now
        return text + self._region.draw(panel, again=again)

    def _waiting_lines(self, columns: int) -> str:
        written = [self._rows.row(line, columns) for line in self._held]
        if self._hidden:
            several = wording.several(self._hidden, "more line")
            written.append(self._rows.note(f"{several}, too fast to be read: the record has all of them", columns))
        self._held, self._hidden = [], 0
        return insert(written, self._region.room)

    def _height(self, needed: int) -> int:
        """Return how high the panel is to be: it grows at once, and shrinks when it has been too high for a while."""
        now = time.monotonic()
        if needed >= self._needed or now - self._needed_at >= _SHRINK:
            self._needed = needed
        if needed >= self._needed:
            self._needed_at = now
        return self._needed

    def _may_draw(self) -> bool:
        """Return whether the terminal is ours: not while a program that fills the screen, or a prompt, has it."""
        was_ours, self._is_ours = self._is_ours, _is_line_by_line(self._sink.descriptor)
        if self._is_ours and not was_ours:
            # Whatever had it may have set the margins, and left the cursor anywhere.
            self._sink.write(self._region.close())
        return self._is_ours

    def _finish(self, summary: Summary | None) -> None:
        with self._drawing:
            if self._has_let_go:
                return
            self._has_let_go = True
            columns, _ = size(self._sink.descriptor)
            text = self._waiting_lines(columns) + self._region.close()
            if summary is not None:
                rows = page(summary, self._look, self._title, columns)
                text += new_line(columns) + "".join([f"{row}\r\n" for row in rows])
            self._sink.write(at_once(text))


def _is_for_the_panel(event: Event) -> bool:
    """Return whether an event is shown by the panel alone."""
    return (event.kind is Kind.METRICS and event.fields.get("event") == "sampled") or (
        event.fields.get("event") == "progress" and event.fields.get("state") == "advanced"
    )


def _is_line_by_line(descriptor: int | None) -> bool:
    """Return whether the terminal gives lines to those who read from it, as it does outside full-screen programs."""
    if sys.platform == "win32" or descriptor is None:
        return True
    try:
        flags = termios.tcgetattr(descriptor)[3]
    except termios.error:
        return True
    try:
        is_foreground = os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:  # it is not the terminal that we were started from
        is_foreground = True
    return bool(flags & termios.ICANON) and is_foreground
