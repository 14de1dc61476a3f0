"""The thread that makes envelopes and hands them to the exporters, so that the program's own threads never wait.

Nothing on the way in waits for a lock: an item may come from a signal handler or from garbage collection, in the middle
of another one's way in.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import suppress_instrumentation

from aotel.forking import Forking, watch
from aotel.pipeline.losses import Losses
from aotel.pipeline.waiting import SIZE_LIMIT, FlushRequest, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 64
"""Items a batch: small, because encoding holds the interpreter's lock."""
INTERVAL = 0.2
"""Seconds that a batch waits for company."""
RETRY_INTERVAL = 1.0
"""Seconds between attempts to deliver what was kept."""
_PATIENCE = 0.05  # seconds between looks at whether the thread that a flush waits for is still there


class _Flush(FlushRequest):
    def __init__(self) -> None:
        self.answer: SimpleQueue[bool] = SimpleQueue()

    def answered(self, *, complete: bool) -> None:
        self.answer.put(complete)


class Worker(Forking):
    """A queue, and a daemon thread that is started by the first item and again in a forked child.

    Args:
        work: what to do with a batch of items; called by one thread at a time, never raises into the program. An empty
            batch is a chance to try again what was kept.
        is_waiting: says whether something was kept that is to be tried again.
        flush: tries once to get rid of what was kept, and says whether nothing is; called when somebody flushes.
        losses: counts what is dropped, and says what may be; where there are none, the oldest items go.
        inline: no thread: every item is worked off before `put` returns.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Any]], None],
        *,
        is_waiting: Callable[[], bool] = lambda: False,
        flush: Callable[[], bool] = lambda: True,
        losses: Losses | None = None,
        inline: bool = False,
    ) -> None:
        self._work = work
        self._is_waiting = is_waiting
        self._flush_kept = flush
        self._inline = inline
        self.losses = losses or Losses()
        self._stopped = False
        self._renew()
        watch(self)

    def _renew(self) -> None:
        # Its `put` can be interrupted by itself, as no other way to wake a thread can.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._waiting = Waiting(self.losses)
        self._starting = threading.Lock()
        self._working = threading.RLock()
        self._idle = self._in_a_hurry = False
        self._hurried = 0.0
        self._thread: threading.Thread | None = None

    def after_fork_in_child(self) -> None:
        """Start empty: what waits is the parent's to deliver, and its thread does not exist here."""
        self._renew()

    @property
    def is_stopped(self) -> bool:
        """Whether items are no longer taken."""
        return self._stopped

    @property
    def is_inline(self) -> bool:
        """Whether there is no thread: whoever puts an item works it off."""
        return self._inline

    @property
    def has_worked(self) -> bool:
        """Whether an item was ever put, in this process."""
        return self._thread is not None or bool(self._waiting)

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is the thread that works the items off."""
        return self._thread is threading.current_thread()

    @property
    def queued(self) -> int:
        """How many items wait."""
        return len(self._waiting)

    @property
    def size(self) -> int:
        """How much memory they keep from being freed, roughly, in characters."""
        return self._waiting.size

    def hurry(self) -> None:
        """Have what waits worked off now, without company; once an interval at most, and without waiting for it."""
        now = monotonic()
        if self._thread is None or not self._waiting or now - self._hurried < INTERVAL:
            return
        self._hurried = now
        self._in_a_hurry = True
        self._wake.put(None)

    def put(self, item: object, size: int = 0) -> None:
        """Take an item; never waits, except in inline mode.

        Args:
            item: anything.
            size: how much memory it keeps from being freed, roughly, in characters.
        """
        if self._stopped:
            self.losses.add_late(item)
            return
        waiting = self._waiting
        line = waiting.line
        if len(line) >= waiting.room or waiting.size_in - waiting.size_out > SIZE_LIMIT:
            waiting.make_room()
        waiting.size_in += size
        line.append((item, size))
        if self._inline:
            self._drain()
        elif self._thread is None:
            self._start()
        elif self._idle:
            self._idle = False
            self._wake.put(None)

    def _start(self) -> None:
        if not self._starting.acquire(blocking=False):
            return  # somebody is at it, perhaps the very code that a signal handler has interrupted
        try:
            if self._thread is None:
                self._start_thread()
        finally:
            self._starting.release()

    def _start_thread(self) -> None:
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
        while not self._stopped:
            if not self._in_a_hurry:
                self._sleep(INTERVAL)
            self._in_a_hurry = False
            self._drain()
            self._idle = True
            if not self._waiting and not self._stopped:
                self._waiting.is_empty()
                self._sleep(RETRY_INTERVAL if self._is_waiting() else None)
            self._idle = False
        self._drain()

    def _sleep(self, timeout: float | None) -> None:
        try:
            self._wake.get(timeout=timeout)
            while True:
                self._wake.get_nowait()
        except Empty:
            return

    def _drain(self) -> None:
        with self._working, suppress_instrumentation():
            if not self._waiting and self._is_waiting():
                self._work([])
            while taken := self._waiting.take(BATCH):
                self._work_off(taken)
            self.losses.over()

    def _work_off(self, batch: list[Any]) -> None:
        flush = batch.pop() if isinstance(batch[-1], _Flush) else None
        if batch:
            self._work(batch)
        if flush is not None:
            flush.answered(complete=self._flush_kept())

    def flush(self, timeout: float) -> bool:
        """Wait until what was put before is worked off, at most `timeout` seconds; say whether all of it went out."""
        thread = self._thread
        if self._inline or thread is None or thread is threading.current_thread():
            if timeout > 0 or self._waiting:
                self._drain()
            # What was kept is sent here, which takes as long as the destination lets it.
            return self._flush_kept() if timeout > 0 else not self._is_waiting()
        request = _Flush()
        self._waiting.line.append((request, 0))
        self._in_a_hurry = True
        self._wake.put(None)
        deadline = monotonic() + timeout
        while True:
            try:
                return request.answer.get(timeout=max(min(_PATIENCE, deadline - monotonic()), 0))
            except Empty:
                if not thread.is_alive():
                    self._drain()
                elif monotonic() >= deadline:
                    return False

    def shutdown(self, timeout: float) -> bool:
        """Work off what waits and end the thread, within `timeout` seconds."""
        if self._stopped:
            return not self._waiting
        flushed = self.flush(timeout)
        self._stopped = True
        self._wake.put(None)
        return flushed
