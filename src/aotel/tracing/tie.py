"""`tie`: report something that happened inside an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

from aotel.calls.call import enclosing_call
from aotel.calls.port import PORT
from aotel.content import active, to_json
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Capture, Tree


def tie(tag: str, data: object = None) -> None:
    """Report an event: on the current span, and as a `coat.emit` envelope under it. Outside any span, nothing.

    Args:
        tag: what happened, in a word or two; the event's name.
        data: what there is to say of it, any value; written as the capture mode says.

    Raises:
        TypeError: `tag` is not a string.
    """
    if not isinstance(tag, str):
        msg = f"tag is a string, got {type(tag).__name__}: {tag!r:.80}"
        raise TypeError(msg)
    if not PORT.enabled:
        return
    span = trace.get_current_span()
    if not span.is_recording():
        return
    try:
        capture = current_capture()
        content: Tree = capture.value(data) if capture.writes and data is not None else None
        hand_on(span, tag, content, capture)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("tie", error)


emit = tie


def current_capture() -> Capture:
    """Return how content is written here: as the enclosing call says, else as configured."""
    call = enclosing_call()
    return active().default if call is None else call.capture


def hand_on(span: Span, tag: str, content: Tree, capture: Capture) -> None:
    """Put an event on a span, if that records, and hand its envelope on.

    Args:
        span: the span that the event is in; an invalid one for none.
        tag: what happened.
        content: what there is to say of it, clean under `capture` already.
        capture: how it was made clean.
    """
    if span.is_recording():
        attributes: dict[str, AttributeValue] = {names.AOT_CAPTURE_CONTENT: capture.mode.value}
        if content is not None:
            attributes[names.AOT_DATA] = to_json(content)
        span.add_event(tag or "tie", attributes)
    if PORT.emit is not None:
        PORT.emit(span, tag, content, capture)
