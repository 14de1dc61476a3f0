"""From what an operation says of itself to events: `tie`, `notify` and `progress`."""

from __future__ import annotations

from typing import Final

from aotel.view import wording
from aotel.view.events import Event, Kind, Level
from aotel.view.facts import Object, number, part, plain, some, text

_NOTIFY: Final = "notify"
_PROGRESS: Final = "progress"

_KINDS: Final = {
    "lifecycle": (Kind.LIFECYCLE, Level.INFO),
    "metrics": (Kind.METRICS, Level.INFO),
    "activity": (Kind.LIFECYCLE, Level.INFO),
    "warning": (Kind.WARNING, Level.WARNING),
    "error": (Kind.ERROR, Level.ERROR),
    "success": (Kind.SUCCESS, Level.INFO),
}
_LEVELS: Final = {"started": Level.INFO, "advanced": Level.DEBUG, "done": Level.INFO, "failed": Level.WARNING}


def told(payload: Object, facts: dict[str, object], when: float) -> Event:
    """Return the event of a `coat.emit`.

    Args:
        payload: its tag and data.
        facts: where it belongs.
        when: seconds since the epoch.
    """
    tag, data = text(payload, "tag"), part(payload, "data")
    if tag == _NOTIFY and text(data, "kind") in _KINDS:
        return _notified(data, facts, when)
    if tag == _PROGRESS and text(data, "state") in _LEVELS:
        return _advanced(data, facts, when)
    said = plain(payload.get("data"))
    fields = {"event": "emitted", "tag": tag, **facts, **some(data=said)}
    words = tag or "an event without a tag"
    if said not in (None, "", {}, []):
        words += f": {_brief(said)}"
    return Event(Kind.OPERATION, Level.DEBUG, when, words, fields)


def _notified(data: Object, facts: dict[str, object], when: float) -> Event:
    kind, level = _KINDS[text(data, "kind")]
    # Where content is hashed or summarised, one string stands for the message and its details.
    message = text(data, "message") or text(data, "content") or "(its message was not recorded)"
    details = {name: plain(value) for name, value in data.items() if name not in {"kind", "message", "content"}}
    fields = {"event": "notified", "notification": text(data, "kind"), "message": message, **facts}
    said = ", ".join(f"{name}={_brief(value)}" for name, value in list(details.items())[:8])
    words = f"{message} ({said})" if said else message
    return Event(kind, level, when, words, {**fields, **some(details=details or None)})


def _advanced(data: Object, facts: dict[str, object], when: float) -> Event:
    state = text(data, "state")
    name = text(data, "name") or text(data, "content") or "progress"
    done, total = number(data, "done"), number(data, "total")
    fields = {"event": "progress", "name": name, "state": state, **some(done=done, total=total), **facts}
    return Event(Kind.OPERATION, _LEVELS[state], when, f"{name} {_how_far(state, done, total)}", fields)


def _how_far(state: str, done: float | None, total: float | None) -> str:
    if state == "started":
        return "started" if total is None else f"started, {wording.amount(total)} to do"
    far = "" if done is None else wording.amount(done)
    if far and total is not None:
        far += f" of {wording.amount(total)}"
    if state == "advanced":
        return far or "goes on"
    return f"{state}, {far}" if far else state


def _brief(value: object) -> str:
    if isinstance(value, str):
        return value[:200]
    if isinstance(value, dict):
        return ", ".join(f"{name}={_brief(each)}" for name, each in list(value.items())[:8])[:200]
    if isinstance(value, list):
        return "[" + ", ".join(_brief(each) for each in value[:8])[:200] + "]"
    return str(value)[:200]
