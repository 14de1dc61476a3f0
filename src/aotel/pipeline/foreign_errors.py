"""How a span of another instrumentor ended: an error, or one of the ends that are none, whatever its status says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status, StatusCode

from aotel.calls import Failure, Outcome, outcome_named
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue


def failure_of(span: Any, attributes: dict[str, AttributeValue]) -> Failure | None:
    """Return what ended a span, from its status and its exception events; None where it ended well.

    A span that says "error" of what is no error (a graph that waits for a person, a task that was cancelled) says
    nothing any more: its status is unset, as that of a span of ours, and so is `error.type`.

    Args:
        span: it is ending.
        attributes: its attributes.
    """
    status: Status | None = span.status
    said = status.description or "" if status is not None and status.status_code is StatusCode.ERROR else None
    kind = str(attributes.get(names.ERROR_TYPE) or "")
    message = said or ""
    thrown = ""
    for event in span.events or ():
        if event.name == "exception" and event.attributes:
            thrown = str(event.attributes.get(names.EXCEPTION_TYPE) or "")
            message = message or str(event.attributes.get(names.EXCEPTION_MESSAGE) or "")
    # The last one is what ended the span. What `error.type` says of it may be a number or a word of its own.
    kind = thrown if not kind or outcome_named(thrown) is not None else kind
    outcome = outcome_named(kind)
    # Of what was caught there may be an event too; only a pause is never caught inside.
    if said is None and outcome is not Outcome.PAUSED:
        return None
    if outcome is not None:
        attributes.pop(names.ERROR_TYPE, None)
        if said is not None and hasattr(span, "_status"):
            span._status = Status(StatusCode.UNSET)  # noqa: SLF001 - the span is ending
    kind = kind or "error"
    return Failure(kind.rpartition(".")[2], kind, message, outcome)
