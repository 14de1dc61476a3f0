"""While the child runs: signals are handed on, time is kept, and its end is waited for."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final, Protocol

from aotel.runner.ending import INTERRUPTED, TIMEOUT

if TYPE_CHECKING:
    from aotel.runner.child import Child
    from aotel.runner.ending import Ending
    from aotel.runner.signals import Received, Signals
    from aotel.runner.tree import Tree

GRACE: Final = 5.0
"""Seconds between the request to end, at the timeout, and the kill."""

WARN_AT: Final = 0.9
"""The share of the timeout at which it is said that it comes near."""

_LONG: Final = 30.0  # seconds; whatever ends the wait comes as a signal
_SHORT: Final = 0.05
_JOB_CONTROL: Final = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_SAME_SENDER: Final = 0.25  # seconds in which one sender's second signal is the same as its first
_SAME: Final = 0.02


class Audience(Protocol):
    """Who is told what happens, and owns the terminal that it is shown on."""

    def suspend(self) -> None:
        """Leave the terminal as it was: we are about to be stopped."""

    def resume(self) -> None:
        """Take it up again."""

    def resized(self) -> None:
        """It may have another size."""

    def time_is_short(self, timeout: float) -> None:
        """Nine tenths of the timeout have passed."""

    def time_is_over(self, timeout: float) -> None:
        """The timeout has passed: the tree is asked to end."""

    def interrupted(self, *, again: bool) -> None:
        """An interrupt has come; a second one kills the tree."""


class Supervisor:
    """Waits for a child, from the main thread.

    Args:
        child: the child.
        tree: it with all that it has started.
        ending: ends them.
        signals: those that reach us, already held back.
        audience: is told.
        timeout: seconds that the child may run, None for ever; those in which we are stopped don't count.
    """

    def __init__(  # noqa: PLR0913 - what has to work together
        self,
        child: Child,
        tree: Tree,
        ending: Ending,
        signals: Signals,
        audience: Audience,
        timeout: float | None = None,
    ) -> None:
        self._child = child
        self._tree = tree
        self._ending = ending
        self._signals = signals
        self._audience = audience
        self._timeout = timeout
        self._start = child.started
        self._warned = False
        self._kill_at: float | None = None
        self._interrupts: list[Received] = []
        self._followed = False

    @property
    def was_interrupted(self) -> bool:
        """Whether an interrupt has come."""
        return bool(self._interrupts)

    def wait(self) -> None:
        """Return when the child has ended; when it was ended by us, not before the whole tree has."""
        while not self._is_over():
            for received in self._signals.wait(self._pause()):
                self._obey(received)
            self._child.poll()
            self._tree.reap(but=self._child.pid)
            self._follow_stop()
            self._keep_time()

    def wait_for_others(self, seconds: float) -> None:
        """Wait a moment for what the child has left behind."""
        deadline = time.monotonic() + seconds
        while self._tree.processes() and time.monotonic() < deadline:
            for received in self._signals.wait(_SHORT):
                if received.number in {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}:
                    return
            self._tree.reap(but=self._child.pid)

    def _is_over(self) -> bool:
        if self._child.exit is None:
            return False
        if self._kill_at is None or not self._tree.processes():
            return True
        if time.monotonic() < self._kill_at:
            return False
        self._ending.kill(TIMEOUT)
        return True

    def _pause(self) -> float:
        if self._child.exit is not None:
            return _SHORT
        due = [_LONG]
        if self._kill_at is not None:
            due.append(self._kill_at - time.monotonic())
        elif self._timeout is not None:
            share = 1.0 if self._warned else WARN_AT
            due.append(self._start + share * self._timeout - time.monotonic())
        return max(min(due), 0.0)

    def _keep_time(self) -> None:
        now = time.monotonic()
        if self._child.exit is not None or self._timeout is None:
            return
        if self._kill_at is not None:
            if now >= self._kill_at:
                self._ending.kill(TIMEOUT)
        elif now >= self._start + self._timeout:
            self._kill_at = now + GRACE
            self._audience.time_is_over(self._timeout)
            self._ending.ask(TIMEOUT)
        elif not self._warned and now >= self._start + WARN_AT * self._timeout:
            self._warned = True
            self._audience.time_is_short(self._timeout)

    def _obey(self, received: Received) -> None:
        number = received.number
        if number == signal.SIGTSTP:
            if not self._has_reached_child(received):
                self._child.send(signal.SIGTSTP)
            self._stop()
        elif number == signal.SIGCONT:
            self._child.send(signal.SIGCONT)
        elif number == signal.SIGINT:
            self._interrupt(received)
        elif number != signal.SIGCHLD:
            if number == signal.SIGWINCH:
                self._audience.resized()
            if not self._has_reached_child(received):
                self._child.send(number)

    def _interrupt(self, received: Received) -> None:
        for former in self._interrupts:
            close = _SAME_SENDER if received.sender and received.sender == former.sender else _SAME
            if received.time - former.time < close:
                return  # `timeout`, say, tells its child and then the whole group
        self._interrupts.append(received)
        if len(self._interrupts) > 1:
            self._audience.interrupted(again=True)
            self._ending.kill(INTERRUPTED)
            return
        self._audience.interrupted(again=False)
        if not self._has_reached_child(received):
            self._child.send(signal.SIGINT)

    def _has_reached_child(self, received: Received) -> bool:
        """Say whether a signal went to the child as well: the terminal, and `kill 0`, mean the whole group."""
        if not self._child.is_in_our_group():
            return False
        if received.terminal is None:
            return received.number in {signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH} and (
                _in_foreground()
            )
        if received.terminal:
            # It hangs up on the leader of its session alone, who passes that on by its end.
            return received.number != signal.SIGHUP or os.getsid(0) != os.getpid()
        # A shell that hangs up tells each of its jobs as a whole.
        leader = received.number == signal.SIGHUP and received.sender == os.getsid(0)
        return leader or self._tree.includes(received.sender)

    def _follow_stop(self) -> None:
        """Stop with a child that was stopped by the terminal, or like it, so that our shell learns of it."""
        if self._child.stopped_by is None:
            self._followed = False
        elif not self._followed and self._child.stopped_by in _JOB_CONTROL:
            self._followed = True
            self._stop()

    def _stop(self) -> None:
        before = time.monotonic()
        self._audience.suspend()
        self._signals.stop_here()
        self._child.send(signal.SIGCONT)
        self._audience.resume()
        self._start += time.monotonic() - before


def _in_foreground() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
