"""From envelopes to events: which operation each belongs to, and whether it begins, ends or goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aotel.audit.envelopes import ReadEnvelope, read_envelope
from aotel.semconv import kinds
from aotel.view import wording
from aotel.view.events import Event, Kind, Level
from aotel.view.facts import LENGTH, Object, moment, number, part, plain, some, text, whole
from aotel.view.told import told

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER: Final = "operation"
_FAMILIES: Final = (
    ("agent.llm.", "llm"),
    ("agent.tool.", "tool"),
    ("agent.memory.read", "retrieval"),
    ("agent.memory.write", "memory"),
    ("agent.session.", "session"),
    ("agent.run.", "agent"),
    ("agent.subagent.", "delegation"),
    ("agent.human.", "human"),
    ("agent.step.transition", "decision"),
    ("agent.step.", "step"),
)
"""What an operation is called by the kinds of its envelopes: by the tags of `Op`, as far as kinds tell them apart."""

_ENDS: Final = frozenset(
    {
        kinds.AGENT_SESSION_END,
        kinds.AGENT_RUN_END,
        kinds.AGENT_STEP_END,
        kinds.AGENT_LLM_RESPONSE,
        kinds.AGENT_TOOL_RESULT,
        kinds.AGENT_SUBAGENT_RETURN,
        kinds.COAT_ERROR,
    }
)
_TOKENS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_COSTS: Final = ("cost_usd", "total_cost", "cost")
_MOST_OPEN: Final = 20_000
_IDS: Final = ("trace_id", "span_id", "parent_span_id", "session_id", "run_id")
_ID_LENGTH: Final = 200
_MS: Final = 1000
_LONGEST: Final = 1e12  # milliseconds: what is longer is made up
_APART: Final = 24 * 3600.0  # seconds between the time of an envelope and that at which it was written down

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Opened:
    """An operation that has begun and not ended."""

    family: str
    name: str
    start: float
    depth: int


class Operations:
    """Remembers what is open, within bounds."""

    def __init__(self) -> None:
        self._open: dict[Key, Opened] = {}
        self._spans: dict[tuple[str, str], Key] = {}

    @property
    def still_open(self) -> list[Opened]:
        """What has begun and not ended, in the order of its beginning."""
        return list(self._open.values())

    def read(self, found: Object, written: float | None = None, agent: str = "") -> Event | None:
        """Return the event of an envelope; None for what says nothing new.

        Args:
            found: the envelope.
            written: when it was written to the log, in seconds since the epoch, if that is known.
            agent: who sent it, by the log.
        """
        envelope = read_envelope(found)
        when = _sane(moment(envelope.time), written)
        facts = _identity(envelope, agent)
        if envelope.phase == "emit":
            return told(envelope.payload, facts, when)
        key = (*_span(envelope, "span_id"), text(found, "producer") or str(envelope.pid or ""))
        if envelope.phase == "start" and envelope.kind not in _ENDS:
            return self._start(key, envelope, facts, when)
        return self._end(key, envelope, facts, when)

    def _start(self, key: Key, envelope: ReadEnvelope, facts: dict[str, object], when: float) -> Event | None:
        if key[1] and key in self._open:  # sent twice, by who can't number what it sends
            return None
        opened = Opened(family_of(envelope.kind), _name(envelope), when, self._depth(envelope))
        if key[1]:
            self._remember(key, opened)
        name = opened.name
        shown = some(preview=_preview(part(envelope.payload, "preview")))
        fields = {"event": "started", "operation": opened.family, "name": name, "depth": opened.depth, **facts, **shown}
        return Event(Kind.OPERATION, Level.INFO, when, f"{opened.family} {name} started", fields)

    def _remember(self, key: Key, opened: Opened) -> None:
        self._open[key] = opened
        self._spans.setdefault(key[:2], key)
        if len(self._open) > _MOST_OPEN:
            self._forget(next(iter(self._open)))

    def _forget(self, key: Key) -> Opened | None:
        if self._spans.get(key[:2]) == key:
            del self._spans[key[:2]]
        return self._open.pop(key, None)

    def _end(self, key: Key, envelope: ReadEnvelope, facts: dict[str, object], when: float) -> Event:
        opened = self._forget(key)
        payload = envelope.payload
        family = family_of(envelope.kind)
        milliseconds = number(payload, "duration_ms")
        if milliseconds is not None and not 0 <= milliseconds <= _LONGEST:
            milliseconds = None
        if opened is None:
            depth = self._depth(envelope)
        else:
            depth = opened.depth
            family = opened.family if family == OTHER else family
            if milliseconds is None:
                milliseconds = max(round((when - opened.start) * _MS, 3), 0.0)
            facts["started_at"] = wording.moment(opened.start)
        about = {"operation": family, "name": _name(envelope), "depth": depth, **facts}
        about |= some(duration_ms=milliseconds) | _call(payload)
        return _ended(envelope, about, when)

    def _depth(self, envelope: ReadEnvelope) -> int:
        key = self._spans.get(_span(envelope, "parent_span_id"))
        return 0 if key is None else self._open[key].depth + 1


def _ended(envelope: ReadEnvelope, about: dict[str, object], when: float) -> Event:
    payload, outcome = envelope.payload, text(envelope.payload, "outcome")
    failed = envelope.phase == "error"
    what = f"{about['operation']} {about['name']}"
    took = _took(about.get("duration_ms"))
    if not failed and not outcome:
        numbers = _numbers(about)
        words = ", ".join((f"done{f' in {took}' if took else ''}", *numbers))
        fields = {"event": "ended", **about, **some(result=text(payload, "result_preview"))}
        return Event(Kind.OPERATION, Level.INFO, when, f"{what} {words}", fields)
    error = some(error_type=text(payload, "error_type"), message=text(payload, "message"))
    after = f" after {took}" if took else ""
    if outcome:
        fields = {"event": "stopped", **about, "outcome": outcome, **error}
        return Event(Kind.OPERATION, Level.INFO, when, f"{what} {outcome}{after}", fields)
    reason = ": ".join(str(part) for part in error.values()) or "an error"
    fields = {"event": "failed", **about, **error}
    return Event(Kind.OPERATION, Level.ERROR, when, f"{what} failed{after}: {reason}", fields)


def _sane(told: float | None, written: float | None) -> float:
    """Return when something was: what it says itself, unless the time at which it was written down contradicts."""
    if told is None or (written is not None and abs(written - told) > _APART):
        return time.time() if written is None else written
    return told


def _identity(envelope: ReadEnvelope, agent: str) -> dict[str, object]:
    ids = {name: text(envelope.ids, name)[:_ID_LENGTH] for name in _IDS}
    return some(**ids, agent=text(envelope.subject, "agent_id") or agent, pid=envelope.pid or None)


def _span(envelope: ReadEnvelope, name: str) -> tuple[str, str]:
    return text(envelope.ids, "trace_id")[:_ID_LENGTH], text(envelope.ids, name)[:_ID_LENGTH]


def _name(envelope: ReadEnvelope) -> str:
    return envelope.name[:LENGTH] or envelope.kind[:LENGTH] or "without a name"


def family_of(kind: str) -> str:
    """Return what the operation of an envelope is called, by the envelope's kind."""
    for prefix, family in _FAMILIES:
        if kind.startswith(prefix):
            return family
    return OTHER


