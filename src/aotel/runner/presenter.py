"""Shows the record as it is written, from a thread of its own: a view that is slow, or stuck, holds up nobody else."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aotel.view import EntryReader, Event, Kind, Level

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.audit.entry import Entry
    from aotel.view import View

_MOST_WAITING: Final = 64 << 20  # bytes of details
_MOST_ITEMS: Final = 200_000
_PATIENCE: Final = 0.5  # seconds that the end of a call to the view is waited for
_CLOSING: Final = 5.0
_TOLERATED: Final = 3  # failures of the view


class Presenter:
    """Hands entries and events on to a view, in order.

    Args:
        view: shows them.
        complain: is told, once, what went wrong with the view.
    """

    def __init__(self, view: View, complain: Callable[[str], None]) -> None:
        self._view = view
        self._complain = complain
        self._reader = EntryReader()
        self._waiting: deque[tuple[Callable[..., None], Any, int]] = deque()
        self._bytes = 0
        self._left_out = 0
        self._changed = threading.Condition()
        self._closed = False
        self._failures = 0
        self._thread = threading.Thread(target=self._work, name="aotel-run-view", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def written(self, entries: list[Entry]) -> None:
        """Take entries that are in the log; returns at once."""
        self._put(self._read, entries, sum(len(entry.detail) for entry in entries))

    def say(self, kind: Kind, level: Level, text: str, **fields: object) -> None:
        """Show a line that is not in the log."""
        self._put(self._view.show, Event(kind, level, time.time(), text, fields), len(text))

    def suspend(self) -> None:
        """Leave the terminal as it was, before we are stopped."""
        self._call("suspend")

    def resume(self) -> None:
        """Take the terminal up again."""
        self._call("resume")

    def resized(self) -> None:
        """Have the view look at the size of the terminal."""
        self._call("resized")

    def close(self) -> bool:
        """Show what is left, and the summary; return whether that could be done in time."""
        self._put(self._finish, None, 0)
        self._thread.join(_CLOSING)
        return not self._thread.is_alive()

    def _call(self, name: str) -> None:
        done = threading.Event()

        def call(_: None) -> None:
            try:
                getattr(self._view, name)()
            finally:
                done.set()

        self._put(call, None, 0)
        done.wait(_PATIENCE)

    def _put(self, act: Callable[..., None], argument: object, size: int) -> None:
        with self._changed:
            if size and (self._bytes + size > _MOST_WAITING or len(self._waiting) >= _MOST_ITEMS):
                self._left_out += 1
                return
            self._bytes += size
            self._waiting.append((act, argument, size))
            self._changed.notify()

    def _work(self) -> None:
        while not self._closed:
            with self._changed:
                while not self._waiting:
                    self._changed.wait()
                act, argument, size = self._waiting.popleft()
                self._bytes -= size
            try:
                act(argument)
            except Exception as error:  # noqa: BLE001 - whatever becomes of the view, the program runs and is recorded
                self._failed(error)

    def _read(self, entries: list[Entry]) -> None:
        for entry in entries:
            for event in self._reader.feed(entry):
                if self._failures < _TOLERATED:
                    self._view.show(event)

    def _finish(self, _: None) -> None:
        self._closed = True
        if self._left_out:
            text = f"the view fell behind: {self._left_out} batches are in the record, and not in the summary"
            self._view.show(Event(Kind.WARNING, Level.WARNING, time.time(), text, {}))
        self._view.close(self._reader.summary())

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            self._complain(f"the view failed ({type(error).__name__}: {error}); the program is recorded all the same")
        if self._closed:
            with contextlib.suppress(Exception):
                self._view.close(None)


def write_line(text: str) -> None:
    """Write a line to standard error, unless nobody reads what was written before."""
    with contextlib.suppress(OSError, ValueError):
        if select.select([], [2], [], _PATIENCE)[1]:
            os.write(2, f"aotel run: {text}\n".encode(errors="backslashreplace"))
