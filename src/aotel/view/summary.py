"""What a run came to, in facts: counted while it goes on, in bounded memory."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aotel.view.events import Event, Kind, Level
from aotel.view.facts import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aotel.view.operations import Opened

TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_CONTAINERS: Final = frozenset({"agent", "session", "step", "decision", "operation"})
_LONGEST: Final = 64  # operations that a timeline may be made of
_SLOWEST: Final = 5
_NAMED: Final = 10_000  # files, hosts
_LISTED: Final = 100  # errors, violations, artifacts


@dataclass(frozen=True, order=True)
class Span:
    """An operation on the time axis.

    Attributes:
        seconds: how long it took, or has taken until the end of the run.
        start: when it began, in seconds since the epoch.
        depth: how many operations it stands in.
        operation: what it is: "llm", "tool", "agent" …
        name: what it is called.
        state: "ended", "failed", "stopped" or "open".
    """

    seconds: float
    start: float
    depth: int
    operation: str
    name: str
    state: str


@dataclass
class Group:
    """The operations of one kind: how many, how many of them failed, and how long they took together."""

    count: int = 0
    failed: int = 0
    stopped: int = 0
    seconds: float = 0.0


@dataclass
class Summary:
    """What a run came to.

    Attributes:
        start: the time of the first event, in seconds since the epoch; None if there was none.
        end: that of the last one.
        operations: by what they are; those that have ended.
        still_open: operations that never ended.
        timeline: the longest of all, in the order of their beginning.
        slowest: the longest of those that are not made of others, the slowest first.
        tokens: sums of what models told, by the name of the count.
        cost_usd: likewise; None if none told.
        errors: the first of them, in words.
        error_count: how many there were.
        warning_count: how many warnings there were.
        files_read: how often each was opened, by its path.
        files_written: likewise.
        hosts: how often each was connected to, by host and port.
        processes: how many were started.
        violations: of the policy, in words; the first of them.
        violation_count: how many there were.
        artifacts: the bytes of each that was collected, by its path.
        refused: those that were not, in words.
        peak_memory_bytes: the most that was measured; None if it could not be.
        peak_cpu_percent: likewise.
        left_out: whether there were more files, hosts or artifacts than are named.
    """

    start: float | None = None
    end: float | None = None
    operations: dict[str, Group] = field(default_factory=dict)
    still_open: int = 0
    timeline: list[Span] = field(default_factory=list)
    slowest: list[Span] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    cost_usd: float | None = None
    errors: list[str] = field(default_factory=list)
    error_count: int = 0
    warning_count: int = 0
    files_read: dict[str, int] = field(default_factory=dict)
    files_written: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, int] = field(default_factory=dict)
    processes: int = 0
    violations: list[str] = field(default_factory=list)
    violation_count: int = 0
    artifacts: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    peak_memory_bytes: float | None = None
    peak_cpu_percent: float | None = None
    left_out: bool = False

    @property
    def seconds(self) -> float:
        """How long it all took."""
        return 0.0 if self.start is None or self.end is None else max(self.end - self.start, 0.0)


class Tally:
    """Adds events up."""

    def __init__(self) -> None:
        self.sums = Summary()
        """What it comes to so far, but for `timeline` and `slowest`."""
        self._longest: list[Span] = []
        self._slowest: list[Span] = []
        self._readers: dict[Kind, Callable[[Mapping[str, object]], None]] = {
            Kind.OPERATION: self._operation,
            Kind.METRICS: self._metrics,
            Kind.FILE: self._file,
            Kind.NETWORK: self._network,
            Kind.OUTPUT: self._output,
            Kind.LIFECYCLE: self._lifecycle,
        }

    def add(self, event: Event) -> None:
        """Take an event."""
        sums, fields = self.sums, event.fields
        seconds = _number(fields, "duration_ms") / 1000 if event.kind is Kind.OPERATION else 0.0
        begin = _start(fields, event.time, seconds)
        sums.start = begin if sums.start is None else min(sums.start, begin)
        sums.end = event.time if sums.end is None else max(sums.end, event.time)
        if event.kind is Kind.POLICY and fields.get("event") == "violated":
            sums.violation_count += 1
            _list(sums.violations, event.text)
        elif event.level >= Level.ERROR:
            sums.error_count += 1
            _list(sums.errors, event.text)
        elif event.level >= Level.WARNING:
            sums.warning_count += 1
        read = self._readers.get(event.kind)
        if read is not None:
            read({**fields, "end": event.time, "text": event.text})

    def summary(self, still_open: Iterable[Opened] = ()) -> Summary:
        """Return what it all comes to by now.

        Args:
            still_open: the operations that have not ended.
        """
        sums = self.sums
        end = sums.end or 0.0
        opened = [
            Span(max(end - each.start, 0.0), each.start, each.depth, each.family, each.name, "open")
            for each in still_open
        ]
        sums.still_open = len(opened)
        sums.timeline = sorted(heapq.nlargest(_LONGEST, [*self._longest, *opened]), key=_by_start)
        sums.slowest = sorted(self._slowest, reverse=True)
        return sums

    def _operation(self, fields: Mapping[str, object]) -> None:
        state = fields.get("event")
        if state not in {"ended", "failed", "stopped"}:
            return
        family, name = str(fields.get("operation", "")), str(fields.get("name", ""))
        seconds = _number(fields, "duration_ms") / 1000
        group = self.sums.operations.setdefault(family, Group())
        group.count += 1
        group.seconds += seconds
        group.failed += state == "failed"
        group.stopped += state == "stopped"
        start = _start(fields, _number(fields, "end"), seconds)
        span = Span(seconds, start, int(_number(fields, "depth")), family, name[:200], str(state))
        _keep(self._longest, span, _LONGEST)
        if family not in _CONTAINERS:
            _keep(self._slowest, span, _SLOWEST)
        for token in TOKENS:
            if token in fields:
                self.sums.tokens[token] = self.sums.tokens.get(token, 0) + int(_number(fields, token))
        if "cost_usd" in fields:
            self.sums.cost_usd = (self.sums.cost_usd or 0.0) + _number(fields, "cost_usd")

    def _metrics(self, fields: Mapping[str, object]) -> None:
        sums = self.sums
        if "memory_bytes" in fields:
            sums.peak_memory_bytes = max(sums.peak_memory_bytes or 0.0, _number(fields, "memory_bytes"))
        if "cpu_percent" in fields:
            sums.peak_cpu_percent = max(sums.peak_cpu_percent or 0.0, _number(fields, "cpu_percent"))

    def _file(self, fields: Mapping[str, object]) -> None:
        place = self.sums.files_written if fields.get("mode") == "write" else self.sums.files_read
        self._count(place, str(fields.get("path", "")), int(_number(fields, "count")) or 1)

    def _network(self, fields: Mapping[str, object]) -> None:
        if fields.get("event") != "connected":
            return
        host, port = str(fields.get("host", "")), fields.get("port")
        host = f"[{host}]" if ":" in host else host
        self._count(self.sums.hosts, host if port is None else f"{host}:{port}", int(_number(fields, "count")) or 1)

    def _output(self, fields: Mapping[str, object]) -> None:
        if fields.get("event") == "collected":
            self._count(self.sums.artifacts, str(fields.get("path", "")), int(_number(fields, "bytes")))
        elif fields.get("event") == "refused":
            _list(self.sums.refused, str(fields["text"]))

    def _lifecycle(self, fields: Mapping[str, object]) -> None:
        self.sums.processes += fields.get("event") == "process_started"

    def _count(self, place: dict[str, int], name: str, amount: int) -> None:
        if name in place or len(place) < _NAMED:
            place[name] = place.get(name, 0) + amount
        else:
            self.sums.left_out = True


def _number(fields: Mapping[str, object], name: str) -> float:
    value = fields.get(name)
    return value if isinstance(value, int | float) else 0.0


def _start(fields: Mapping[str, object], end: float, seconds: float) -> float:
    """Return when an event began: what was told of its beginning, where that was seen, else by how long it took."""
    told = moment(fields.get("started_at"))
    return end - seconds if told is None else told


def _keep(heap: list[Span], span: Span, most: int) -> None:
    """Keep a span if it is one of the longest."""
    if len(heap) < most:
        heapq.heappush(heap, span)
    else:
        heapq.heappushpop(heap, span)


def _list(place: list[str], words: str) -> None:
    if len(place) < _LISTED:
        place.append(words)


def _by_start(span: Span) -> tuple[float, int]:
    return span.start, span.depth
