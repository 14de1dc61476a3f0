"""The few places of an SDK span that have no public name: each guarded, each with a fallback.

Once a span is ending, `set_attribute` no longer works; its attribute dict, shared with the read-only copy that
exporters get, still can be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Status

from aotel.content import UNREADABLE
from aotel.envelopes import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.util.types import AttributeValue

# Attributes of an agent's span are many (a chat has four a message); the SDK's default of 128 evicts the oldest.
DEFAULT_LIMIT = 128
ROOMY = 8192


def attribute_dict(span: Any) -> dict[str, AttributeValue] | None:
    """Return the dict behind a span's attributes, or None where this SDK's spans are built otherwise."""
    try:
        found = span._attributes._dict  # noqa: SLF001 - see the module
    except AttributeError:
        return None
    return found if type(found) is dict else None


def keep_recording(span: Any, recording: Recording) -> bool:
    """Let `recording` ride on the span; False where it can't."""
    try:
        span._attributes._aotel_recording = recording  # noqa: SLF001 - see the module
    except AttributeError:
        return False
    return True


def recording_of(span: Any) -> Recording | None:
    """Return the recording that rides on a span or on its read-only copy."""
    try:
        found = span._attributes._aotel_recording  # noqa: SLF001 - see the module
    except AttributeError:
        return None
    return found if type(found) is Recording else None


def make_room(span: Any) -> None:
    """Lift the SDK's default limit on the number of attributes for one span; one that somebody chose stays."""
    try:
        if span._attributes.maxlen == DEFAULT_LIMIT:  # noqa: SLF001 - see the module
            span._attributes.maxlen = ROOMY  # noqa: SLF001
    except (AttributeError, TypeError):
        return


def room(span: Any) -> int | None:
    """Return how many attributes a span may have, or None for any number."""
    limit = getattr(getattr(span, "_attributes", None), "maxlen", None)
    return limit if isinstance(limit, int) else None


def value_length_limit(span: Any) -> int | None:
    """Return how long a string in a span's attributes may be (`OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`), in characters."""
    limit = getattr(getattr(span, "_attributes", None), "max_value_len", None)
    return limit if isinstance(limit, int) else None


def is_plain(span: Any) -> bool:
    """Say whether a span has no events, links or status, and no limits that our attributes could meet."""
    try:
        return not (
            span._events._dq  # noqa: SLF001 - see the module; the list's own `len` costs a call
            or span._links._dq  # noqa: SLF001
            or span._attributes.max_value_len is not None  # noqa: SLF001
            or (span._attributes.maxlen or ROOMY) < DEFAULT_LIMIT  # noqa: SLF001
            or span._status._description is not None  # noqa: SLF001
        )
    except AttributeError:
        return False


def parts(span: Any) -> Iterator[tuple[str, dict[str, AttributeValue]]]:
    """Yield name and attribute dict of each event and link of a span that has attributes; a link has no name."""
    for part in (*(getattr(span, "_events", None) or ()), *(getattr(span, "_links", None) or ())):
        found = attribute_dict(part)
        if found:
            yield getattr(part, "name", ""), found


def rename(span: Any, clean: Callable[[str], str]) -> None:
    """Make the names of a span and its events clean."""
    for part in (span, *(getattr(span, "_events", None) or ())):
        name = clean(part.name)
        if name != part.name and hasattr(part, "_name"):
            part._name = name  # noqa: SLF001 - see the module


def strip(span: Any) -> None:
    """Take all text off a span, its events and links, names too: what could not be made clean does not leave."""
    for attributes in (attribute_dict(span), *(said for _, said in parts(span))):
        if attributes is not None:
            for name in [name for name, value in attributes.items() if not isinstance(value, (bool, int, float))]:
                del attributes[name]
    status = getattr(span, "_status", None)
    if status is not None and status.description:
        span._status = Status(status.status_code)  # noqa: SLF001 - see the module
    rename(span, lambda _: UNREADABLE)


def update(attributes: dict[str, AttributeValue], changes: dict[str, Any]) -> None:
    """Apply changes to an attribute dict; None removes a key."""
    for key, value in changes.items():
        if value is None:
            attributes.pop(key, None)
        else:
            attributes[key] = value
