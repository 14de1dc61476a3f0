"""The thread that makes envelopes and hands them to the exporters, so that the program's own threads never wait."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import suppress_instrumentation

from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_logger = logging.getLogger("aotel")

QUEUE_LIMIT = 65_536
"""Items that wait at most; past that the oldest go, counted and said."""
BATCH = 64
"""Items a batch: small, because encoding holds the interpreter's lock."""
INTERVAL = 0.2
"""Seconds that a batch waits for company."""
RETRY_INTERVAL = 1.0
"""Seconds between attempts to deliver what was kept."""


class Worker(Forking):
    """A queue, and a daemon thread that is started by the first item and again in a forked child.

    Args:
        work: what to do with a batch of items; called by one thread at a time, never raises into the program. An empty
            batch is a chance to try again what was kept.
        is_waiting: says whether something was kept that is to be tried again.
        flush: tries once to get rid of what was kept; called when somebody flushes.
        inline: no thread: every item is worked off before `put` returns.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Any]], None],
        *,
        is_waiting: Callable[[], bool] = lambda: False,
        flush: Callable[[], None] = lambda: None,
        inline: bool = False,
    ) -> None:
        self._work = work
        self._is_waiting = is_waiting
        self._flush_kept = flush
        self._inline = inline
        self.dropped = 0
        self._queue: deque[Any] = deque()
        self._stopped = False
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._working = threading.RLock()
        self._answer = threading.Condition(threading.Lock())
        self._asked = self._answered = 0
        self._idle = False
        self._thread: threading.Thread | None = None

    def after_fork_in_child(self) -> None:
        """Start empty: what waits is the parent's to deliver, and its thread does not exist here."""
        self._queue.clear()
        self._renew()

    @property
    def is_stopped(self) -> bool:
        """Whether items are no longer taken."""
        return self._stopped

    @property
    def queued(self) -> int:
        """How many items wait."""
        return len(self._queue)

    def put(self, item: object) -> None:
        """Take an item; never waits, except in inline mode."""
        if self._stopped:
            self.dropped += 1
            return
        queue = self._queue
        if len(queue) >= QUEUE_LIMIT:
            self._drop_oldest()
        queue.append(item)
        if self._inline:
            self._drain()
        elif self._thread is None:
            self._start()
        elif self._idle:
            self._wake.set()

    def _drop_oldest(self) -> None:
        try:
            self._queue.popleft()
        except IndexError:
            return
        self.dropped += 1
        if self.dropped == 1:
            _logger.warning("aotel: envelopes wait faster than they can be sent; the oldest are dropped and counted")

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="aotel-envelopes", daemon=True)
            # A thread may take over the context of whoever starts it: the worker belongs to no span.
            token = otel_context.attach(otel_context.Context())
            try:
                thread.start()
                self._thread = thread
            except RuntimeError:  # the interpreter is shutting down: what waits is worked off by `flush`
                self._thread = None
            finally:
                otel_context.detach(token)

    def _run(self) -> None:
        wake = self._wake
        while not self._stopped:
            if self._asked == self._answered:
                wake.wait(INTERVAL)
            wake.clear()
            asked = self._asked
            self._drain()
            if asked != self._answered:
                self._flush_kept()
            with self._answer:
                self._answered = asked
                self._answer.notify_all()
            self._idle = True
            if self._may_sleep(asked):
                wake.wait(RETRY_INTERVAL if self._is_waiting() else None)
                wake.clear()
            self._idle = False

    def _may_sleep(self, asked: int) -> bool:
        return not self._queue and not self._stopped and asked == self._asked

    def _drain(self) -> None:
        with self._working, suppress_instrumentation():
            if not self._queue and self._is_waiting():
                self._work([])
            while self._queue:
                self._work([self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))])

    def flush(self, timeout: float) -> bool:
        """Wait until what was put before is worked off, at most `timeout` seconds; say whether it was."""
        thread = self._thread
        if self._inline or thread is None or not thread.is_alive() or thread is threading.current_thread():
            self._drain()
            self._flush_kept()
            return True
        with self._answer:
            self._asked += 1
            ticket = self._asked
            self._wake.set()
            return self._answer.wait_for(lambda: bool(self._answered >= ticket), timeout)

    def shutdown(self, timeout: float) -> bool:
        """Work off what waits and end the thread, within `timeout` seconds."""
        flushed = self.flush(timeout)
        self._stopped = True
        self._wake.set()
        return flushed
