"""From a log to what the page shows, in one pass and in bounded memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aotel._version import __version__
from aotel.audit import Entry, actions
from aotel.semconv import kinds
from aotel.view.report.fields import Object, items, moment, parse, part, shown, text, whole
from aotel.view.report.limits import Texts
from aotel.view.report.machine import DISTINCT, Machine
from aotel.view.report.nearness import near
from aotel.view.report.operations import Operation, Operations, sane
from aotel.view.report.tree import in_order

if TYPE_CHECKING:
    from aotel.view.report.chain import Chain
    from aotel.view.report.limits import Limits
    from aotel.view.report.machine import Event

_FORMAT = 1
_EXACT, _HEURISTIC = 1, 2
_NOTIFICATIONS = frozenset({"notify", "progress"})


class Collection:
    """What a log says of a run.

    Args:
        limits: how much of it is kept.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._texts = Texts(limits)
        self._operations = Operations(limits, self._texts)
        self._machine = Machine(limits, self._texts)
        self._parents: dict[int, int] = {}
        self._first: float | None = None
        self._last: float | None = None
        self._pods: dict[str, None] = {}
        self._entries = 0
        self._unreadable = 0

    def add(self, entry: Entry | Object | None) -> None:
        """Take an entry of an audit log, or a bare envelope."""
        self._entries += 1
        if not isinstance(entry, Entry):
            self._envelope(entry, None, "")
            return
        written = moment(entry.timestamp)
        if len(self._pods) < self._limits.parts:
            self._pods[entry.pod_id[:200]] = None
        detail = parse(entry.detail)
        if entry.action == actions.AGENT_COAT:
            self._envelope(detail, written, entry.agent or "")
            return
        detail = detail or {}
        when = sane(moment(detail.get("ts")), written)
        if when is None:
            self._unreadable += 1
            return
        self._extend(when)
        if entry.agent and "agent" not in detail:
            detail["agent"] = entry.agent
        self._process(entry.action, detail)
        self._machine.add(entry.action, detail, when, success=entry.success)

    def _envelope(self, envelope: Object | None, written: float | None, agent: str) -> None:
        if envelope is None or not isinstance(envelope.get("payload"), dict):
            self._unreadable += 1
            return
        operation = self._operations.add(envelope, written, agent)
        when = sane(moment(envelope.get("ts")), written)
        if when is None:
            return
        if operation is not None:
            self._extend(operation.start)
            self._extend(operation.end or operation.start)
        span_id = text(part(envelope, "ids"), "span_id")
        tag = text(part(envelope, "payload"), "tag")
        if not span_id or (operation is None and text(envelope, "kind") == kinds.COAT_EMIT) or tag in _NOTIFICATIONS:
            self._extend(when)
            self._machine.tell(envelope, when)

    def _extend(self, when: float) -> None:
        self._first = when if self._first is None or when < self._first else self._first
        self._last = when if self._last is None or when > self._last else self._last

    def _process(self, action: str, detail: Object) -> None:
        pid, parent = whole(detail, "pid"), whole(detail, "ppid")
        if action == actions.PROCESS_START and pid is not None and parent is not None:
            self._parents[pid] = parent

    def document(self, about: Object, chain: Chain, skipped: int) -> Object:
        """Return everything that the page shows.

        Args:
            about: what the run says of itself.
            chain: how far the chain of the log holds.
            skipped: lines of the log that could not be read.
        """
        start, length = self._extent(about)
        ordered = in_order(self._operations)
        places = {id(operation): place for place, (operation, _) in enumerate(ordered)}
        strings = _Strings()
        totals = self._operations.totals
        names = sorted({operation.agent for operation, _ in ordered if operation.agent})
        agents = {name: place for place, name in enumerate(names)}
        found = near(self._machine.events, self._operations, self._parents)
        return {
            "format": _FORMAT,
            "aotel": __version__,
            "made": round(time.time() * 1000),
            "start": start,
            "length": length,
            "run": self._run(about),
            "chain": chain.as_object(),
            "totals": self._totals(),
            "models": [[name, *(round(value, 1) for value in sums)] for name, sums in totals.models.items()],
            "notes": self._notes(chain, len(ordered), skipped),
            "agents": names,
            "strings": strings.table,
            "operations": [_row(operation, parent, start, agents, strings) for operation, parent in ordered],
            "events": [
                self._event(event, start, places, found)
                for event in sorted(self._machine.events, key=lambda event: event.time)
            ],
            "resources": self._machine.curves(start),
        }

    def _extent(self, about: Object) -> tuple[float, float]:
        told = [when for name in ("started", "ended") if (when := moment(about.get(name))) is not None]
        times = [when for when in (self._first, self._last, *told) if when is not None]
        times.extend(row[0] or 0.0 for row in self._machine.samples)
        start = min(times, default=0.0)
        return start, round(max(times, default=0.0) - start, 3)

    def _run(self, about: Object) -> Object:
        command = [self._texts(shown(word)) for word in items(about, "command")]
        ending = part(about, "exit")
        known: dict[str, Any] = {
            "command": command,
            "name": text(about, "name"),
            "state": text(about, "state"),
            "message": self._texts(text(about, "message")),
            "started": moment(about.get("started")),
            "ended": moment(about.get("ended")),
            "status": whole(ending, "status"),
            "signal": text(ending, "signal"),
            "reason": text(ending, "reason"),
            "pods": [pod for pod in self._pods if pod],
        }
        return {name: value for name, value in known.items() if value not in (None, "", [])}

    def _totals(self) -> Object:
        totals, counts = self._operations.totals, self._machine.counts
        return {
            "entries": self._entries,
            "operations": totals.operations,
            "errors": totals.failed,
            "open": totals.open,
            "kinds": totals.kinds,
            "tokens": totals.tokens,
            "agents": totals.agents,
            "files": len(self._machine.files),
            "hosts": len(self._machine.hosts),
            "processes": counts.get(actions.PROCESS_START, 0),
            "violations": counts.get(actions.POLICY_VIOLATION, 0),
            "artifacts": counts.get(actions.ARTIFACT, 0),
        }

    def _notes(self, chain: Chain, rows: int, skipped: int) -> list[str]:
        totals = self._operations.totals
        unreadable = skipped + self._unreadable + totals.unreadable
        notes = [chain.note] if chain.note else []
        if totals.operations > rows:
            notes.append(
                f"Only the first {rows:,} of {totals.operations:,} operations are shown; the numbers above count all."
            )
        if self._machine.left_out:
            notes.append(
                f"{_many(self._machine.left_out, 'event', 'events')} of the machine are left out: there are too many."
            )
        if len(self._machine.files) >= DISTINCT:
            notes.append(f"More than {DISTINCT:,} files were opened; they are not counted further.")
        if self._texts.cut:
            cut = _many(
                self._texts.cut, "long text is cut; the audit log has it", "long texts are cut; the audit log has them"
            )
            notes.append(f"{cut} in full.")
        if unreadable:
            notes.append(f"{_many(unreadable, 'line', 'lines')} of the log could not be read.")
        return notes

    def _event(self, event: Event, start: float, places: dict[int, int], found: dict[int, Operation]) -> list[Any]:
        operation, link = self._operations.of_span(event.trace_id, event.span_id), _EXACT
        if operation is None:
            operation, link = found.get(id(event)), _HEURISTIC
        place = -1 if operation is None else places[id(operation)]
        row: list[Any] = [
            event.lane,
            event.action,
            round(event.time - start, 1),
            place,
            link if place >= 0 else 0,
            event.level,
            event.pid,
            event.text,
        ]
        return [*row, event.facts] if event.facts else row


