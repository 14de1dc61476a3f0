"""Envelopes in a log, read for what a person wants to know of them; those of other makers too, whatever is in them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from aotel.semconv import kinds

Phase: TypeAlias = Literal["start", "end", "error", "emit"]
Object: TypeAlias = dict[str, Any]

_decoder: Final = msgspec.json.Decoder()
_NOTHING: Final[Object] = {}


class ReadEnvelope(NamedTuple):
    """What an envelope says; empty where it doesn't say it, or says it in a shape that is none.

    Attributes:
        kind: of the envelope, like "agent.llm.response".
        phase: which part of its operation it is.
        time: when, RFC 3339.
        name: of the operation, or the tag of what was emitted.
        ids: the ids by name, all of them text.
        payload: the rest of what it says.
        subject: who acts.
        pid: of the process, 0 if that is not known.
    """

    kind: str
    phase: Phase
    time: str
    name: str
    ids: dict[str, str]
    payload: Object
    subject: Object
    pid: int

    @property
    def span(self) -> tuple[str, str]:
        """Trace and span; span ids alone repeat."""
        return self.ids.get("trace_id", ""), self.ids.get("span_id", "")

    @property
    def parent(self) -> tuple[str, str]:
        """Trace and span above; the latter "" at a root."""
        return self.ids.get("trace_id", ""), self.ids.get("parent_span_id", "")

    @property
    def duration_ms(self) -> float | None:
        """How long the operation took, at its end."""
        return number(self.payload, "duration_ms")


def read_object(json: str | bytes) -> Object:
    """Read a JSON object; an empty one for what is none. Never raises."""
    try:
        found = _decoder.decode(json)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_envelope(found: Object) -> ReadEnvelope:
    """Read an envelope, leniently. Never raises.

    Args:
        found: the `detail` of a line, as an object.
    """
    payload, kind = part(found, "payload"), text(found, "kind")
    ids = {name: value for name, value in part(found, "ids").items() if isinstance(value, str)}
    pid = number(part(found, "envpod"), "pid")
    phase = _phase(kind, payload)
    name = text(payload, "tag" if phase == "emit" else "fn")
    return ReadEnvelope(kind, phase, text(found, "ts"), name, ids, payload, part(found, "subject"), int(pid or 0))


def _phase(kind: str, payload: Object) -> Phase:
    if kind == kinds.COAT_EMIT:
        return "emit"
    if kind == kinds.COAT_ERROR or payload.get("ok") is False:
        return "error"
    return "end" if "ok" in payload else "start"


def text(found: Object, name: str) -> str:
    """Return a text of an object, "" if it is none."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def number(found: Object, name: str) -> float | None:
    """Return a number of an object, or None if it is none."""
    value = found.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def moment(value: object) -> float | None:
    """Return an RFC 3339 time as seconds since the epoch, or None for what is none; one without a zone is UTC."""
    try:
        when = msgspec.convert(value, datetime)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def part(found: Object, name: str) -> Object:
    """Return an object in an object, an empty one if it is none."""
    value = found.get(name)
    return value if isinstance(value, dict) else _NOTHING
