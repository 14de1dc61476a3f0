"""Durations and sizes as people write them: `30s`, `1h30m`, `512MiB`."""

from __future__ import annotations

import re
from typing import Final

from aotel.errors import ConfigurationError

_DURATIONS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LONGEST: Final = 365 * 86_400.0

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)")
# A letter alone is binary, as containers and service managers have it.
_SIZES: Final = {
    "": 1,
    "b": 1,
    **{letter: 1024**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
}
_LARGEST: Final = 2**62
_UNITS: Final = ("TiB", "GiB", "MiB", "KiB")


def seconds(text: str) -> float:
    """Return a duration in seconds.

    Args:
        text: a number of seconds, or numbers with units from `ms`, `s`, `m`, `h` and `d`, the largest first or not.

    Raises:
        ConfigurationError: it is not written so, is not more than nothing, or is longer than a year.
    """
    given = text.strip().lower()
    if _NUMBER.fullmatch(given):
        found = float(given)
    elif given and not _PART.sub("", given):
        found = sum(float(number) * _DURATIONS[unit] for number, unit in _PART.findall(given))
    else:
        msg = f"a duration is a number with s, m, h or d, like 30s or 1h30m; got {text!r:.80}"
        raise ConfigurationError(msg)
    if not 0 < found <= _LONGEST:
        msg = f"a duration is more than nothing and at most a year, got {text!r:.80}"
        raise ConfigurationError(msg)
    return found


def size(text: str) -> int:
    """Return a size in bytes.

    Args:
        text: a number with a unit: `KiB`, `MiB`, `GiB`, `TiB` or their first letter count by 1024, `KB` … by 1000;
            without one, bytes.

    Raises:
        ConfigurationError: it is not written so, or is not more than nothing.
    """
    found = _SIZE.fullmatch(text.strip().lower())
    if found is None or found[2] not in _SIZES:
        msg = f"a size is a number with K, M, G, KiB, MiB, GiB, KB, MB or GB, like 512MiB; got {text!r:.80}"
        raise ConfigurationError(msg)
    number = float(found[1]) * _SIZES[found[2]]
    if not 1 <= number <= _LARGEST:
        msg = f"a size is more than nothing, got {text!r:.80}" if number < 1 else f"{text!r:.80} is too large a size"
        raise ConfigurationError(msg)
    return int(number)


def in_words(number: float) -> str:
    """Return a number of bytes as a person reads it."""
    for power, unit in zip(range(4, 0, -1), _UNITS, strict=True):
        if number >= 1024**power:
            return f"{number / 1024**power:.4g} {unit}"
    return f"{number:.0f} bytes" if number != 1 else "1 byte"


def duration_in_words(number: float) -> str:
    """Return a number of seconds as a person reads it."""
    if number < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{number:.3g} s"
    minutes, rest = divmod(round(number), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
