"""What the machine did and how it was, by the audit log: events on lanes, and measurements."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from aotel.audit import actions
from aotel.view.events import Level
from aotel.view.machine import machine_event
from aotel.view.report.fields import Object, items, number, part, shown, text, whole
from aotel.view.told import told

if TYPE_CHECKING:
    from aotel.view.report.limits import Limits, Texts

FILES: Final = "files"
NETWORK: Final = "network"
DNS: Final = "dns"
PROCESSES: Final = "processes"
VIOLATIONS: Final = "violations"
WARNINGS: Final = "warnings"
ARTIFACTS: Final = "artifacts"
NOTES: Final = "notes"

INFO: Final = 0
WARNING: Final = 1
ERROR: Final = 2

_LANES: Final = {
    actions.PROCESS_START: PROCESSES,
    actions.PROCESS_EXIT: PROCESSES,
    actions.FILE_OPEN: FILES,
    actions.NET_CONNECT: NETWORK,
    actions.DNS_QUERY: DNS,
    actions.POLICY_VIOLATION: VIOLATIONS,
    actions.LIMIT_WARNING: WARNINGS,
    actions.BAD_REQUEST: WARNINGS,
    actions.TORN_LINE: WARNINGS,
    actions.ARTIFACT: ARTIFACTS,
}
_TOLD: Final = frozenset({"ts", "pid", "trace_id", "span_id", "message"})
DISTINCT: Final = 100_000
"""Names that are told apart, of files and of hosts."""
_NAME: Final = 1_000  # characters of a name by which it is told apart
_COLUMNS: Final = (
    "cpu_percent",
    "memory_bytes",
    "memory_limit_bytes",
    "disk_read_bytes",
    "disk_write_bytes",
    "net_sent_bytes",
    "net_received_bytes",
    "disk_used_percent",
    "processes",
)


@dataclasses.dataclass(slots=True)
class Event:
    """Something that happened beside the operations, or in the midst of one.

    Attributes:
        lane: where it is drawn.
        action: the action of its entry, or the tag of its envelope.
        time: in milliseconds since the epoch.
        text: what it was, in a line.
        level: `INFO`, `WARNING` or `ERROR`.
        pid: the process.
        trace_id: of the operation that it happened in, if the process said so.
        span_id: likewise.
        facts: what else there is to say.
    """

    lane: str
    action: str
    time: float
    text: str
    level: int = INFO
    pid: int | None = None
    trace_id: str = ""
    span_id: str = ""
    facts: Object = dataclasses.field(default_factory=dict)


class Machine:
    """Takes everything of a log that is no envelope of an operation.

    Args:
        limits: how many events and measurements.
        texts: cuts what is long.
    """

    def __init__(self, limits: Limits, texts: Texts) -> None:
        self._limits = limits
        self._texts = texts
        self._stride = 1
        self._measured = 0
        self._kept = {False: 0, True: 0}  # of weight or not
        self.events: list[Event] = []
        self.samples: list[list[float | None]] = []
        self.counts: dict[str, int] = {}
        self.files: set[str] = set()
        self.hosts: set[str] = set()
        self.left_out = 0

    def add(self, action: str, detail: Object, when: float, *, success: bool) -> None:
        """Take an entry of the log.

        Args:
            action: what happened.
            detail: what there is to say of it.
            when: in milliseconds since the epoch.
            success: whether it was done, by the log.
        """
        if action in _LANES:
            self.counts[action] = self.counts.get(action, 0) + 1
        if action == actions.RESOURCE:
            self._measure(detail, when)
            return
        if action == actions.FILE_OPEN:
            _distinct(self.files, text(detail, "path"))
        elif action == actions.NET_CONNECT:
            _distinct(self.hosts, text(detail, "host"))
        words, level = _at_a_glance(action, detail), INFO
        if not words or not success:
            seen = machine_event(action, detail, success=success, agent="", when=when / 1000)
            words, level = words or seen.text, max(_level(seen.level), INFO if success else WARNING)
        event = Event(
            _LANES.get(action, NOTES),
            self._texts(action),
            when,
            self._texts(words),
            level,
            whole(detail, "pid"),
            text(detail, "trace_id")[:_NAME],
            text(detail, "span_id")[:_NAME],
            self._facts(detail),
        )
        self._keep(event)

    def tell(self, envelope: Object, when: float) -> None:
        """Take an envelope of what happened outside any operation, or of a notification inside one."""
        payload, ids = part(envelope, "payload"), part(envelope, "ids")
        tag = text(payload, "tag")
        if tag:
            said = told(payload, {}, when / 1000)
            words, level = said.text, _level(said.level)
        else:
            words, level = f"{text(envelope, 'kind')} {text(payload, 'fn')}".strip(), INFO
        event = Event(
            WARNINGS if level else NOTES,
            self._texts(tag or text(envelope, "kind")),
            when,
            self._texts(words),
            level,
            whole(part(envelope, "envpod"), "pid"),
            text(ids, "trace_id")[:_NAME],
            text(ids, "span_id")[:_NAME],
            self._facts(part(payload, "data")),
        )
        self._keep(event)

    def _facts(self, detail: Object) -> Object:
        some = [(name, value) for name, value in detail.items() if name not in _TOLD][: self._limits.parts]
        return {self._texts(name): self._texts(shown(value)) for name, value in some}

    def _keep(self, event: Event) -> None:
        """Keep an event while there is room: what is of weight has room of its own."""
        weighs = event.level > INFO or event.lane in {ARTIFACTS, VIOLATIONS}
        if self._kept[weighs] >= self._limits.events:
            self.left_out += 1
            return
        self._kept[weighs] += 1
        self.events.append(event)

    def _measure(self, detail: Object, when: float) -> None:
        self._measured += 1
        if self._measured % self._stride:
            return
        self.samples.append([when, *(number(detail, name) for name in _COLUMNS)])
        if len(self.samples) > self._limits.samples:
            self.samples = self.samples[1::2]
            self._stride *= 2

    def curves(self, start: float) -> Object:
        """Return the measurements as columns; those that nothing was ever measured for are not there.

        Args:
            start: what times are relative to, in milliseconds since the epoch.
        """
        rows = sorted(self.samples, key=lambda row: row[0] or 0.0)
        columns: Object = {"time": [round((row[0] or 0.0) - start, 1) for row in rows]}
        for place, name in enumerate(_COLUMNS, 1):
            column = [row[place] for row in rows]
            if any(value is not None for value in column):
                columns[name] = [value if value is None else round(value, 2) for value in column]
        return columns


def _distinct(names: set[str], name: str) -> None:
    if name and len(names) < DISTINCT:
        names.add(name[:_NAME])


def _level(level: Level) -> int:
    return ERROR if level >= Level.ERROR else WARNING if level >= Level.WARNING else INFO


def _at_a_glance(action: str, detail: Object) -> str:
    """Return the file, the address or the command that an event is about; "" for an event that takes more words."""
    match action:
        case actions.FILE_OPEN:
            return text(detail, "path")
        case actions.DNS_QUERY:
            return text(detail, "host")
        case actions.NET_CONNECT:
            host, port = text(detail, "host"), whole(detail, "port")
            return host if port is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case actions.PROCESS_START:
            return " ".join(shown(word) for word in items(detail, "command"))
        case _:
            return ""
