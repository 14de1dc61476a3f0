"""When to warn that a limit comes near: once a crossing, and once when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from aotel.sensor.sample import Sample

CPU: Final = "cpu"
MEMORY: Final = "memory"
DISK: Final = "disk"
TIME: Final = "time"
OUTPUT: Final = "output"

OVER: Final = "over"
RECOVERED: Final = "recovered"

_UNITS: Final = ("KiB", "MiB", "GiB", "TiB")
_KIBI: Final = 1024


@dataclass(frozen=True)
class LimitWarning:
    """A limit that comes near, or does no longer.

    Attributes:
        resource: what is limited: `cpu`, `memory`, `disk`, `time`, `output`.
        percent: how much of it is used.
        state: `over` or `recovered`.
        message: a sentence for a person.
        limit: the limit, in bytes, seconds or cores; None if there is none to name.
    """

    resource: str
    percent: float
    state: str
    message: str
    limit: float | None = None

    def detail(self) -> dict[str, Any]:
        """Return what the audit log has of it."""
        found: dict[str, Any] = {
            "resource": self.resource,
            "percent": self.percent,
            "state": self.state,
            "message": self.message,
        }
        return found if self.limit is None else {**found, "limit": self.limit}


class Threshold:
    """A level that is crossed upwards at one height and downwards at another, so that a value at it is told of once.

    Args:
        over: per cent from which on it is too much.
        recovered: per cent below which it is well again; None for what can't be.
    """

    def __init__(self, over: float = 90.0, recovered: float | None = 80.0) -> None:
        self._over = over
        self._recovered = recovered
        self.is_over = False

    def crossed(self, percent: float | None) -> str | None:
        """Take a value; return `OVER` or `RECOVERED` if it crosses, None else, as for a value that isn't known."""
        if percent is None:
            return None
        if not self.is_over and percent >= self._over:
            self.is_over = True
            return OVER
        if self.is_over and self._recovered is not None and percent < self._recovered:
            self.is_over = False
            return RECOVERED
        return None


class Thresholds:
    """The thresholds of a run: processor, memory and disk at 90 %, time at 90 %, output at 95 %."""

    def __init__(self) -> None:
        self._levels = {
            CPU: Threshold(),
            MEMORY: Threshold(),
            DISK: Threshold(),
            TIME: Threshold(recovered=None),
            OUTPUT: Threshold(95.0, 85.0),
        }

    def sample(self, sample: Sample) -> list[LimitWarning]:
        """Return the warnings that a sample gives reason for."""
        cores, limit = sample.cpu_cores, sample.memory_limit_bytes
        allowed = "" if cores is None else f" of {cores:g} core{'' if cores == 1 else 's'}"
        found = (
            self._warn(CPU, sample.cpu_percent, allowed, cores),
            self._warn(MEMORY, _percent(sample.memory_bytes, limit), f" of {_size(limit)}", limit),
            self._warn(DISK, sample.disk_used_percent, " of its size", None),
        )
        return [warning for warning in found if warning is not None]

    def time(self, seconds: float, timeout: float) -> LimitWarning | None:
        """Return a warning if a run comes near its timeout, both in seconds."""
        return self._warn(TIME, _percent(seconds, timeout), f" of {timeout:g} s", timeout)

    def output(self, size: int, limit: int) -> LimitWarning | None:
        """Return a warning if what is collected comes near its limit, both in bytes."""
        return self._warn(OUTPUT, _percent(size, limit), f" of {_size(limit)}", limit)

    def _warn(self, resource: str, percent: float | None, of: str, limit: float | None) -> LimitWarning | None:
        state = self._levels[resource].crossed(percent)
        if state is None or percent is None:
            return None
        back = "back " if state == RECOVERED else ""
        message = f"{resource} is {back}at {percent:.0f} %{of}"
        return LimitWarning(resource, round(percent, 1), state, message, limit)


def _percent(value: float | None, limit: float | None) -> float | None:
    # Rounded: nine tenths of a number, divided by it, can be a little less than 0.9.
    return None if value is None or not limit else round(100.0 * value / limit, 6)


def _size(size: float | None) -> str:
    if size is None or size < _KIBI:
        return f"{size or 0:g} B"
    power = 0
    while size >= _KIBI and power < len(_UNITS):
        size /= _KIBI
        power += 1
    return f"{size:.1f} {_UNITS[power - 1]}"
