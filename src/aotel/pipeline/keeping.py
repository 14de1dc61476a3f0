"""Keep-if-error: what the sampler dropped of a run waits in memory; a failure in it has all of it exported."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry.trace import StatusCode

from aotel.forking import Forking, watch
from aotel.pipeline.handover import Handover
from aotel.pipeline.weights import weight

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext

    from aotel.envelopes import Recording

_logger = logging.getLogger("aotel")

_WAITS, _KEPT, _FORGOTTEN, _GIVEN_UP = range(4)
_TRACES: Final = 4_096
"""Runs that are found by their trace, for spans whose parent can't be seen; the others are found through it."""
_INLINE: Final = 5.0
"""Seconds that a large run takes at most, where it is exported by the thread that it failed in."""


class KeepingStatus(NamedTuple):
    """What is known of runs that the sampler dropped, in this process.

    Args:
        limit: bytes that their spans may take, roughly.
        bytes: bytes that they take now.
        waiting: runs with spans that wait for the run's end.
        exported: runs that failed, and were exported.
        exported_spans: their spans.
        forgotten: runs that ended well, and were dropped as the sampler wanted it.
        given_up: runs that were dropped before they ended because there was no room.
        incomplete: runs among these that failed later: exported from there on.
    """

    limit: int
    bytes: int
    waiting: int
    exported: int
    exported_spans: int
    forgotten: int
    given_up: int
    incomplete: int


class Run:
    """A run in this process: all spans of one trace, from the start of the first root to the end of the last.

    A root is a span without a parent in this process.
    """

    __slots__ = ("era", "roots", "size", "spans", "state", "unsampled")

    def __init__(self, era: int) -> None:
        self.era = era
        self.state = _WAITS
        self.unsampled = False
        self.roots: set[int] = set()
        self.spans: list[ReadableSpan] = []
        self.size = 0


class Keeper(Forking):
    """Holds the spans of runs that the sampler dropped until they fail, or end well.

    From the first failure on a run is exported: what waited by a thread of its own, what ends later as it ends. What
    there is no room for is taken from the run that has been waiting longest, wholly.

    Args:
        limit: bytes that waiting spans may take, roughly.
        inline: no thread: what waited is exported before the failed operation returns.
    """

    def __init__(self, limit: int, *, inline: bool = False) -> None:
        self.limit = limit
        self.inline = inline
        # Held for a few statements, and again where a collector runs in the middle of them and ends a span.
        self._lock = threading.RLock()
        self._era = 0
        self._handover = Handover(self._release)
        self._warned = False
        self._begin()
        watch(self)

    def _begin(self) -> None:
        self._waiting: dict[Run, None] = {}  # those that hold spans, oldest first
        self._by_trace: dict[int, Run] = {}
        self._bytes = 0
        self._exported = self._exported_spans = self._forgotten = self._given_up = self._incomplete = 0

    @property
    def status(self) -> KeepingStatus:
        """How much is held, and what became of the runs so far."""
        with self._lock:
            return KeepingStatus(
                self.limit,
                self._bytes,
                len(self._waiting),
                self._exported,
                self._exported_spans,
                self._forgotten,
                self._given_up,
                self._incomplete,
            )

    def join(self, recording: Recording, parent: SpanContext | None, around: Recording | None) -> None:
        """Take a span that starts into its run.

        Args:
            recording: the span's.
            parent: its parent's ids.
            around: its parent's recording, where that can be seen.
        """
        run = None if around is None else around.run
        if isinstance(run, Run) and run.era == self._era:
            recording.run = run
            return
        context = recording.span_context
        with self._lock:
            found = None if parent is None else self._by_trace.get(context.trace_id)
            if found is None or not (found.roots or (parent is not None and not parent.is_remote)):
                found = self._open(context.trace_id)
            if found.roots or found.state == _WAITS:
                found.roots.add(context.span_id)
        recording.run = found

    def _open(self, trace_id: int) -> Run:
        self._by_trace.pop(trace_id, None)
        run = self._by_trace[trace_id] = Run(self._era)
        if len(self._by_trace) > _TRACES:
            del self._by_trace[next(iter(self._by_trace))]
        return run

    def ended(self, span: ReadableSpan, recording: Recording) -> None:
        """Take a span that ended: hold it, export it, or forget it with its run."""
        run, context = recording.run, span.context
        if not isinstance(run, Run) or context is None:
            return
        failed = span.status.status_code is StatusCode.ERROR
        if run.era != self._era:
            # A fork left it open in two processes. The run is the other's; what failed here is known here alone.
            run = Run(self._era)
        held = None if context.trace_flags.sampled else span
        size = weight(span, recording) if held is not None and run.state == _WAITS and not failed else 0
        with self._lock:
            run.roots.discard(context.span_id)
            run.unsampled = run.unsampled or held is not None
            export = self._decide(run, held, size, failed=failed)
            dropped = self._make_room()
        if export:
            self._handover.send(export)
        if self._handover.waits:
            if self.inline:
                self._handover.flush(_INLINE, last=True)
            else:
                self._handover.start()
        if dropped:
            self._say_full()

    def _decide(self, run: Run, span: ReadableSpan | None, size: int, *, failed: bool) -> list[ReadableSpan]:
        """Return the spans that leave now."""
        if failed and run.state in {_WAITS, _GIVEN_UP}:
            self._exported += run.unsampled
            self._incomplete += run.state == _GIVEN_UP
            run.state = _KEPT
        own = [] if span is None else [span]
        if run.state == _KEPT:
            waited = self._take(run)
            self._exported_spans += len(waited) + len(own)
            if waited:
                self._handover.put(waited, run.size)
            run.size = 0
            return own
        if run.state == _WAITS:
            if own and run.roots:
                run.spans += own
                run.size += size
                self._bytes += size
                self._waiting.setdefault(run)
            elif not run.roots:
                run.state = _FORGOTTEN
                self._forgotten += run.unsampled
                self._drop(run)
        return []

    def _take(self, run: Run) -> list[ReadableSpan]:
        spans, run.spans = run.spans, []
        self._waiting.pop(run, None)
        return spans

    def _drop(self, run: Run) -> None:
        self._bytes -= run.size
        run.size = 0
        self._take(run)

    def _make_room(self) -> bool:
        """Give up the oldest runs until what waits is within bounds; return whether any was."""
        gave_up = False
        while self._bytes > self.limit and self._waiting:
            oldest = next(iter(self._waiting))
            oldest.state = _GIVEN_UP
            self._given_up += 1
            self._drop(oldest)
            gave_up = True
        return gave_up

    def _release(self, size: int) -> None:
        with self._lock:
            self._bytes -= size

    def _say_full(self) -> None:
        if not self._warned:
            self._warned = True
            _logger.warning(
                "aotel: agent runs that have not ended use up AOTEL_KEEP_MAX_BYTES (%d): the oldest is given up, and "
                "what it did so far will be missing if it fails; raise it, or have runs end sooner. This is said once, "
                "status() counts them",
                self.limit,
            )

    def flush(self, timeout: float, *, last: bool = False) -> bool:
        """Hand over what waits of failed runs, within `timeout` seconds; say whether all of it was.

        Args:
            timeout: seconds that it may take.
            last: whether what can't be handed over in time would be lost anyway.
        """
        return self._handover.flush(timeout, last=last)

    def after_fork_in_child(self) -> None:
        """Begin anew: what waited is the parent's, and so are the runs that were open."""
        self._lock = threading.RLock()
        self._era += 1
        self._handover.forget()
        self._begin()
