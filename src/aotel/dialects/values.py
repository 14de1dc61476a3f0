"""Reading single attribute values: whatever a span holds becomes the type expected, or None. Nothing here raises."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["MAX_ITEMS", "content", "flag", "integer", "number", "score", "text", "texts", "tokens"]

MAX_ITEMS = 1024
"""No list is read or written beyond this many items: an attribute set is bounded, whatever a span claims."""

_MAX_INTEGER = 2**63 - 1
"""What OTLP can carry."""

_LONGEST_NUMBER = 32
"""Characters; a longer string is no number that anyone meant."""


def content(value: object) -> str | None:
    """A text that may be empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return _digits(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None


def text(value: object) -> str | None:
    """A name or an id: a text that says something."""
    return content(value) or None


def texts(value: object) -> tuple[str, ...]:
    """A list of texts; a single text is a list of one."""
    if isinstance(value, (str, bytes)):
        single = text(value)
        return () if single is None else (single,)
    if isinstance(value, Sequence):
        return tuple(item for item in map(content, value[:MAX_ITEMS]) if item is not None)
    return ()


def integer(value: object) -> int | None:
    """A whole number that OTLP can carry; from an int, a whole float or a string of digits."""
    found = number(value)
    if found is None or found != found // 1 or abs(found) > _MAX_INTEGER:
        return None
    return int(found)


def tokens(value: object) -> int | None:
    """A count: a whole number from zero."""
    found = integer(value)
    return None if found is None or found < 0 else found


def number(value: object) -> float | None:
    """A finite number, int or float as it came."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, (int, float)) and (isinstance(value, int) or math.isfinite(value)):
        return value
    return None


def score(value: object) -> float | None:
    """A finite number small enough for a double, which is what scores and sampling parameters are."""
    found = number(value)
    return found if found is None or abs(found) <= _MAX_INTEGER else None


def flag(value: object) -> bool | None:
    """A truth value, also from its name."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def _parsed(value: str) -> float | None:
    if len(value) > _LONGEST_NUMBER:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _digits(value: float) -> str:
    # The text of an endless integer takes quadratic time, or raises from Python 3.11 on.
    return "" if isinstance(value, int) and abs(value) > _MAX_INTEGER else str(value)