def _preview(preview: Object) -> str:
    """Return what went in, as a call writes it."""
    positional, named = preview.get("args"), part(preview, "kwargs")
    parts = [str(plain(value, 1)) for value in positional[:20]] if isinstance(positional, list) else []
    parts += [f"{name}={plain(value, 1)}" for name, value in list(named.items())[:20]]
    return ", ".join(parts)[:500]


def _call(payload: Object) -> dict[str, object]:
    """Return what is told of a call of a model, of a tool, or of a look-up."""
    model, tool, retrieval = part(payload, "llm"), part(payload, "tool"), part(payload, "retrieval")
    counts = {name: whole(model, name) for name in _TOKENS}
    costs = (number(model, name) for name in _COSTS)
    return some(
        model=text(model, "response_model") or text(model, "request_model"),
        provider=text(model, "provider"),
        **counts,
        cost_usd=next((cost for cost in costs if cost is not None and cost >= 0), None),
        tool=text(tool, "name"),
        call_id=text(tool, "call_id"),
        query=text(retrieval, "query"),
        documents=whole(retrieval, "documents"),
    )


def _took(milliseconds: object) -> str:
    return wording.duration(milliseconds / _MS) if isinstance(milliseconds, int | float) else ""


def _numbers(about: Mapping[str, object]) -> list[str]:
    """Return what there is to say of a call in numbers, in words."""
    said: list[str] = []
    model, name = about.get("model"), str(about["name"])
    if isinstance(model, str) and model not in name:
        said.append(model)
    sent, got = about.get("input_tokens"), about.get("output_tokens")
    if isinstance(sent, int):
        said.append(f"{sent:,} tokens in")
    if isinstance(got, int):
        said.append(f"{got:,} {'' if isinstance(sent, int) else 'tokens '}out")
    spent, found = about.get("cost_usd"), about.get("documents")
    if isinstance(spent, int | float):
        said.append(wording.cost(spent))
    if isinstance(found, int):
        said.append(wording.several(found, "document"))
    return said
