"""The batch processor for span exporters that we make: it ends in time, whatever the receiver does."""

from __future__ import annotations

import inspect
import threading
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from aotel.export.quiet import listening
from aotel.export.spans import careful

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter

FLUSH_TIMEOUT = 5.0
"""Seconds that the end of a program waits for its last spans, at most."""


def bounded_batch_processor(exporter: SpanExporter, flush_timeout: float = FLUSH_TIMEOUT) -> SpanProcessor:
    """Return a batch span processor around `exporter`, as OTEL_BSP_* say, that never takes long to end.

    Args:
        exporter: sends the spans. After a fork, one from `otlp_span_exporter` is built anew in the child; of others
            the gRPC ones get a channel of their own.
        flush_timeout: seconds that `shutdown` takes at most; what isn't sent by then is lost.
    """
    return _BoundedBatchSpanProcessor(exporter, flush_timeout)


class _BoundedBatchSpanProcessor(BatchSpanProcessor):
    def __init__(self, exporter: SpanExporter, flush_timeout: float) -> None:
        self._careful = careful(exporter)
        self._flush_timeout = flush_timeout
        super().__init__(self._careful)

    def on_end(self, span: ReadableSpan) -> None:
        if self._careful.down:
            # "Queue full" goes without saying when nothing is delivered, and that has been said.
            with listening():
                super().on_end(span)
        else:
            super().on_end(span)

    def shutdown(self) -> None:
        stop = getattr(self._batch_processor, "shutdown", None)
        if stop is not None and "timeout_millis" in inspect.signature(stop).parameters:
            stop(timeout_millis=int(self._flush_timeout * 1000))
        else:
            within(self._flush_timeout, super().shutdown)
            self._careful.shutdown()

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        # The stock one sends on the thread that calls, and for as long as it takes.
        seconds = self._flush_timeout if timeout_millis is None else timeout_millis / 1000
        return within(seconds, super().force_flush)


def within(seconds: float, action: Callable[[], object]) -> bool:
    """Run an action in a thread of its own; return whether it ended in time, and didn't return False."""
    results: list[object] = []
    thread = threading.Thread(target=lambda: results.append(action()), name="aotel-flush", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down: `shutdown` sends what there is
        return False
    thread.join(max(seconds, 0))
    return bool(results) and results[0] is not False
