"""Something that is done soon, by a thread of its own, however often and wherever it is asked for."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE = 1.0
"""Seconds between two turns: a thousand root spans a second are one request a second, not a thousand."""


class Soon(Forking):
    """Does an action after it was asked for: at once if it was left alone for a while, else when the pause is over.

    Asking takes no lock and never waits: it may happen in a signal handler, or while garbage is collected.

    Args:
        action: what to do; never raises. It should be bounded in time, though nobody waits for it.
        pause: seconds between the end of one turn and the next.
    """

    def __init__(self, action: Callable[[], object], pause: float = PAUSE) -> None:
        self._action = action
        self._pause = pause
        self._stopped = False
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = self._urgent = False

    def after_fork_in_child(self) -> None:
        """Start anew: the parent's thread does not exist here."""
        self._renew()

    def ask(self) -> None:
        """Have it done soon."""
        if self._asked or self._stopped:
            return
        self._asked = True
        if self._thread is None:
            self._start()
        self._wake.put(None)

    def now(self) -> None:
        """Have it done now, in the middle of a pause too."""
        self._urgent = True
        self._asked = False
        self.ask()

    def stop(self) -> None:
        """Do nothing more; a turn that is under way comes to its end."""
        self._stopped = True
        self._wake.put(None)

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # somebody is at it, perhaps the very code that a signal handler has interrupted
        token = otel_context.attach(otel_context.Context())  # the thread belongs to no span
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, args=(self._wake,), name="aotel-spans", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # the interpreter is shutting down: whoever ends the program sends what there is
            self._asked = False
        finally:
            otel_context.detach(token)
            self._starting.release()

    def _run(self, wake: SimpleQueue[None]) -> None:
        while True:
            wake.get()
            if self._stopped:
                return
            # Before the turn: whoever asks during it is not sure to be served by it.
            self._asked = self._urgent = False
            self._action()
            if self._was_asked_in_pause(wake):
                wake.put(None)

    def _was_asked_in_pause(self, wake: SimpleQueue[None]) -> bool:
        asked = False
        until = monotonic() + self._pause
        while not (self._urgent or self._stopped):
            try:
                wake.get(timeout=max(until - monotonic(), 0))
            except Empty:
                return asked
            asked = True
        return True
