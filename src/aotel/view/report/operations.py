"""Envelopes of a run, put together as operations: each one row of the waterfall."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aotel.audit.envelopes import read_envelope
from aotel.semconv import kinds
from aotel.view.operations import OTHER, family_of
from aotel.view.report.fields import Object, items, moment, number, part, shown, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.view.report.limits import Limits, Texts

OK: Final = 0
FAILED: Final = 1
STOPPED: Final = 2
"""Left by a cancellation, an interrupt and the like, which is no error."""
OPEN: Final = 3
"""Has no end in the log."""

_COUNTS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")
_ID: Final = 200  # characters of an id; what is longer is made up
_CLOCKS_APART: Final = 60_000.0  # ms that a process's clock may be ahead of the log's
_TOO_LATE: Final = 7 * 24 * 3_600_000.0  # ms that an envelope may have been on its way

_Key: TypeAlias = tuple[str, str, str]  # trace, span, producer


@dataclasses.dataclass(slots=True)
class Operation:
    """One operation: what its envelopes said of it.

    Attributes:
        kind: one of the names in `_FAMILIES`, or `OTHER`.
        name: its function, or what else it is called.
        start: when it began, in milliseconds since the epoch.
        trace_id: as the envelope has it, like the two that follow.
        span_id: see `trace_id`.
        parent_span_id: "" at a root.
        producer: the process's own id; its number where it has none.
        pid: the process's number.
        agent: who acted.
        duration: in milliseconds; None while it is open.
        state: `OK`, `FAILED`, `STOPPED` or `OPEN`.
        facts: what else there is to say, ready for the page.
        emits: events inside: their time, tag and data.
    """

    kind: str
    name: str
    start: float
    trace_id: str
    span_id: str
    parent_span_id: str
    producer: str
    pid: int | None
    agent: str
    duration: float | None = None
    state: int = OPEN
    facts: Object = dataclasses.field(default_factory=dict)
    emits: list[tuple[float, str, str]] = dataclasses.field(default_factory=list)

    @property
    def end(self) -> float | None:
        """When it ended, in milliseconds since the epoch; None while it is open."""
        return None if self.duration is None else self.start + self.duration


@dataclasses.dataclass(slots=True)
class Totals:
    """What is counted of all operations, also of those that the report has no row for."""

    operations: int = 0
    failed: int = 0
    open: int = 0
    kinds: dict[str, int] = dataclasses.field(default_factory=dict)
    tokens: dict[str, int] = dataclasses.field(default_factory=dict)
    agents: dict[str, int] = dataclasses.field(default_factory=dict)
    models: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    """Of each model: calls, failed calls, tokens in, tokens out, milliseconds."""
    unreadable: int = 0


class Operations:
    """Takes envelopes in the order of the log.

    Args:
        limits: how many operations, and parts of each.
        texts: cuts what is long.
    """

    def __init__(self, limits: Limits, texts: Texts) -> None:
        self._limits = limits
        self._texts = texts
        self._known: dict[tuple[str, str, str], Operation] = {}
        self._spans: dict[tuple[str, str], Operation] = {}
        self.totals = Totals()

    def __iter__(self) -> Iterator[Operation]:
        """Yield what is kept, in the order in which it was first told of."""
        return iter(self._known.values())

    def of_span(self, trace_id: str, span_id: str) -> Operation | None:
        """Return the operation of a span; the first one, where several processes have it."""
        return self._spans.get((trace_id, span_id)) if span_id else None

    def add(self, envelope: Object, written: float | None, agent: str) -> Operation | None:
        """Take an envelope.

        Args:
            envelope: what came.
            written: when it was written to the log, in milliseconds since the epoch, if that is known.
            agent: who sent it, by the log.

        Returns:
            The operation that it belongs to, if that is kept; None also for what belongs to none.
        """
        ids, payload = part(envelope, "ids"), part(envelope, "payload")
        span_id = text(ids, "span_id")[:_ID]
        if not span_id:
            return None
        when = sane(moment(envelope.get("ts")), written)
        if when is None:
            self.totals.unreadable += 1
            return None
        pid = whole(part(envelope, "envpod"), "pid")
        producer = text(envelope, "producer") or str(pid or "")
        key = (text(ids, "trace_id")[:_ID], span_id, producer[:_ID])
        match read_envelope(envelope).phase:
            case "emit":
                return self._emit(key, payload, when)
            case "start":
                return self._start(key, envelope, when, agent)
            case _:
                return self._end(key, envelope, when, agent)

    def _emit(self, key: _Key, payload: Object, when: float) -> Operation | None:
        operation = self._known.get(key) or self._spans.get(key[:2])
        if operation is None:
            return None
        if len(operation.emits) < self._limits.parts:
            data = payload.get("data")
            told = "" if data is None else self._texts(shown(data))
            operation.emits.append((when, self._texts(text(payload, "tag")), told))
        else:
            operation.facts["more_emits"] = operation.facts.get("more_emits", 0) + 1
        return operation

    def _start(self, key: _Key, envelope: Object, when: float, agent: str) -> Operation | None:
        if key in self._known:  # sent twice, by who cannot number what it sends
            return self._known[key]
        operation = self._new(key, envelope, when, agent, is_end=False)
        if operation is not None:
            preview = part(part(envelope, "payload"), "preview")
            arguments = [self._texts(shown(value)) for value in items(preview, "args")[: self._limits.parts]]
            operation.facts |= _some(args=arguments, kwargs=self._named(part(preview, "kwargs")))
        return operation

    def _end(self, key: _Key, envelope: Object, when: float, agent: str) -> Operation | None:
        payload = part(envelope, "payload")
        duration = max(number(payload, "duration_ms") or 0.0, 0.0)
        operation = self._known.get(key)
        if operation is None:
            operation = self._new(key, envelope, when - duration, agent, is_end=True)
        elif operation.state != OPEN:
            return operation
        else:
            self.totals.open -= 1
        state = _state(envelope, payload)
        self.totals.failed += state == FAILED
        model = part(payload, "llm")
        self._count(model, state, duration)
        if operation is None:
            return None
        operation.duration = duration if "duration_ms" in payload else max(when - operation.start, 0.0)
        operation.state = state
        operation.facts |= self._outcome(payload, state) | self._call(payload, model)
        return operation

    def _new(self, key: _Key, envelope: Object, start: float, agent: str, *, is_end: bool) -> Operation | None:
        """Count an operation, and return it if there is room for it."""
        ids, payload = part(envelope, "ids"), part(envelope, "payload")
        other = self._spans.get(key[:2])  # of a parent that forked in the midst of it
        kind = family_of(text(envelope, "kind"))
        if kind == OTHER and other is not None:
            kind = other.kind
        agent = text(part(envelope, "subject"), "agent_id")[:_ID] or agent
        if len(self._known) >= self._limits.operations:
            if is_end:  # its start was counted
                self.totals.open = max(self.totals.open - 1, 0)
            else:
                self._count_new(kind, agent)
            return None
        self._count_new(kind, agent)
        operation = Operation(
            kind,
            self._texts(text(payload, "fn")) or text(envelope, "kind")[:_ID],
            start,
            key[0],
            key[1],
            text(ids, "parent_span_id")[:_ID],
            key[2],
            whole(part(envelope, "envpod"), "pid"),
            agent,
            facts=self._identity(envelope, ids),
        )
        if other is not None:
            operation.facts["forked"] = True
        self._known[key] = operation
        self._spans.setdefault(key[:2], operation)
        if is_end:
            self.totals.open -= 1
        return operation

    def _count_new(self, kind: str, agent: str) -> None:
        totals = self.totals
        totals.operations += 1
        totals.open += 1
        totals.kinds[kind] = totals.kinds.get(kind, 0) + 1
        if agent in totals.agents or (agent and len(totals.agents) < self._limits.agents):
            totals.agents[agent] = totals.agents.get(agent, 0) + 1

    def _count(self, model: Object, state: int, duration: float) -> None:
        for name in _COUNTS:
            count = whole(model, f"{name}_tokens")
            if count is not None:
                self.totals.tokens[name] = self.totals.tokens.get(name, 0) + count
        name = text(model, "response_model") or text(model, "request_model")
        name = name[:_ID]
        if name and (name in self.totals.models or len(self.totals.models) < self._limits.parts):
            sums = self.totals.models.setdefault(name, [0.0] * 5)
            told = (1, state == FAILED, whole(model, "input_tokens") or 0, whole(model, "output_tokens") or 0, duration)
            for place, value in enumerate(told):
                sums[place] += value

    def _outcome(self, payload: Object, state: int) -> Object:
        if state == OK:
            return _some(
                result=self._texts(shown(payload.get("result_preview", ""))),
                captured=self._named(part(payload, "captured")),
            )
        return _some(
            error=self._texts(text(payload, "error_type")),
            message=self._texts(shown(payload.get("message", ""))),
            outcome=self._texts(text(payload, "outcome")),
        )

    def _call(self, payload: Object, model: Object) -> Object:
        """Return what is told of a call of a model, of a tool, or of a look-up."""
        tool, retrieval = part(payload, "tool"), part(payload, "retrieval")
        reasons = items(model, "finish_reasons")[: self._limits.parts]
        counts = {name: whole(model, f"{name}_tokens") for name in _COUNTS}
        return _some(
            **counts,
            model=self._texts(text(model, "response_model") or text(model, "request_model")),
            asked_model=self._texts(text(model, "request_model")),
            provider=self._texts(text(model, "provider")),
            response_id=self._texts(text(model, "response_id")),
            finish=self._texts(", ".join(shown(reason) for reason in reasons)),
            first_chunk=number(model, "time_to_first_chunk_ms"),
            tool=self._texts(text(tool, "name")),
            call_id=self._texts(text(tool, "call_id")),
            query=self._texts(text(retrieval, "query")),
            documents=whole(retrieval, "documents"),
        )

    def _identity(self, envelope: Object, ids: Object) -> Object:
        subject, envpod = part(envelope, "subject"), part(envelope, "envpod")
        capture = part(envelope, "capture")
        framework = f"{text(subject, 'framework')} {text(subject, 'framework_version')}".strip()
        said = _some(
            role=text(subject, "agent_role"),
            framework=framework,
            session_id=text(ids, "session_id"),
            run_id=text(ids, "run_id"),
            step_id=text(ids, "step_id"),
            capture=text(capture, "content") or text(capture, "mode"),
            pod_id=text(envpod, "pod_id"),
            claim=text(envpod, "claim_kind"),
            claim_id=text(envpod, "agent_claim_id"),
            fingerprint=text(part(envpod, "anonymous"), "fingerprint"),
        )
        return {name: value[:_ID] for name, value in said.items()} | _some(uid=whole(envpod, "uid"))

    def _named(self, values: Object) -> dict[str, str]:
        some = list(values.items())[: self._limits.parts]
        return {self._texts(name): self._texts(shown(value)) for name, value in some}


def _some(**facts: Any) -> Object:
    """Return what is known: what is missing is not zero, and not there."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], {})}


def _state(envelope: Object, payload: Object) -> int:
    if text(payload, "outcome"):
        return STOPPED
    return FAILED if text(envelope, "kind") == kinds.COAT_ERROR or payload.get("ok") is False else OK


def sane(told: float | None, written: float | None) -> float | None:
    """Return when something was: what it says itself, unless the time it was written down at contradicts."""
    if told is None or written is None:
        return written if told is None else told
    return told if -_CLOCKS_APART <= written - told <= _TOO_LATE else written
