"""Spans of failed runs on their way to the exporting processors, no faster than their queues take them."""

from __future__ import annotations

import copy
import threading
from collections import deque
from functools import partial
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags

from aotel.calls import PORT
from aotel.export import BoundedBatchSpanProcessor, within
from aotel.pipeline import spans as places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

_AT_ONCE: Final = 128
"""Spans that are handed over at once; a queue has room for 2048, unless it is told otherwise."""
_PATIENCE: Final = 30.0
"""Seconds that are waited for room in a queue, where nobody else says how long."""
_GLANCE: Final = 0.005
"""Seconds between two looks at another thread."""


def exporting_processors(provider: Any) -> Iterator[SpanProcessor]:
    """Yield a provider's processors that export sampled spans and nothing else, as far as can be seen."""
    yield from _among(getattr(getattr(provider, "_active_span_processor", None), "_span_processors", ()))


def _among(processors: Sequence[Any]) -> Iterator[SpanProcessor]:
    for processor in processors:
        if isinstance(processor, (BatchSpanProcessor, SimpleSpanProcessor)):
            yield processor
        else:
            yield from _among(getattr(processor, "_span_processors", ()))


def as_sampled(span: ReadableSpan) -> ReadableSpan:
    """Return a copy of a span that says it was sampled; all else is shared."""
    context = span.context
    found = copy.copy(span)
    if context is not None:
        flags = TraceFlags(context.trace_flags | TraceFlags.SAMPLED)
        vars(found)["_context"] = SpanContext(
            context.trace_id, context.span_id, context.is_remote, flags, context.trace_state
        )
    return found


class Handover:
    """Hands spans to the exporting processors of their providers; large amounts by a thread that ends with them.

    Args:
        release: told the size of what was handed over.
    """

    def __init__(self, release: Callable[[int], None]) -> None:
        self._release = release
        self.forget()

    def forget(self) -> None:
        """Begin anew, with nothing; also after a fork, whose parent hands over what there was."""
        self._queue: deque[tuple[list[ReadableSpan], int]] = deque()
        # Taken again by the thread that has them where a collector runs inside, and ends a span of a failed run.
        self._lock = threading.RLock()
        self._turn = threading.RLock()
        self._thread: threading.Thread | None = None
        self._sending = 0

    @property
    def waits(self) -> bool:
        """Whether something was put that nobody has begun to hand over."""
        return bool(self._queue)

    def put(self, spans: list[ReadableSpan], size: int) -> None:
        """Take spans that are handed over later: by `start`, or by a flush."""
        *firsts, last = (spans[first : first + _AT_ONCE] for first in range(0, len(spans), _AT_ONCE))
        self._queue.extend((some, 0) for some in firsts)
        self._queue.append((last, size))

    def start(self) -> None:
        """Have a thread hand over what was put."""
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._work, name="aotel-keep", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the interpreter is shutting down: the last flush hands it over
                return
            self._thread = thread

    def _work(self) -> None:
        while True:
            while self._step():
                pass
            with self._lock:
                if not self._queue:
                    self._thread = None
                    return

    def flush(self, timeout: float, *, last: bool = False) -> bool:
        """Hand everything over; say whether all of it was.

        Args:
            timeout: seconds that may be spent on waiting for exporters.
            last: whether nobody will come after that: then they are given all the rest, room for it or not.
        """
        deadline = monotonic() + timeout
        if last or timeout > 0:
            while self._step(deadline, last=last):
                pass
            while self._sending and monotonic() < deadline:
                sleep(_GLANCE)
        return not self._queue and not self._sending

    def _step(self, deadline: float | None = None, *, last: bool = False) -> bool:
        """Hand some spans over; return whether it did."""
        # Two at once would give a queue twice what it has room for.
        in_turn = self._turn.acquire(timeout=-1 if deadline is None else max(deadline - monotonic(), 0))
        try:
            return (in_turn or last) and self._hand_over(deadline, last=last)
        finally:
            if in_turn:
                self._turn.release()

    def _hand_over(self, deadline: float | None, *, last: bool) -> bool:
        try:
            waiting, _ = self._queue[0]
            end = monotonic() + _PATIENCE if deadline is None else deadline
            # A queue that is full drops what it is given.
            exporters = {exporter for span in waiting for exporter in _exporters_of(span)}
            roomy = [_wait_for_room(exporter, end) for exporter in exporters]
            if not (all(roomy) or last or deadline is None):
                return False
            with self._lock:
                spans, size = self._queue.popleft()
                self._sending += 1
        except IndexError:  # also where another thread was faster
            return False
        try:
            self.send(spans)
        finally:
            with self._lock:
                self._sending -= 1
            self._release(size)
        return True

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Hand a few spans over at once."""
        for span in spans:
            sampled = as_sampled(span)
            for processor in _exporters_of(span):
                _guarded(partial(processor.on_end, sampled))


def _wait_for_room(processor: SpanProcessor, end: float) -> bool:
    """Wait until a processor has room for some spans; return whether it has before `end`, on the monotonic clock."""
    if _has_room(processor):
        return True
    seconds = end - monotonic()
    # The SDK's own takes as long as it takes.
    flushed = seconds > 0 and within(seconds, partial(_flush, processor, seconds))
    # As the interpreter shuts down there is no flush, but the processor's own thread goes on.
    while not flushed and not _has_room(processor):
        if monotonic() >= end:
            return False
        sleep(_GLANCE)
    return True


def _flush(processor: SpanProcessor, seconds: float) -> None:
    _guarded(partial(processor.force_flush, int(seconds * 1000) or 1))


def _has_room(processor: SpanProcessor) -> bool:
    """Say whether a processor can take some spans at once, as far as can be seen."""
    if isinstance(processor, SimpleSpanProcessor):  # which has no queue
        return True
    if isinstance(processor, BoundedBatchSpanProcessor):
        return processor.room >= _AT_ONCE
    batch = getattr(processor, "_batch_processor", None)
    queue, limit = getattr(batch, "_queue", None), getattr(batch, "_max_queue_size", None)
    return isinstance(queue, deque) and isinstance(limit, int) and len(queue) + _AT_ONCE <= limit


def _exporters_of(span: ReadableSpan) -> Iterator[SpanProcessor]:
    recording = places.recording_of(span)
    return exporting_processors(getattr(getattr(recording, "owner", None), "provider", None))


def _guarded(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001 - one exporter's fault must not cost the others theirs, nor the program
        PORT.report("export of a run that failed", error)
