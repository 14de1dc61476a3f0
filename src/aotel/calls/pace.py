"""The pace of what arrives piece by piece: how much, when first, and how long between two pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

_GAPS = 65_536
"""How many gaps are kept for percentiles; past that every second one goes."""


class Pace:
    """Counts what arrives and when, in bounded memory.

    Percentiles are exact up to 65,536 events and taken from an even sample after that.
    """

    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0
        self.first = 0
        self.longest = 0
        self._last = 0
        self._gaps: list[int] = []
        self._stride = 1

    def add(self, now: int, size: int) -> None:
        """Count one arrival at `now` (ns, any monotonic clock) of `size` bytes."""
        if self.count == 0:
            self.first = now
        else:
            gap = now - self._last
            self.longest = max(self.longest, gap)
            if self.count % self._stride == 0:
                self._gaps.append(gap)
                if len(self._gaps) >= _GAPS:
                    self._gaps = self._gaps[::2]
                    self._stride *= 2
        self._last = now
        self.count += 1
        self.bytes += size

    def gaps(self) -> list[float]:
        """Return the seconds between two arrivals, all of them or an even sample."""
        return [gap / 1e9 for gap in self._gaps]

    def attributes(self, start: int) -> dict[str, AttributeValue]:
        """Return count, bytes, time to the first event and gaps (milliseconds) as span attributes."""
        found: dict[str, AttributeValue] = {names.AOT_STREAM_COUNT: self.count, names.AOT_STREAM_BYTES: self.bytes}
        if self.count:
            found[names.AOT_STREAM_TIME_TO_FIRST_EVENT_MS] = _milliseconds(self.first - start)
        if self._gaps:
            gaps = sorted(self._gaps)
            found[names.AOT_STREAM_GAP_P50_MS] = _milliseconds(gaps[len(gaps) // 2])
            found[names.AOT_STREAM_GAP_P95_MS] = _milliseconds(gaps[min(len(gaps) - 1, len(gaps) * 95 // 100)])
            found[names.AOT_STREAM_GAP_MAX_MS] = _milliseconds(self.longest)
        return found


def _milliseconds(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 3)
