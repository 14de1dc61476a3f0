"""The span processor: announces an operation as its span starts, maps its attributes as it ends, then closes it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from aotel.calls import PORT, Call, scope_of
from aotel.calls.call import CALL_KEY
from aotel.calls.scope import SCOPE_KEY
from aotel.content import Deferred, Mode
from aotel.envelopes import Recording
from aotel.pipeline import spans
from aotel.pipeline.mapper import map_span, operation_at_start
from aotel.pipeline.nesting import COUNTED, relate, relate_to_unattached, settle
from aotel.pipeline.sightings import inside, remember
from aotel.semconv.operations import lookup

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from aotel.content import Capture
    from aotel.pipeline.pipeline import Pipeline


class AOTSpanProcessor(SpanProcessor):
    """Derives OpenInference attributes and AOT envelopes from every span of a provider; never raises into it.

    Args:
        pipeline: where envelopes go, and how content is written.
        provider: whose spans these are, for exporting more of them; None where that can't be.
    """

    def __init__(self, pipeline: Pipeline, provider: object | None = None) -> None:
        self._pipeline = pipeline
        try:
            self._provider = None if provider is None else weakref.ref(provider)
        except TypeError:
            self._provider = None

    @property
    def provider(self) -> object | None:
        """The provider whose spans these are, while there is one."""
        return None if self._provider is None else self._provider()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Take the span up, and announce its operation where it can be told already."""
        try:
            context = otel_context.get_current() if parent_context is None else parent_context
            self._start(span, context)
            if self._pipeline.root_started is not None and _is_root(span):
                self._pipeline.root_started(span)
        except Exception as error:  # noqa: BLE001 - an exception here would reach the program
            PORT.report("start of a recorded span", error)

    def _on_ending(self, span: Span) -> None:
        try:
            recording = spans.recording_of(span)
            if recording is not None and recording.owner is self:
                self._map(span, recording)
        except Exception as error:  # noqa: BLE001 - an exception here would reach the program
            spans.strip(span)
            PORT.report("mapping of a span", error)

    def on_end(self, span: ReadableSpan) -> None:
        """Close the span's operation."""
        try:
            recording = spans.recording_of(span)
            if recording is not None and recording.owner is self:
                self._end(span, recording)
                if recording.run is not None and self._pipeline.keeping is not None:
                    self._pipeline.keeping.ended(span, recording)
                if _is_root(span):
                    self._pipeline.root_ended()
        except Exception as error:  # noqa: BLE001 - an exception here would reach the program
            PORT.report("end of a recorded span", error)

    def shutdown(self) -> None:
        """Deliver what waits and stop, within the flush timeout."""
        self._pipeline.provider_gone(self)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what waits."""
        return self._pipeline.flush(timeout_millis / 1000)

    def _start(self, span: Span, context: Context) -> None:
        if spans.recording_of(span) is not None:
            return  # another processor of ours on the same provider was first
        self._pipeline.catch_up()
        name = self._pipeline.clean_name(span.name)
        recording = Recording(self, span.get_span_context(), name, span.start_time or 0)
        if not spans.keep_recording(span, recording):
            return
        self._place(span, context, recording)
        call = context.get(CALL_KEY)
        if isinstance(call, Call) and not call.started and call.recording is None:
            _take_up(span, call, recording)
        else:
            self._recognise(span, recording)
            recording.began_before = inside(recording)
        if recording.taxonomy is None:
            return
        if self._pipeline.roomy:
            spans.make_room(span)
        if recording.taxonomy.tag in COUNTED:
            relate_to_unattached(span, recording)
            relate(recording)
            remember(span, recording)
        if self._pipeline.audited:
            recording.announced = True
            self._pipeline.start(recording)

    def _place(self, span: Span, context: Context, recording: Recording) -> None:
        """Note what is around a span: its parent, its session and run."""
        parent = span.parent
        around = None
        if parent is not None:
            recording.parent_span_id = parent.span_id
            around = spans.recording_of(trace.get_current_span(context))
            recording.parent = None if around is None or around.mapped else around
        if PORT.propagate_session or SCOPE_KEY in context:
            recording.scope = scope_of(context, propagated=PORT.propagate_session)
        if self._pipeline.keeping is not None:
            self._pipeline.keeping.join(recording, parent, around)

    def _recognise(self, span: Span, recording: Recording) -> None:
        _write_as(span, recording, self._pipeline.policy.default)
        attributes = spans.attribute_dict(span)
        operation = operation_at_start(attributes, recording, self._pipeline) if attributes else None
        if operation is not None:
            recording.operation = Deferred.known(operation)
            recording.taxonomy = lookup(operation.op)
        else:
            recording.said = attributes

    def _map(self, span: Any, recording: Recording) -> None:
        if recording.mapped:
            return
        recording.mapped = True
        call = recording.call
        if call is not None:
            recording.take_end(call)
        map_span(span, recording, self._pipeline)
        # The call knows its span, which carries the recording: without this they would wait for the collector.
        recording.call = None

    def _end(self, span: ReadableSpan, recording: Recording) -> None:
        if not recording.mapped:  # a provider that has no `_on_ending`
            self._map(span, recording)
        # Only what is still open has a say in what is inside it; a chain of ended spans must not be kept alive.
        recording.parent = recording.said = None
        if recording.outers:  # its mapping did not come that far
            settle(recording, counts=recording.counted)
        if recording.taxonomy is None or not self._pipeline.audited:
            return
        recording.end_time = span.end_time or recording.start_time
        recording.name = recording.name or span.name
        if not recording.announced:
            self._pipeline.start(recording)
        self._pipeline.end(recording)


def _is_root(span: ReadableSpan) -> bool:
    """Say whether a span is the outermost one in this process."""
    return span.parent is None or span.parent.is_remote


def _take_up(span: Span, call: Call, recording: Recording) -> None:
    recording.take_up(call)
    _write_as(span, recording, call.capture)
    attributes = spans.attribute_dict(span)
    # Attributes of the user's went through the SDK, which cleans and cuts them, and ours with them.
    if attributes is not None and call.site.own_attributes is not None:
        attributes.update(call.site.attributes)


def _write_as(span: Span, recording: Recording, capture: Capture) -> None:
    recording.capture = capture.mode.value
    if capture.mode is Mode.RAW:
        recording.name = span.name
