"""What a JSON object says, read leniently: a key that is missing, or of another type than expected, is absent."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from typing import Final

import msgspec

from aotel.audit.envelopes import Object, part, read_object

__all__ = ["LENGTH", "Object", "moment", "number", "part", "plain", "read_object", "some", "text", "whole"]

LENGTH: Final = 2_000
"""Characters of one value that are kept of what came: the log has all of it."""
_ITEMS: Final = 100
_DEPTH: Final = 8


def text(source: Object, key: str) -> str:
    """Return a text, cut to a sane length; "" where there is none."""
    value = source.get(key)
    return value[:LENGTH] if isinstance(value, str) else ""


def number(source: Object, key: str) -> float | None:
    """Return a finite number, or None where there is none."""
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # a whole number that no float holds
        return None


def whole(source: Object, key: str) -> int | None:
    """Return a whole number, or None where there is none."""
    value = number(source, key)
    return None if value is None else int(value)


def moment(value: object) -> float | None:
    """Return an RFC 3339 time as seconds since the epoch; None for what is none."""
    if not isinstance(value, str):
        return None
    try:
        when = msgspec.convert(value, datetime)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def some(**facts: object) -> dict[str, object]:
    """Return what is known: what is missing is neither zero nor there."""
    return {name: value for name, value in facts.items() if value is not None and value != ""}


def plain(value: object, depth: int = _DEPTH) -> object:
    """Return a value as JSON can have it, cut where it is long, wide or deep; never raises."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value if len(value) <= LENGTH else value[:LENGTH] + "…"
    if depth and isinstance(value, dict):
        return {str(key)[:LENGTH]: plain(each, depth - 1) for key, each in list(value.items())[:_ITEMS]}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [plain(each, depth - 1) for each in list(value)[:_ITEMS]]
    return f"<{type(value).__name__}>"
