"""The batch processor for span exporters that we make: it ends in time, whatever the receiver does."""

from __future__ import annotations

import contextlib
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from aotel.export.quiet import listening
from aotel.export.soon import Soon
from aotel.export.span_queue import MAX_REQUEST, MAX_SPANS, SpanQueue
from aotel.export.spans import careful
from aotel.forking import Forking, watch

if TYPE_CHECKING:
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
    """Makes batches as the stock one does, and hands them to a queue that outlasts outages.

    Args:
        exporter: sends the spans.
        flush_timeout: seconds that `shutdown` takes at most.

    Attributes:
        sends_at_root: whether the end of a root span has what waits sent soon, rather than at the usual interval.
        used: whether a span has ended in this process.
    """

    def __init__(self, exporter: SpanExporter, flush_timeout: float) -> None:
        self._careful = careful(exporter)
        self._flush_timeout = flush_timeout
        self.sends_at_root = True
        self.used = False
        self._spans = SpanQueue(
            self._careful,
            max_spans=_setting("_default_max_queue_size", MAX_SPANS),
            max_request=_setting("_default_max_export_batch_size", MAX_REQUEST),
        )
        super().__init__(self._spans)
        self._soon = Soon(partial(BatchSpanProcessor.force_flush, self))
        watch(self)

    def after_fork_in_child(self) -> None:
        """Nothing of the child's own waits yet."""
        self.used = False

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span."""
        self.used = True
        self._spans.start()
        if self._careful.down:
            # "Queue full" goes without saying when nothing is delivered, and that has been said.
            with listening() as heard:
                super().on_end(span)
            if heard.messages:
                self._careful.lost(1)
            return  # a receiver that is down is tried at the usual interval
        super().on_end(span)
        if self.sends_at_root and (span.parent is None or span.parent.is_remote):
            self._soon.ask()

    @property
    def room(self) -> int:
        """How many more spans it takes without dropping any, as far as can be seen."""
        batch = getattr(self, "_batch_processor", None)
        waiting = getattr(batch, "_queue", ())
        return self._spans.room - len(waiting)

    def hurry(self) -> None:
        """Have everything sent now; return at once."""
        super().force_flush()  # into the queue, which takes it at once
        self._spans.hurry()

    def shutdown(self) -> None:
        """Send what waits, in time, and stop."""
        self.finish(self._flush_timeout)

    def finish(self, seconds: float) -> int:
        """Send what waits, within some seconds, and stop; return how many spans are lost."""
        deadline = monotonic() + seconds
        self._soon.stop()
        if seconds > 0:
            super().force_flush()
        lost = self._spans.finish(max(deadline - monotonic(), 0.0))
        # Interrupted in the middle of a fork, a child has a thread that was not started yet, and nothing to send.
        with contextlib.suppress(RuntimeError):
            super().shutdown()  # type: ignore[no-untyped-call]  # the SDK's
        return lost

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Send what waits; return whether all of it was delivered."""
        deadline = monotonic() + (self._flush_timeout if timeout_millis is None else timeout_millis / 1000)
        # The stock one returns False once it is shut down.
        moved = super().force_flush() is not False
        return self._spans.flush(max(deadline - monotonic(), 0.0)) and moved


def _setting(name: str, otherwise: int) -> int:
    """Return what OTEL_BSP_* say, as the stock processor reads it."""
    read = getattr(BatchSpanProcessor, name, None)
    value = read() if callable(read) else None
    return value if isinstance(value, int) and value > 0 else otherwise