def _many(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


class _Strings:
    """Texts that many operations share, each written once.

    Attributes:
        table: the texts, by the number that stands for each.
    """

    def __init__(self) -> None:
        self.table: list[str] = []
        self._numbers: dict[str, int] = {}

    def __call__(self, value: str) -> int:
        """Return the number of a text."""
        if value not in self._numbers:
            self._numbers[value] = len(self.table)
            self.table.append(value)
        return self._numbers[value]


_SHARED = ("framework", "session_id", "run_id", "capture", "pod_id", "claim", "claim_id", "fingerprint", "role")


def _row(operation: Operation, parent: int, start: float, agents: dict[str, int], strings: _Strings) -> list[Any]:
    """Return an operation as an array; its order is that in which `page/data.js` reads it."""
    facts = dict(operation.facts)
    shared = {name: strings(facts.pop(name)) for name in _SHARED if name in facts}
    if facts.get("step_id", "")[5:] == operation.span_id[3:]:
        facts.pop("step_id", None)  # the same digits
    facts["span_id"] = operation.span_id
    shared |= {"trace_id": strings(operation.trace_id), "producer": strings(operation.producer)}
    if operation.parent_span_id:
        facts["parent_span_id"] = operation.parent_span_id
    if operation.pid is not None:
        facts["pid"] = operation.pid
    if operation.emits:
        facts["emits"] = [[round(when - start, 1), tag, data] for when, tag, data in operation.emits]
    return [
        parent,
        operation.kind,
        operation.name,
        round(operation.start - start, 3),
        None if operation.duration is None else round(operation.duration, 3),
        operation.state,
        agents.get(operation.agent, -1),
        shared,
        facts,
    ]
