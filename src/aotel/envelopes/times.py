"""Times as envelopes write them: nanoseconds since the epoch to RFC 3339 with milliseconds."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache

_NS_PER_MS = 1_000_000


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(nanoseconds: int) -> str:
    """Return a time (ns since the epoch) as RFC 3339 in UTC, rounded to the millisecond."""
    seconds, fraction = divmod((nanoseconds + _NS_PER_MS // 2) // _NS_PER_MS, 1000)
    try:
        return f"{_second(seconds)}.{fraction:03d}Z"
    except (ValueError, OverflowError, OSError):  # a span that somebody ended outside the calendar
        return "1970-01-01T00:00:00.000Z"


def milliseconds(nanoseconds: int) -> float:
    """Return a duration (ns) in milliseconds with three decimals."""
    return round(nanoseconds / _NS_PER_MS, 3)
