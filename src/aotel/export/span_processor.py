"""The batch processor for span exporters that we make: prompt after a root span, and over in time, come what may."""

from __future__ import annotations

import contextlib
import inspect
import threading
from functools import partial
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from aotel.calls import PORT
from aotel.export.quiet import listening
from aotel.export.soon import Soon
from aotel.export.spans import careful
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

FLUSH_TIMEOUT = 5.0
"""Seconds that the end of a program waits for its last spans, at most."""


def bounded_batch_processor(exporter: SpanExporter, flush_timeout: float = FLUSH_TIMEOUT) -> BoundedBatchSpanProcessor:
    """Return a batch span processor around `exporter`, as OTEL_BSP_* say, that never takes long to end.

    Args:
        exporter: sends the spans. After a fork, one from `otlp_span_exporter` is built anew in the child; of others
            the gRPC ones get a channel of their own.
        flush_timeout: seconds that `shutdown` takes at most; what isn't sent by then is lost.
    """
    return BoundedBatchSpanProcessor(exporter, flush_timeout)


class BoundedBatchSpanProcessor(BatchSpanProcessor, Forking):
    """See `bounded_batch_processor`.

    Attributes:
        sends_at_root: whether the end of a root span has what waits sent soon, rather than at the usual interval.
        used: whether a span has ended in this process.
    """

    def __init__(self, exporter: SpanExporter, flush_timeout: float) -> None:
        self._careful = careful(exporter)
        self._flush_timeout = flush_timeout
        self.sends_at_root = True
        self.used = False
        super().__init__(self._careful)
        self._soon = Soon(partial(BatchSpanProcessor.force_flush, self))
        watch(self)

    def after_fork_in_child(self) -> None:
        """Nothing of the child's own waits yet."""
        self.used = False

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span."""
        self.used = True
        if self._careful.down:
            # "Queue full" goes without saying when nothing is delivered, and that has been said.
            with listening():
                super().on_end(span)
            return  # a receiver that is down is tried at the usual interval
        super().on_end(span)
        if self.sends_at_root and (span.parent is None or span.parent.is_remote):
            self._soon.ask()

    def send_now(self) -> None:
        """Have what waits sent by another thread, without waiting for it."""
        self._soon.now()

    def shutdown(self) -> None:
        """Send what waits, and shut down, within the flush timeout."""
        self.end(self._flush_timeout)

    def end(self, seconds: float) -> None:
        """Send what waits, and shut down.

        Args:
            seconds: that it takes at most.
        """
        self._soon.stop()
        stop = getattr(self._batch_processor, "shutdown", None)
        if stop is not None and "timeout_millis" in inspect.signature(stop).parameters:
            # Interrupted in the middle of a fork, a child has a thread that was not started yet, and nothing to send.
            with contextlib.suppress(RuntimeError):
                stop(timeout_millis=int(seconds * 1000))
        else:
            within(seconds, super().shutdown)
            self._careful.shutdown()

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Send what waits; say whether that was done in time."""
        # The stock one sends on the thread that calls, and for as long as it takes.
        seconds = self._flush_timeout if timeout_millis is None else timeout_millis / 1000
        return within(seconds, super().force_flush)


def within(seconds: float, action: Callable[[], object]) -> bool:
    """Run an action in a thread of its own; return whether it ended in time, and didn't return False.

    Args:
        seconds: to wait for it at most; it goes on in any case.
        action: what to do.
    """
    results: list[object] = []

    def act() -> None:
        try:
            results.append(action())
        except Exception as error:  # noqa: BLE001 - a thread of ours must not print its traceback
            PORT.report("a flush", error)

    thread = threading.Thread(target=act, name="aotel-flush", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down: `shutdown` sends what there is
        return False
    thread.join(max(seconds, 0))
    return bool(results) and results[0] is not False
