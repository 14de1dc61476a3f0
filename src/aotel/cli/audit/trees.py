"""Operations as lines of a tree, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.audit import Happening, Operation, actions
from aotel.audit.envelopes import number, part, read_envelope, text
from aotel.view import EntryReader
from aotel.view.clean_text import clean_text
from aotel.view.wording import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.audit.envelopes import Object, ReadEnvelope
    from aotel.cli.audit.output import Output

LONGEST_TIME: Final = 30  # characters
_LONGEST: Final = 200  # characters of a text
_HEURISTIC: Final = "[heuristic]"


def tree_lines(thing: Operation | Happening, output: Output) -> Iterator[str]:
    """Yield the lines of a tree.

    Args:
        thing: its root.
        output: where they go.
    """
    time = clean_text(thing.time, LONGEST_TIME)
    before = f"{output.paint(time, dim=True)}  "
    waiting = [(thing, "", "")]
    while waiting:
        each, guide, indent = waiting.pop()
        yield before + output.paint(guide, dim=True) + _line(each, output)
        before = " " * (len(time) + 2)
        if isinstance(each, Operation):
            waiting += [
                (inner, indent + (output.last if is_last else output.middle), indent + below)
                for inner in reversed(each.inside)
                for is_last in [inner is each.inside[-1]]
                for below in [output.below if is_last else output.beside]
            ]


def _line(thing: Operation | Happening, output: Output) -> str:
    return _happening(thing, output) if isinstance(thing, Happening) else _operation(thing, output)


def _operation(thing: Operation, output: Output) -> str:
    parts = [
        output.paint(clean_text(thing.first.name or "?", _LONGEST), bold=True),
        output.paint(clean_text(_kind(thing), 80), dim=True),
    ]
    if thing.is_continued:
        parts.append(output.paint("continued", fg="yellow"))
    if thing.end is not None:
        took = thing.end.duration_ms
        parts += [output.paint(duration(took / 1000), fg="cyan")] if took is not None else []
        parts += [clean_text(said, _LONGEST) for said in _numbers(thing.end)]
        if thing.outcome:
            parts.append(output.paint(clean_text(thing.outcome, 80), fg="yellow"))
        elif thing.failed:
            parts.append(output.paint(clean_text(_failure(thing.end), _LONGEST), fg="red"))
    elif not thing.continues:
        parts.append(output.paint("not ended", fg="yellow"))
    if thing.continues:
        parts.append(output.paint("goes on below", fg="yellow"))
    if thing.agent:
        parts.append(output.paint(f"@{clean_text(thing.agent, 80)}", fg="magenta"))
    return "  ".join(parts)


def _happening(thing: Happening, output: Output) -> str:
    events = EntryReader().feed(thing.entry)
    told = "; ".join(clean_text(event.text, _LONGEST) for event in events) or clean_text(thing.entry.action, 80)
    line = output.paint(f"* {told}", fg=None if thing.entry.success else "red")
    return f"{line}  {output.paint(_HEURISTIC, fg='yellow')}" if thing.heuristic else line


def _kind(operation: Operation) -> str:
    return operation.first.kind if operation.end is None else operation.end.kind


def _numbers(end: ReadEnvelope) -> Iterator[str]:
    llm = part(end.payload, "llm")
    model = text(llm, "response_model") or text(llm, "request_model")
    if model:
        yield model
    sent, came = number(llm, "input_tokens"), number(llm, "output_tokens")
    if sent is not None or came is not None:
        yield f"{_count(sent)} in, {_count(came)} out"


def _count(tokens: float | None) -> str:
    return "?" if tokens is None else f"{tokens:,.0f}"


def _failure(end: ReadEnvelope) -> str:
    told = (text(end.payload, "error_type"), text(end.payload, "message"))
    return ": ".join(said for said in told if said) or "failed"


def as_json(thing: Operation | Happening) -> dict[str, Any]:
    """Return a tree as values of JSON: operations have `inside`, other entries an `action`."""
    if isinstance(thing, Happening):
        return {
            "action": thing.entry.action,
            "time": thing.time,
            "seq": thing.entry.seq,
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
        **({"continued": True} if thing.is_continued else {}),
        **({"continues": True} if thing.continues else {}),
        "ids": thing.first.ids,
        "pid": thing.first.pid,
        **({"agent": thing.agent} if thing.agent else {}),
        **({"payload": thing.end.payload} if thing.end is not None else {}),
        "inside": [as_json(each) for each in thing.inside],
    }


def _detail(thing: Happening) -> Object | str:
    if thing.entry.action == actions.AGENT_COAT and thing.detail:
        envelope = read_envelope(thing.detail)
        return {"kind": envelope.kind, "ids": envelope.ids, "payload": envelope.payload}
    return thing.detail or thing.entry.detail
