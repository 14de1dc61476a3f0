"""Calls of ours on a provider that takes no span processors, as Datadog's: its work is done around the span."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer

from aotel.calls import PORT, Call, scope_of
from aotel.calls.call import CALL_KEY
from aotel.content import Mode
from aotel.envelopes import Recording
from aotel.pipeline.mapper import attributes_of_call
from aotel.pipeline.nesting import relate, settle

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from aotel.pipeline.pipeline import Pipeline


class UnattachedTracer(Tracer):
    """Starts the spans of our calls with somebody's tracer, and makes the calls' attributes and envelopes itself.

    Spans of others are not seen. A span gets its attributes as it ends, when they are clean: nothing that the tracer's
    owner does with a span comes before.

    Args:
        tracer: of the program's provider.
        pipeline: where envelopes go, and how content is written.
    """

    def __init__(self, tracer: Tracer, pipeline: Pipeline) -> None:
        self._tracer = tracer
        self._pipeline = pipeline
        # By span id. Datadog's context keeps no value but the current span, and gives that in ever new objects.
        self._open: WeakValueDictionary[int, Call] = WeakValueDictionary()

    def start_span(self, name: str, context: Context | None = None, *args: Any, **kwargs: Any) -> Span:
        """Start a span; one of a call in `context` is that call's."""
        call = context.get(CALL_KEY) if context is not None else None
        if context is None or not isinstance(call, Call) or call.started:
            return self._tracer.start_span(name, context, *args, **kwargs)
        return self._start(call, name, context, *args, **kwargs)

    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> AbstractContextManager[Span]:  # type: ignore[override]  # the API's is a context manager that decorates, too
        """Start a span of no call, and make it current."""
        return self._tracer.start_as_current_span(name, *args, **kwargs)

    def call_of(self, span: Span) -> Call | None:
        """Return the call whose span is the given one, or another object that stands for the same."""
        return self._open.get(span.get_span_context().span_id)

    def recording_of(self, span: Span) -> Recording | None:
        """Return what is known of a span, where it is that of a call which has not ended."""
        call = self.call_of(span)
        return call.recording if call is not None and isinstance(call.recording, Recording) else None

    def _start(  # noqa: PLR0913 - the signature of the API
        self,
        call: Call,
        name: str,
        context: Context,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,  # noqa: ARG002 - given when they are clean
        links: Any = None,
        start_time: int | None = None,
    ) -> Span:
        clean = name if call.capture.mode is Mode.RAW else self._pipeline.clean_name(name)
        span = self._tracer.start_span(clean, context, kind, None, links, start_time)
        try:
            if span.get_span_context().is_valid:
                self._take_up(span, call, clean, context)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("start of a recorded call", error)
        return span

    def _take_up(self, span: Span, call: Call, name: str, context: Context) -> None:
        recording = Recording(self, span.get_span_context(), name, call.start_time)
        outer = trace.get_current_span(context)
        recording.parent_span_id = outer.get_span_context().span_id
        around = self.recording_of(outer)
        recording.parent = None if around is None or around.mapped else around
        recording.scope = scope_of(context, propagated=PORT.propagate_session)
        if recording.scope is None and around is not None:
            recording.scope = around.scope
        recording.take_up(call)
        relate(recording)
        self._open[recording.span_context.span_id] = call
        call.closing = partial(self._close, call, recording, span)
        if self._pipeline.audited:
            recording.announced = True
            self._pipeline.start(recording)

    def _close(self, call: Call, recording: Recording, span: Span, end_time: int) -> None:
        self._open.pop(recording.span_context.span_id, None)
        recording.take_end(call)
        recording.mapped = True
        try:
            span.set_attributes(attributes_of_call(recording, call, self._pipeline))
        except Exception as error:  # noqa: BLE001 - the span is somebody else's; the envelope does not depend on it
            PORT.report("mapping of a call", error)
        recording.call = recording.parent = None
        if recording.outers:  # its mapping did not come that far
            settle(recording, counts=recording.counted)
        if recording.announced:
            recording.end_time = end_time
            self._pipeline.end(recording)
