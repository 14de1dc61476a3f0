"""Hands events on to a thread of its own, so that whoever shows them never waits for a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.view.events import Event

LIMIT: Final = 20_000
"""Events that wait at most; past that the oldest go, and are counted."""
_BATCH: Final = 1_000
_SIGNALS: Final = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGCHLD", "SIGCONT"),
    *("SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGUSR1", "SIGUSR2", "SIGWINCH"),
)


class Relay:
    """A bounded queue and a daemon thread, which is started by the first event.

    Nothing on the way in takes a lock: an event may come from a signal handler. In a forked child it is closed: what
    waits is the parent's to show, and so is the terminal.

    Args:
        act: is given what came, in order, and how many events were left out before that; called by one thread.
        interval: seconds between calls of `act`, also if nothing came; None to call it as soon as something does.
        due: without an interval: in how many seconds to call `act` if nothing comes until then; None for never.
        limit: how many events may wait.
    """

    def __init__(
        self,
        act: Callable[[list[Event], int], None],
        *,
        interval: float | None = None,
        due: Callable[[], float | None] = lambda: None,
        limit: int = LIMIT,
    ) -> None:
        self._act = act
        self._due = due
        self._interval = interval
        self._batch = _BATCH if interval is None else limit
        self._limit = limit
        self._waiting: deque[Event] = deque()
        self._left_out = 0
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._idle = True
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._closed = False
        self._done = threading.Event()
        self._pid = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this is the process in which it was made."""
        return self._pid == os.getpid()

    def put(self, event: Event) -> None:
        """Take an event; never waits, never raises."""
        if self._closed or not self.is_ours:
            return
        if len(self._waiting) >= self._limit:
            with contextlib.suppress(IndexError):
                self._waiting.popleft()
                self._left_out += 1
        self._waiting.append(event)
        if self._thread is None:
            self.start()
        elif self._idle and self._interval is None:
            self._idle = False
            self._wake.put(None)

    def nudge(self) -> None:
        """Have `act` called soon, whether or not anything came."""
        self._wake.put(None)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits any more, at most `timeout` seconds; return whether that is so."""
        deadline = time.monotonic() + timeout
        while self.is_ours and self._thread is not None and self._thread.is_alive():
            if not self._waiting and self._idle:
                return True
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return not self._waiting

    def close(self, end: Callable[[], None], timeout: float) -> bool:
        """Take no more, have the rest acted on and `end` called; return whether that was done in time.

        Args:
            end: called once, after the last `act`, in the same thread.
            timeout: seconds to wait for it.
        """
        if self._closed or not self.is_ours:
            return True
        self._end = end
        self._closed = True
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._finish()
            return True
        self._wake.put(None)
        return self._done.wait(timeout)

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if not self._starting.acquire(blocking=False):
            return  # somebody is at it, perhaps the very code that a signal handler has interrupted
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="aotel-view", daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # the interpreter is shutting down: `close` shows what waits
            self._thread = None
        finally:
            self._starting.release()

    def _run(self) -> None:
        _leave_signals_to_others()
        while True:
            self._step()
            if self._closed:
                break
            self._idle = True
            if self._interval is not None or not self._waiting:
                self._sleep(self._due() if self._interval is None else self._interval)
            self._idle = False
        self._finish()

    def _sleep(self, seconds: float | None) -> None:
        with contextlib.suppress(Empty):
            self._wake.get(timeout=seconds)
            while True:
                self._wake.get_nowait()

    def _step(self) -> None:
        batch: list[Event] = []
        with contextlib.suppress(IndexError):
            while len(batch) < self._batch:
                batch.append(self._waiting.popleft())
        left_out, self._left_out = self._left_out, 0
        # What can't be shown must not end the thread, and with it the view.
        with contextlib.suppress(Exception):
            self._act(batch, left_out)

    def _finish(self) -> None:
        while self._waiting or self._left_out:
            self._step()
        end, self._end = self._end, None
        if end is not None:
            with contextlib.suppress(Exception):
                end()
        self._done.set()


def _leave_signals_to_others() -> None:
    """Have signals delivered to threads that wait for them: `sigwait` of others must not miss one because of ours."""
    if hasattr(signal, "pthread_sigmask"):
        there = {getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)}
        signal.pthread_sigmask(signal.SIG_BLOCK, there)
