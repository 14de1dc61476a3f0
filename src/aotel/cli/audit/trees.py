"""Operations as lines of a tree, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from aotel.audit import Happening, Operation, actions
from aotel.audit.envelopes import number, read_envelope, text
from aotel.view import EntryReader, Event
from aotel.view.clean_text import clean_text
from aotel.view.wording import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aotel.audit.envelopes import Object, ReadEnvelope

_LONGEST: Final = 200  # characters of a text
_HEURISTIC: Final = "[heuristic]"


def lines(thing: Operation | Happening, paint: Callable[..., str]) -> Iterator[str]:
    """Yield the lines of a tree.

    Args:
        thing: its root.
        paint: puts a style on a text, as `click.style` does.
    """
    yield _line(thing, paint)
    if isinstance(thing, Operation):
        yield from _inside(thing, "", paint)


def _inside(operation: Operation, indent: str, paint: Callable[..., str]) -> Iterator[str]:
    waiting: list[tuple[Operation | Happening, str, bool]] = [
        (each, indent, each is operation.inside[-1]) for each in reversed(operation.inside)
    ]
    while waiting:
        thing, before, last = waiting.pop()
        yield before + paint("└─ " if last else "├─ ", dim=True) + _line(thing, paint)
        if isinstance(thing, Operation):
            below = before + paint("   " if last else "│  ", dim=True)
            waiting += [(each, below, each is thing.inside[-1]) for each in reversed(thing.inside)]


def _line(thing: Operation | Happening, paint: Callable[..., str]) -> str:
    if isinstance(thing, Happening):
        return _happening(thing, paint)
    first = thing.first
    parts = [paint(clean_text(first.name or "?", _LONGEST), bold=True), paint(clean_text(_kind(thing), 80), dim=True)]
    if thing.end is None:
        parts.append(paint("not ended", fg="yellow"))
    else:
        took = thing.end.duration_ms
        parts += [paint(duration(took / 1000), fg="cyan")] if took is not None else []
        parts += [clean_text(said, _LONGEST) for said in _numbers(thing.end)]
        if thing.failed:
            parts.append(paint(clean_text(_failure(thing.end), _LONGEST), fg="red"))
    if thing.agent:
        parts.append(paint(f"@{clean_text(thing.agent, 80)}", fg="magenta"))
    return "  ".join(parts)


def _happening(thing: Happening, paint: Callable[..., str]) -> str:
    told = [clean_text(event.text, _LONGEST) for event in _events(thing)] or [clean_text(thing.entry.action, 80)]
    line = paint(f"* {'; '.join(told)}", fg=None if thing.entry.success else "red")
    return f"{line}  {paint(_HEURISTIC, fg='yellow')}" if thing.heuristic else line


def _events(thing: Happening) -> list[Event]:
    return EntryReader().feed(thing.entry)


def _kind(operation: Operation) -> str:
    return operation.first.kind if operation.end is None else operation.end.kind


def _numbers(end: ReadEnvelope) -> Iterator[str]:
    llm = end.payload.get("llm")
    if not isinstance(llm, dict):
        return
    model = text(llm, "response_model") or text(llm, "request_model")
    if model:
        yield model
    sent, came = number(llm, "input_tokens"), number(llm, "output_tokens")
    if sent is not None or came is not None:
        yield f"{_count(sent)} in, {_count(came)} out"


def _count(tokens: float | None) -> str:
    return "?" if tokens is None else f"{tokens:,.0f}"


def _failure(end: ReadEnvelope) -> str:
    outcome = text(end.payload, "outcome")
    if outcome:
        return outcome
    told = (text(end.payload, "error_type"), text(end.payload, "message"))
    return ": ".join(part for part in told if part) or "failed"


def as_json(thing: Operation | Happening) -> dict[str, Any]:
    """Return a tree as values of JSON: operations have `inside`, other entries an `action`."""
    if isinstance(thing, Happening):
        return {
            "action": thing.entry.action,
            "time": thing.time,
            "success": thing.entry.success,
            **({"agent": thing.entry.agent} if thing.entry.agent else {}),
            **({"heuristic": True} if thing.heuristic else {}),
            "detail": _detail(thing),
        }
    return {
        "operation": thing.first.name,
        "kind": _kind(thing),
        "time": thing.time,
        "ended": thing.end is not None,
        "failed": thing.failed,
        "ids": thing.first.ids,
        "pid": thing.first.pid,
        **({"agent": thing.agent} if thing.agent else {}),
        **({"payload": thing.end.payload} if thing.end is not None else {}),
        "inside": [as_json(each) for each in thing.inside],
    }


def _detail(thing: Happening) -> Object:
    if thing.entry.action == actions.AGENT_COAT:
        envelope = read_envelope(thing.detail)
        return {"kind": envelope.kind, "ids": envelope.ids, "payload": envelope.payload}
    return thing.detail


def painter(*, colour: bool) -> Callable[..., str]:
    """Return what puts a style on a text: `click.style`, or nothing at all."""
    return click.style if colour else _plain


def _plain(shown: str, **_: object) -> str:
    return shown
