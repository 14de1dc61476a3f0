"""Numbers as a person reads them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
_MANY: Final = 100  # hours or days: where their smaller parts don't matter any more
_THOUSAND: Final = 1000
_AGES: Final = 1e9  # thirty years: what is longer is made up
_UNITS: Final = ("B", "kB", "MB", "GB", "TB", "PB")


def duration(seconds: float) -> str:
    """Return a duration in at most seven characters: "0.3 ms", "820 ms", "3.1 s", "2m 05s", "1h 03m", "4d 04h"."""
    seconds = min(max(seconds, 0.0), _AGES)
    if seconds < 0.01:  # noqa: PLR2004 - where the digits before the point run out
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:  # noqa: PLR2004 - what rounds to 1000 ms
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE - 0.05:
        return f"{seconds:.1f} s"
    if seconds < _HOUR - 0.5:
        minutes, rest = divmod(round(seconds), _MINUTE)
        return f"{minutes}m {rest:02d}s"
    hours, rest = divmod(round(seconds / _MINUTE), _MINUTE)
    if hours < _MANY:
        return f"{hours}h {rest:02d}m"
    days, hours = divmod(hours, 24)
    return f"{days}d {hours:02d}h" if days < _MANY else f"{days:,}d"


def size(count: float) -> str:
    """Return a number of bytes in decimal units, in at most seven characters: "0 B", "4.2 kB", "212 MB"."""
    amount = max(float(count), 0.0)
    for unit in _UNITS:
        if amount < 999.5 or unit == _UNITS[-1]:  # noqa: PLR2004 - what rounds to 1000
            digits = 1 if amount < 9.95 and unit != "B" else 0  # noqa: PLR2004 - what rounds to 10
            return f"{amount:.{digits}f} {unit}"
        amount /= _THOUSAND
    return ""  # not reached: the last unit takes everything


def short(count: float) -> str:
    """Return a count in at most five characters: "87", "1.2k", "34k", "1.5M"."""
    amount = float(count)
    for unit in ("", "k", "M", "G"):
        if abs(amount) < 999.5 or unit == "G":  # noqa: PLR2004 - what rounds to 1000
            digits = 1 if unit and abs(amount) < 9.95 else 0  # noqa: PLR2004 - what rounds to 10
            return f"{amount:.{digits}f}{unit}"
        amount /= _THOUSAND
    return ""  # as above


def amount(count: float) -> str:
    """Return how much of something: "1,204", "2.5"."""
    return f"{count:,.0f}" if float(count).is_integer() else f"{count:,.1f}"


def cost(dollars: float) -> str:
    """Return a price: "$0.0042", "$1.25"."""
    return f"${dollars:.4f}" if dollars < 0.995 else f"${dollars:,.2f}"  # noqa: PLR2004 - what rounds to a dollar


def several(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 file", "3 files", "2 processes"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def moment(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC with milliseconds."""
    try:
        when = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        when = datetime.fromtimestamp(0, timezone.utc)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"
