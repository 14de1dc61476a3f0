"""`tie`: report something that happened inside an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

from aotel.calls.call import enclosing_call
from aotel.calls.port import PORT
from aotel.content import active, to_json
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Tree


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
        call = enclosing_call()
        capture = active().default if call is None else call.capture
        content: Tree = capture.value(data) if capture.writes and data is not None else None
        attributes: dict[str, AttributeValue] = {names.AOT_CAPTURE_CONTENT: capture.mode.value}
        if content is not None:
            attributes[names.AOT_DATA] = to_json(content)
        span.add_event(tag or "tie", attributes)
        if PORT.emit is not None:
            PORT.emit(span, tag, content, capture)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report("tie", error)


emit = tie
