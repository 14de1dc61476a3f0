"""The few places of an SDK span that have no public name: each guarded, each with a fallback.

Once a span is ending, `set_attribute` no longer works; its attribute dict, shared with the read-only copy that
exporters get, still can be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aotel.envelopes import Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.util.types import AttributeValue

_RECORDING = "_aotel_recording"

# Attributes of an agent's span are many (a chat has four a message); the SDK's default of 128 evicts the oldest.
ROOMY = 8192


def attribute_dict(span: Any) -> dict[str, AttributeValue] | None:
    """Return the dict behind a span's attributes, or None where this SDK's spans are built otherwise."""
    found = getattr(getattr(span, "_attributes", None), "_dict", None)
    return found if isinstance(found, dict) else None


def keep_recording(span: Any, recording: Recording) -> bool:
    """Let `recording` ride on the span; False where it can't."""
    try:
        setattr(span._attributes, _RECORDING, recording)  # noqa: SLF001 - see the module
    except AttributeError:
        return False
    return True


def recording_of(span: Any) -> Recording | None:
    """Return the recording that rides on a span or on its read-only copy."""
    found = getattr(getattr(span, "_attributes", None), _RECORDING, None)
    return found if isinstance(found, Recording) else None


def make_room(span: Any) -> None:
    """Lift the limit on the number of attributes for one span; the caller knows that the user set none."""
    attributes = getattr(span, "_attributes", None)
    limit = getattr(attributes, "maxlen", None)
    if isinstance(limit, int) and limit < ROOMY:
        attributes.maxlen = ROOMY


def room(span: Any) -> int | None:
    """Return how many attributes a span may have, or None for any number."""
    limit = getattr(getattr(span, "_attributes", None), "maxlen", None)
    return limit if isinstance(limit, int) else None


def value_length_limit(span: Any) -> int | None:
    """Return how long a string in a span's attributes may be (`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`), in characters."""
    limit = getattr(getattr(span, "_attributes", None), "max_value_len", None)
    return limit if isinstance(limit, int) else None


def event_dicts(span: Any) -> Iterator[dict[str, AttributeValue]]:
    """Yield the attribute dict of each event and link of a span."""
    for part in (*(getattr(span, "_events", None) or ()), *(getattr(span, "_links", None) or ())):
        found = attribute_dict(part)
        if found:
            yield found


def update(attributes: dict[str, AttributeValue], changes: dict[str, Any]) -> None:
    """Apply changes to an attribute dict; None removes a key."""
    for key, value in changes.items():
        if value is None:
            attributes.pop(key, None)
        else:
            attributes[key] = value
