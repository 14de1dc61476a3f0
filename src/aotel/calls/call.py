"""One operation in progress: a span around a call, with what goes in, what comes out, and how it ended."""

from __future__ import annotations

from time import perf_counter_ns, time_ns
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

from aotel.calls.outcomes import Failure, describe_failure, is_result, stack_trace_of
from aotel.calls.port import PORT
from aotel.content import active, defer_arguments, defer_value
from aotel.semconv import attributes as names
from aotel.semconv.operations import TAXONOMY, lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Arguments, Capture, Deferred, Tree
    from aotel.operation import Operation

CALL_KEY = otel_context.create_key("aotel-call")

# Where the API keeps the current span; asked of the API itself, whose own way copies the context twice.
(_SPAN_KEY,) = trace.set_span_in_context(INVALID_SPAN, Context())

_NO_KEYWORDS: dict[str, Any] = {}
_NO_RESULT: Final = object()


class CallSite:
    """What is known of an operation before it happens; one per decorated function or block.

    Args:
        tag: the operation, an `Op` value or any custom tag; None is a step.
        name: the span's name.
        capture: the capture mode that the code asks for, or None.
        auto_capture: whether local variables are asked for, or None where the code says nothing.
        attributes: further span attributes that every such span starts with.
        parameters: names of the positional parameters, for naming and redacting what is passed by position.
        skip_first: whether the first positional argument is the instance or class of a method.
        keywords_as_attributes: whether keyword arguments are facts of a block, each a span attribute of its own.
        own: whether `attributes` are ours: short, and clean already.
        kind: the span's kind; a call that leaves the process is a client's.
    """

    __slots__ = (
        "attributes",
        "auto_capture",
        "capture",
        "keywords_as_attributes",
        "kind",
        "name",
        "own_attributes",
        "parameters",
        "scope",
        "skip_first",
        "tag",
        "taxonomy",
        "templates",
    )

    def __init__(  # noqa: PLR0913 - one keyword a fact
        self,
        tag: str | None,
        name: str,
        *,
        capture: str | None = None,
        auto_capture: bool | None = None,
        attributes: Mapping[str, AttributeValue] | None = None,
        parameters: tuple[str, ...] = (),
        skip_first: bool = False,
        keywords_as_attributes: bool = False,
        own: bool = False,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        # A tag that is made up at run time may hold anything; ours hold nothing.
        self.taxonomy = lookup(tag if tag is None or tag in TAXONOMY else active().redactor.text(tag))
        self.tag = self.taxonomy.tag
        self.name = name
        self.capture = capture
        self.auto_capture = auto_capture
        self.parameters = parameters[1:] if skip_first else parameters
        self.skip_first = skip_first
        self.keywords_as_attributes = keywords_as_attributes
        self.kind = kind
        known: dict[str, AttributeValue] = {names.AOT_OPERATION: self.tag}
        if self.taxonomy.genai is not None:
            known[names.GEN_AI_OPERATION_NAME] = self.taxonomy.genai
        self.attributes = {**known, **attributes} if attributes else known
        # How many of the span's first attributes are known to be clean; None where the user gave some.
        self.own_attributes = len(self.attributes) if own or not attributes else None
        self.scope: Callable[[Call, Context], Context] | None = None
        # What the pipeline works out once for all calls of a function; None for a block, which runs once.
        self.templates: dict[object, object] | None = None


class Call:
    """One operation in progress.

    `start` opens the span and returns the context in which the operation's body runs; `succeed` or `fail` ends it.
    None of them raises. What goes in and comes out is snapshotted here, in the caller, because it may change later;
    `recording` is the pipeline's, which sets it when it takes the span up: without it, nothing is captured.
    """

    # What most calls don't have is a default of the class: making one is on the hot path.
    span: Span = INVALID_SPAN
    start_time: int = 0
    start_clock: int = 0
    started: bool = False
    ended: bool = False
    recording: object | None = None
    input: Deferred[Arguments] | None = None
    output: Deferred[Tree] | None = None
    output_set: bool = False
    failure: Failure | None = None
    local_variables: dict[str, Tree] | None = None
    described: Deferred[Operation] | None = None
    """What an instrumentor knows of the operation, clean already; it then takes the place of input and output."""
    attributes: dict[str, AttributeValue] | None = None
    """Facts of ours for the span, clean already."""
    late_attributes: Callable[[], dict[str, AttributeValue]] | None = None
    """Asked for more of them at the end."""
    closing: Callable[[int], None] | None = None
    """Told that the span is about to end, and when, where no span processor will hear of it."""

    def __init__(self, site: CallSite, args: tuple[Any, ...] = (), kwargs: dict[str, Any] = _NO_KEYWORDS) -> None:
        self.site = site
        self.args = args
        self.kwargs = kwargs
        if PORT.tracer is None:
            PORT.open()  # before anything is captured: the environment says how
        policy = active()
        self.capture: Capture = policy.for_call(site.capture)
        self.local_capture: Capture | None = policy.locals(site.auto_capture, site.capture)

    def start(self, parent: Context | None = None) -> Context:
        """Start the span.

        Args:
            parent: the context that holds the parent span; the current one by default.

        Returns:
            The context to attach while the operation's body runs; `parent` itself where no span could be started.
        """
        if parent is None:
            parent = otel_context.get_current()
        try:
            return self._start(parent)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("start of a span", error)
            return parent
        finally:
            self.started = True
            self.args = ()
            self.kwargs = _NO_KEYWORDS

    def _start(self, parent: Context) -> Context:
        tracer = PORT.tracer or PORT.open()
        if PORT.remote_parent is not None and trace.get_current_span(parent) is INVALID_SPAN:
            parent = Context({**PORT.remote_parent, **parent})
        site = self.site
        if site.scope is not None:
            parent = site.scope(self, parent)
        context = Context({**parent, CALL_KEY: self})
        self.start_time = time_ns()
        self.start_clock = perf_counter_ns()
        attributes = site.attributes if PORT.attributes_at_start or site.own_attributes is None else None
        self.span = tracer.start_span(site.name, context, site.kind, attributes, start_time=self.start_time)
        if self.recording is None and PORT.unsampled is not None and not self.span.is_recording():
            PORT.unsampled()
        return Context({**context, _SPAN_KEY: self.span})

    def take_input(self) -> Deferred[Arguments] | None:
        """Snapshot what goes in; the pipeline asks for it when it takes the span up, in the caller's thread."""
        policy = active()
        if self.capture.writes and not policy.hides_input:
            args = self.args[1:] if self.site.skip_first else self.args
            self.input = defer_arguments(self.capture, self.site.parameters, args, self.kwargs, policy.content_limit)
        return self.input

    def set_output(self, value: object) -> None:
        """Set what the operation came to; wins over what its body returns."""
        self.output_set = True
        policy = active()
        if self.recording is not None and self.capture.writes and not policy.hides_output:
            self.output = defer_value(self.capture, value, policy.content_limit)

    def succeed(self, result: object = _NO_RESULT) -> None:
        """End the span; with a result, where the operation is one that returns something."""
        if self.ended:
            return
        end_time = self._end()
        try:
            if not self.output_set and result is not _NO_RESULT:
                self.set_output(result)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("snapshot of a result", error)
        self._end_span(end_time)

    def fail(self, error: BaseException) -> None:
        """End the span with the exception that left the body; it is the caller's to raise it again."""
        if self.ended:
            return
        if is_result(error):
            self.succeed()
            return
        end_time = self._end()
        try:
            self.failure = describe_failure(error, self.capture)
            if self.failure.outcome is None and self.span.is_recording():
                self._record_error(error, self.failure)
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("description of an error", problem)
        self._end_span(end_time)

    def _end_span(self, end_time: int) -> None:
        try:
            if self.closing is not None:
                closing, self.closing = self.closing, None
                closing(end_time)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a recorded call", error)
        try:
            self.span.end(end_time)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a span", error)
        # Its attributes may wait for a reader, and know this call: without this they would wait for the collector.
        self.span = INVALID_SPAN

    def _record_error(self, error: BaseException, failure: Failure) -> None:
        description = f"{failure.type}: {failure.message}" if self.capture.writes else None
        self.span.set_status(Status(StatusCode.ERROR, description))
        event: dict[str, AttributeValue] = {
            names.EXCEPTION_TYPE: failure.qualified_type,
            names.AOT_CAPTURE_CONTENT: self.capture.mode.value,
        }
        if self.capture.writes:
            event[names.EXCEPTION_MESSAGE] = failure.message
            event[names.EXCEPTION_STACKTRACE] = self.capture.text(stack_trace_of(error, failure.message))
        self.span.add_event("exception", event)

    def _end(self) -> int:
        # The span's own clock, so that a step of the wall clock makes no negative duration.
        self.ended = True
        return self.start_time + perf_counter_ns() - self.start_clock


def enclosing_call(context: Context | None = None) -> Call | None:
    """Return the call whose span is the current one in `context`, or None."""
    if context is None:
        context = otel_context.get_current()
    call = context.get(CALL_KEY)
    current = trace.get_current_span(context)
    if isinstance(call, Call) and call.span is current:
        return call
    return None if PORT.call_of is None else PORT.call_of(current)
