"""How large items get in OTLP, without encoding them: upper bounds, for splitting what would be too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

REQUEST_BYTES: Final = 3_400_000
"""Bytes of the items in a request: with the resource it stays under 3.5 MB. gRPC servers refuse 4 MiB by default."""

_FIELD = 8  # tag and length of a field
_RECORD = 128  # ids, times, severity and flags of a record or span
_DEPTH = 16


def log_record_size(record: ReadableLogRecord) -> int:
    """Return the most bytes a log record takes.

    Raises:
        ValueError: its body or a name in it can't be encoded.
    """
    content = record.log_record
    size = _RECORD + _text(content.event_name or "") + _text(content.severity_text or "")
    size += _text(content.body) if isinstance(content.body, str) else _value(content.body)
    return size + _attributes(content.attributes)


def span_size(span: ReadableSpan) -> int:
    """Return the most bytes a span takes.

    Raises:
        ValueError: a name in it can't be encoded.
    """
    size = _RECORD + _text(span.name) + _attributes(span.attributes)
    if span.status.description:
        size += _text(span.status.description)
    for event in span.events:
        size += _RECORD + _text(event.name) + _attributes(event.attributes)
    for link in span.links:
        size += _RECORD + _attributes(link.attributes)
    return size


def _text(text: str) -> int:
    """Return the bytes of a string that must be encodable, or the whole item is not."""
    return _FIELD + (len(text) if text.isascii() else len(text.encode()))


def _attributes(attributes: Mapping[str, object] | None) -> int:
    return sum(2 * _FIELD + 4 * len(key) + _value(value) for key, value in attributes.items()) if attributes else 0


def _value(value: object, depth: int = 0) -> int:
    """Return the bytes of a value; what can't be encoded is left out by the encoder, and counts as little."""
    if isinstance(value, str):
        return 2 * _FIELD + (len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass")))
    if isinstance(value, bytes):
        return 2 * _FIELD + len(value)
    if depth < _DEPTH and isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return 2 * _FIELD + sum(_FIELD + 4 * len(str(key)) + _value(each, depth + 1) for key, each in pairs)
    if depth < _DEPTH and isinstance(value, Sequence):
        return 2 * _FIELD + sum(_value(each, depth + 1) for each in cast("Sequence[object]", value))
    return 2 * _FIELD
