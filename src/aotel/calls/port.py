"""The port between the manual API and whatever pipeline runs: the composition root fills it in, the rest reads it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from opentelemetry import trace

from aotel._version import __version__
from aotel.calls.outcomes import describe_error
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

    from aotel.calls.call import Call
    from aotel.content import Capture, Tree

SCOPE_NAME = "aotel"
_PATIENCE = 2.0
"""Seconds that a fork waits for another thread's configuration."""

_logger = logging.getLogger("aotel")


class Emit(Protocol):
    """Hands an event of a span on, as a `coat.emit` envelope."""

    def __call__(self, span: Span, tag: str, data: Tree, capture: Capture) -> None:
        """Take an event: its span, tag, and data that is clean under `capture` already."""


class Port(Forking):
    """What the manual API needs of the pipeline, looked up as plain attributes: nothing here costs a call."""

    __slots__ = (
        "_failures",
        "_forking",
        "_lock",
        "attributes_at_start",
        "autostart",
        "call_of",
        "emit",
        "enabled",
        "later",
        "process_session",
        "propagate_session",
        "remote_parent",
        "session_id",
        "tracer",
        "unsampled",
    )

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._forking: set[int] = set()
        watch(self)
        self._failures: set[str] = set()
        self.reset()

    def reset(self) -> None:
        """Forget what was configured: the next call configures anew."""
        self.enabled = True
        self.tracer: Tracer | None = None
        self.autostart: Callable[[], None] | None = None
        self.emit: Emit | None = None
        self.unsampled: Callable[[], None] | None = None
        # Finds the call of a span, where neither processors see the span nor the context keeps the call.
        self.call_of: Callable[[Span], Call | None] | None = None
        # Runs something soon in a thread that may take locks: garbage collection must not.
        self.later: Callable[[Callable[[], None]], None] | None = None
        self.remote_parent: Context | None = None
        self.session_id: str | None = None
        # That of all which happens outside any `session` block, where somebody named one.
        self.process_session: str | None = None
        self.propagate_session = False
        # Whether the provider's sampler may look at attributes: handing them over costs a fifth of a span.
        self.attributes_at_start = True

    def open(self) -> Tracer:
        """Return the tracer, configuring once if nobody has: a program that only decorates gets its spans too."""
        # Whoever else makes its first call meanwhile waits: its spans are to be recorded like all later ones.
        with self._lock:
            autostart, self.autostart = self.autostart, None
            if self.tracer is None and autostart is not None:
                try:
                    autostart()
                except Exception as error:  # noqa: BLE001 - the host program must not suffer from our set-up
                    self.report("configuration", error)
        if not self.enabled:
            return trace.NoOpTracer()
        tracer = self.tracer
        return tracer if tracer is not None else trace.get_tracer(SCOPE_NAME, __version__)

    def before_fork(self) -> None:
        """Let another thread finish configuring: the child would wait forever for the modules it is importing."""
        if self._lock.acquire(timeout=_PATIENCE):
            self._forking.add(threading.get_ident())

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if threading.get_ident() in self._forking:
            self._forking.discard(threading.get_ident())
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Take a lock that nobody holds: the thread that held the parent's may not exist here."""
        self._lock = threading.RLock()
        self._forking.clear()

    def report(self, where: str, error: BaseException) -> None:
        """Say once a process and place that instrumentation failed; the host program goes on."""
        # A stack that is used up is the program's own error, which it is about to see.
        if where in self._failures or isinstance(error, RecursionError):
            return
        self._failures.add(where)
        _logger.warning("aotel failed in %s (%s); the program goes on, this is said once", where, describe_error(error))


PORT = Port()
