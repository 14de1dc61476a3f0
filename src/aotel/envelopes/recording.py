"""What is known of one span while it runs and after: all that its envelopes are made of."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import Call, Failure, Scope
    from aotel.content import Arguments, Deferred, Tree
    from aotel.envelopes.model import Ids
    from aotel.operation import Operation
    from aotel.semconv.operations import Taxonomy


class Inner:
    """The calls inside a span that may count what it counts; of those that ended, no more than whether one did."""

    __slots__ = ("counted", "open")

    def __init__(self) -> None:
        # Of a span that was let go of without an end, nothing is to be expected.
        self.open: WeakSet[Recording] = WeakSet()
        self.counted = False

    @property
    def counts(self) -> bool:
        """Whether one of them counted, or may yet."""
        return self.counted or len(self.open) > 0


class Sighting(Protocol):
    """A model call as the context that it started in remembers it."""

    tag: str
    scopes: set[str]
    open: bool
    counted: bool

    def recording(self) -> Recording | None:
        """Return what is known of its span, while somebody has it."""


class Recording:
    """One span that the pipeline follows.

    It rides on the span's attribute container, the one object that a span and its read-only copy share, and is dropped
    with it. What most spans don't have is a default of the class: making one is on the hot path.
    """

    parent_span_id: int = 0
    parent: Recording | None = None
    scope: Scope | None = None
    taxonomy: Taxonomy | None = None
    capture: str = "redacted"
    call: Call | None = None
    operation: Deferred[Operation] | None = None
    described: Deferred[Operation] | None = None
    """What an instrumentor knew of the operation as it ended."""
    input: Deferred[Arguments] | None = None
    output: Deferred[Tree] | None = None
    failure: Failure | None = None
    local_variables: dict[str, Tree] | None = None
    local_mode: str = "none"
    run: object | None = None
    """The run that its span belongs to, where runs that fail are kept; see `aotel.pipeline.keeping`."""
    announced: bool = False
    mapped: bool = False
    said: Mapping[str, AttributeValue] | None = None
    """The attributes of a span that did not say as it started what it is; kept while it runs."""
    is_request: bool = False
    """Whether it is one request to a provider, seen by an instrumentor of ours."""
    inner: dict[str, Inner] | None = None
    """By operation, the calls inside that may count what this one counts; see `aotel.pipeline.nesting`."""
    outers: tuple[Recording, ...] = ()
    """Those in whose `inner` this one is."""
    counted_outside: bool = False
    """Whether a span around this one has the numbers of both."""
    leaves_numbers: bool = False
    """Whether, as it ended, another span turned out to have its numbers."""
    counted: bool = False
    """Whether its numbers were counted by the time it had ended, here or elsewhere."""
    sighting: Sighting | None = None
    """Where its context remembers it."""
    began_before: tuple[Sighting, ...] = ()
    """Calls that had been seen when it was made, though it says that it began before them."""
    end_time: int = 0
    ids: Ids | None = None
    """As its envelopes carry them; made by the first one."""
    log_context: Context | None = None
    """That of its log records; made by the first one."""
    _events: count[int] | None = None

    def __init__(self, owner: object, span_context: SpanContext, name: str, start_time: int) -> None:
        self.owner = owner
        self.span_context = span_context
        self.name = name
        self.start_time = start_time

    def take_up(self, call: Call) -> None:
        """Take over what a call of ours that starts has to say; its input is snapshotted now."""
        call.recording = self
        self.call = call
        self.taxonomy = call.site.taxonomy
        self.capture = call.capture.mode.value
        self.input = call.take_input()
        self.operation = call.described

    def take_end(self, call: Call) -> None:
        """Take over what a call of ours that ends came to."""
        self.output = call.output
        if call.described is not None:
            self.described = self.operation = call.described
        if call.failure is not None:
            self.failure = call.failure
        if call.local_variables is not None and call.local_capture is not None:
            self.local_variables = call.local_variables
            self.local_mode = call.local_capture.mode.value

    def next_seq(self) -> int:
        """Return the number of the next envelope after the start, which has 0; safe between threads."""
        events = self._events
        if events is None:
            # One of two threads wins; both then count on the same counter.
            events = self.__dict__.setdefault("_events", count(1))
        return next(events)

    def count_with(self, events: count[int]) -> None:
        """Number the envelopes after the start by a counter that others use too."""
        self._events = events

    def ancestors(self) -> Iterator[Recording]:
        """Yield the recordings around this one, the nearest first."""
        recording = self.parent
        while recording is not None:
            yield recording
            recording = recording.parent
