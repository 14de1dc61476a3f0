"""Spans on their way to one receiver: bounded, sent by a thread of its own, kept while the receiver is down."""

from __future__ import annotations

import contextlib
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aotel import forking
from aotel.export.backlog import Backlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.export.spans import CarefulSpanExporter

MAX_SPANS: Final = 2048
MAX_REQUEST: Final = 512
MAX_BYTES: Final = 64 << 20
"""Bytes of the spans that are kept at most: it takes a long outage, or spans with whole documents in them."""


class SpanQueue(SpanExporter, forking.Forking):
    """Takes spans at once, whatever their receiver does, and sends them in a thread of its own.

    What the receiver doesn't take for the moment goes back to its place. When there is more than fits, the oldest are
    dropped.

    Args:
        exporter: sends them.
        max_spans: how many wait at most.
        max_request: how many spans a request has at most.
    """

    def __init__(
        self, exporter: CarefulSpanExporter, *, max_spans: int = MAX_SPANS, max_request: int = MAX_REQUEST
    ) -> None:
        self.exporter = exporter
        exporter.keeps(max_spans)
        self._max_spans = max_spans
        self._backlog: Backlog[ReadableSpan] = Backlog(max_spans, MAX_BYTES)
        self._max_request = max_request
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._sending = 0
        self._hurry = False
        self._ended = False
        self.start()
        forking.watch(self)

    @property
    def room(self) -> int:
        """How many more spans it takes without dropping any."""
        return self._max_spans - len(self._backlog) - self._sending

    def start(self) -> None:
        """See that the thread runs: a fork leaves the child without one."""
        if self._thread is not None or self._ended:
            return
        thread = threading.Thread(target=self._run, name="aotel-spans", daemon=True)
        with contextlib.suppress(RuntimeError):  # the interpreter is shutting down: whoever exports sends
            thread.start()
            self._thread = thread

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take spans; never raises, and waits for nobody."""
        items = self.exporter.prepare(spans)
        with self._changed:
            if self._ended:
                return SpanExportResult.FAILURE
            for span, size in items:
                self._backlog.add(span, size)
            dropped = self._backlog.trim()
            self._changed.notify_all()
        self.exporter.lost(dropped)
        self.start()
        if self._thread is None:
            while self._ready() and self._send():
                pass
        return SpanExportResult.FAILURE if dropped else SpanExportResult.SUCCESS

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not self._ready():
                    self._changed.wait(self.exporter.wait(hurry=self._hurry) if self._backlog else None)
                if self._ended:
                    return
            self._send()

    def _ready(self) -> bool:
        return bool(self._backlog) and not self.exporter.wait(hurry=self._hurry)

    def _send(self) -> bool:
        """Send one request; return whether the receiver took it."""
        with self._changed:
            taken = self._backlog.take(self.exporter.request_bytes, self._max_request)
            self._sending = len(taken)
        left = self.exporter.deliver(taken)
        with self._changed:
            self._backlog.put_back(left)
            dropped = self._backlog.trim() + (self._backlog.clear() if self.exporter.off else 0)
            self._sending = 0
            if left:
                self._hurry = False
            self._changed.notify_all()
        self.exporter.lost(dropped)
        return not left

    def hurry(self) -> None:
        """Have what waits sent now, also if the receiver was down a moment ago; return at once."""
        with self._changed:
            self._hurry = bool(self._backlog) or self._sending > 0
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Send what waits, within some seconds; return whether all of it was delivered."""
        deadline = monotonic() + seconds
        self.hurry()
        with self._changed:
            while self._backlog or self._sending:
                left = deadline - monotonic()
                if self._ended or left <= 0 or not self._may_succeed(left):
                    return False
                self._changed.wait(left)
        return True

    def _may_succeed(self, seconds: float) -> bool:
        """Say whether there will be an attempt in that time; the lock is held."""
        if self._sending:
            return True
        wait = self.exporter.wait(hurry=self._hurry)
        return self._thread is not None and wait < seconds and not (wait and self.exporter.hopeless)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what waits."""
        return self.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Stop at once."""
        self.finish(0)

    def finish(self, seconds: float) -> int:
        """Send what waits, within some seconds, and stop; return how many spans are lost."""
        if self._ended:
            return 0
        self.flush(seconds)
        with self._changed:
            self._ended = True
            lost = self._sending + self._backlog.clear()
            self._changed.notify_all()
        self.exporter.shutdown()
        return lost

    def before_fork(self) -> None:
        """Nothing: a child never uses the parent's connection."""

    def after_fork_in_parent(self) -> None:
        """Nothing was held."""

    def after_fork_in_child(self) -> None:
        """Start anew: what waits is the parent's to send, and its lock may be held for ever."""
        self._changed = threading.Condition()
        self._thread = None
        self._sending = 0
        self._hurry = False
        self._backlog.clear()
