"""What an entry says, read leniently: texts in full, for a page has room, and times in milliseconds."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from aotel.audit import envelopes
from aotel.audit.envelopes import Object, part, text
from aotel.view.facts import number, whole

__all__ = ["Object", "items", "moment", "number", "parse", "part", "shown", "text", "whole"]


def parse(source: str | bytes) -> Object | None:
    """Return a JSON object, or None for what is none."""
    try:
        value = msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return value if isinstance(value, dict) else None


def items(source: Object, key: str) -> list[Any]:
    """Return an array, or an empty one where there is none."""
    value = source.get(key)
    return value if isinstance(value, list) else []


def moment(value: object) -> float | None:
    """Return an RFC 3339 time as milliseconds since the epoch; None for what is none."""
    when = envelopes.moment(value)
    return when * 1000.0 if when is not None and math.isfinite(when) else None


def shown(value: object) -> str:
    """Return any JSON value as a text: a text as it is, others as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
