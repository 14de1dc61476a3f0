"""The strings of a span beside its attributes made clean: its name, its status, what its events and links say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import Status

from aotel.content import Mode
from aotel.content.trees import valid_unicode
from aotel.pipeline import spans
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Capture
    from aotel.pipeline.pipeline import Pipeline

# Events that hold a message each, in attributes that are named without a namespace: `content`, `tool_calls`, `message`.
_GENAI: Final = "gen_ai."
_CHOICE: Final = "gen_ai.choice"
_ASKED: Final = frozenset(f"gen_ai.{role}.message" for role in ("system", "user", "assistant", "tool"))
_FACTS: Final = frozenset({"finish_reason", "id", "index", "role"})
"""What a message says of itself beside its content."""


def clean_strings(span: Any, capture: Capture, pipeline: Pipeline, *, own_status: bool) -> None:
    """Make clean what a span says beside its attributes.

    Args:
        span: it is ending.
        capture: how content is written.
        pipeline: knows the secrets and what is hidden.
        own_status: whether we wrote its status, and so as the mode says.
    """
    redactor = pipeline.policy.redactor
    for event, attributes in spans.parts(span):
        # What our own API wrote is written as its mode says already, but its user may have had a hand in it.
        if names.AOT_CAPTURE_CONTENT in attributes:
            spans.update(attributes, (redactor.attributes(attributes) if capture.mode is not Mode.RAW else None) or {})
        else:
            _clean_event(event, attributes, capture, pipeline)
    status = getattr(span, "_status", None)
    if status is not None and status.description and not own_status:
        text = valid_unicode(capture.text(status.description))
        if text != status.description:
            span._status = Status(status.status_code, text or None)  # noqa: SLF001 - the span is ending
    spans.rename(span, lambda name: valid_unicode(name if capture.mode is Mode.RAW else redactor.text(name)))


def _clean_event(event: str, attributes: dict[str, AttributeValue], capture: Capture, pipeline: Pipeline) -> None:
    content = _content_of(event, attributes)
    spans.update(attributes, capture.attributes(attributes, content) or {})
    hiding = pipeline.facts.hiding
    if not hiding:
        return
    hiding.apply(attributes)
    if (event != _CHOICE and hiding.hides(names.GEN_AI_INPUT_MESSAGES)) or (
        event not in _ASKED and hiding.hides(names.GEN_AI_OUTPUT_MESSAGES)
    ):
        for name in content:
            attributes.pop(name, None)


def _content_of(event: str, attributes: dict[str, AttributeValue]) -> frozenset[str]:
    """Return the attributes of a GenAI event that are content there, whatever they are elsewhere."""
    if not event.startswith(_GENAI):
        return frozenset()
    bare = (name for name in attributes if name not in _FACTS and not name.startswith(_GENAI))
    return frozenset((*bare, names.GEN_AI_EVENT_CONTENT))
