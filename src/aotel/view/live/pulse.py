"""What the panel knows of the present: what is open, how far work has come, and what the machine does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aotel.view.events import Event, Kind
from aotel.view.summary import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_OPEN: Final = 20_000
_SAMPLES: Final = 40
_LINGER: Final = 2.0  # seconds that a finished bar stays
_ENDS: Final = frozenset({"ended", "failed", "stopped"})

Key = tuple[str, str]


@dataclass
class Running:
    """An open operation."""

    family: str
    name: str
    start: float
    parent: Key
    inside: int = 0  # how many open operations stand in it


@dataclass
class Work:
    """How far a long piece of work has come."""

    name: str
    start: float
    done: float | None = None
    total: float | None = None
    message: str = ""
    ended: float | None = None


@dataclass
class Flow:
    """A counter that only grows, as rates."""

    last: tuple[float, float] | None = None
    total: float | None = None
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def take(self, when: float, total: float) -> None:
        """Take a reading of the counter."""
        if self.last is not None and when > self.last[0]:
            self.rates.append(max(total - self.last[1], 0.0) / (when - self.last[0]))
        self.last = (when, total)
        self.total = total


class Pulse:
    """Follows events, in bounded memory."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.open: dict[Key, Running] = {}
        self.work: dict[str, Work] = {}
        self.sample: Mapping[str, object] = {}
        self.memory: deque[float] = deque(maxlen=_SAMPLES)
        self.network = Flow()
        self.disk = Flow()
        self.finished = 0
        self.failed = 0

    def take(self, event: Event) -> None:
        """Take an event."""
        self.tally.add(event)
        if event.kind is Kind.OPERATION:
            self._operation(event)
        elif event.kind is Kind.METRICS and event.fields.get("event") == "sampled":
            self._metrics(event)
        elif event.kind is Kind.INSTALL:
            self._install(event)

    def forget(self) -> None:
        """Forget what is open: events were lost, so that it may have ended."""
        self.open.clear()
        self.work.clear()

    def paths(self, most: int) -> tuple[list[list[Running]], int]:
        """Return what runs now: the innermost open operations, the latest first, each behind those it stands in.

        Args:
            most: how many.

        Returns:
            The paths, and how many innermost operations there are beside them.
        """
        innermost = [running for running in self.open.values() if not running.inside]
        return [self._path(running) for running in innermost[: -most - 1 : -1]], max(len(innermost) - most, 0)

    def bars(self, now: float) -> list[Work]:
        """Return the work that is under way, or only just done."""
        for name, work in list(self.work.items()):
            if work.ended is not None and now - work.ended > _LINGER:
                del self.work[name]
        return list(self.work.values())

    def _path(self, running: Running) -> list[Running]:
        path = [running]
        above = self.open.get(running.parent)
        while above is not None and len(path) < 50 and above not in path:  # noqa: PLR2004 - more don't fit a line
            path.append(above)
            above = self.open.get(above.parent)
        return path[::-1]

    def _operation(self, event: Event) -> None:
        fields = event.fields
        state = fields.get("event")
        key = (str(fields.get("trace_id", "")), str(fields.get("span_id", "")))
        if state == "started" and key[1] and key not in self.open:
            parent = (key[0], str(fields.get("parent_span_id", "")))
            running = Running(str(fields.get("operation", "")), str(fields.get("name", "")), event.time, parent)
            self.open[key] = running
            self._change(parent, 1)
            if len(self.open) > _MOST_OPEN:
                self._close(next(iter(self.open)))
        elif state in _ENDS:
            self.finished += 1
            self.failed += state == "failed"
            self._close(key)
        elif state == "progress":
            self._progress(event)

    def _close(self, key: Key) -> None:
        running = self.open.pop(key, None)
        if running is not None:
            self._change(running.parent, -1)

    def _change(self, parent: Key, by: int) -> None:
        above = self.open.get(parent)
        if above is not None:
            above.inside = max(above.inside + by, 0)

    def _progress(self, event: Event) -> None:
        fields = event.fields
        key = f"{fields.get('span_id', '')} {fields.get('pid', '')} {fields.get('name', '')}"
        self._advance(key, str(fields.get("name", "")), event)

    def _install(self, event: Event) -> None:
        packages = event.fields.get("packages")
        names = ", ".join(map(str, packages)) if isinstance(packages, list) else ""
        self._advance("install", f"installing {names}".rstrip(), event)

    def _advance(self, key: str, name: str, event: Event) -> None:
        fields = event.fields
        work = self.work.get(key)
        if work is None or work.ended is not None:
            if len(self.work) > _MOST_OPEN:
                return
            work = self.work[key] = Work(name, event.time)
        done, total = fields.get("done"), fields.get("total")
        work.done = float(done) if isinstance(done, int | float) else work.done
        work.total = float(total) if isinstance(total, int | float) else work.total
        work.message = str(fields.get("message", work.message))
        if fields.get("state") in {"done", "failed"}:
            work.ended = event.time

    def _metrics(self, event: Event) -> None:
        self.sample = event.fields
        used = event.fields.get("memory_bytes")
        if isinstance(used, int | float):
            self.memory.append(float(used))
        for flow, names in (
            (self.network, ("net_sent_bytes", "net_received_bytes")),
            (self.disk, ("disk_read_bytes", "disk_write_bytes")),
        ):
            known = [value for value in (event.fields.get(name) for name in names) if isinstance(value, int | float)]
            if known:
                flow.take(event.time, float(sum(known)))
