"""What is known of one span while it runs and after: all that its envelopes are made of."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import SpanContext

    from aotel.calls import Call, Failure, Scope
    from aotel.content import Arguments, Tree
    from aotel.operation import Operation
    from aotel.semconv.operations import Taxonomy


class Recording:
    """One span that the pipeline follows.

    It rides on the span's attribute container, the one object that a span and its read-only copy share, and is dropped
    with it.
    """

    __slots__ = (
        "announced",
        "call",
        "capture",
        "end_time",
        "failure",
        "has_inner_llm",
        "has_output",
        "input",
        "local_mode",
        "local_variables",
        "mapped",
        "name",
        "next_seq",
        "operation",
        "output",
        "owner",
        "parent",
        "parent_span_id",
        "scope",
        "span_context",
        "start_time",
        "taxonomy",
    )

    def __init__(self, owner: object, span_context: SpanContext, name: str, start_time: int) -> None:
        self.owner = owner
        self.span_context = span_context
        self.name = name
        self.start_time = start_time
        self.end_time = start_time
        self.parent_span_id = 0
        self.parent: Recording | None = None
        self.scope: Scope | None = None
        self.taxonomy: Taxonomy | None = None
        self.capture = "redacted"
        self.call: Call | None = None
        self.operation: Operation | None = None
        self.input: Arguments | None = None
        self.output: Tree = None
        self.has_output = False
        self.failure: Failure | None = None
        self.local_variables: dict[str, Tree] | None = None
        self.local_mode = "none"
        self.announced = False
        self.mapped = False
        self.has_inner_llm = False
        self.next_seq: Callable[[], int] = count().__next__

    def ancestors(self) -> Any:
        """Yield the recordings around this one, the nearest first."""
        recording = self.parent
        while recording is not None:
            yield recording
            recording = recording.parent
