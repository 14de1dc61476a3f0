"""The forms without a terminal: one line after the other, for log files and for programs."""

from __future__ import annotations

import json
from abc import abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from aotel.view import digest, wording
from aotel.view.clean_text import clean_json, clean_text
from aotel.view.events import Event, Kind, Level
from aotel.view.facts import plain
from aotel.view.flowing import FlowingView
from aotel.view.lines import Line, Lines

if TYPE_CHECKING:
    from aotel.view.sink import Sink
    from aotel.view.summary import Span, Summary

_LENGTH: Final = 1_000  # characters of a line
_DEEPEST: Final = 12  # levels that are indented


class PlainView(FlowingView):
    """Writes lines.

    Args:
        sink: where to.
        level: the least that is shown.
        title: what is run.
        reason: why it is not the form that was asked for, or "".
    """

    form = ""

    def __init__(self, sink: Sink, level: Level, title: str = "", reason: str = "") -> None:
        super().__init__(sink, level)
        self._title = title
        self.reason = reason

    def _turn(self, events: list[Event], left_out: int) -> None:
        if left_out:
            events = [left_out_event(left_out, events), *events]
        self._sink.write("".join([self._line(event) for event in events]))

    def _finish(self, summary: Summary | None) -> None:
        if summary is not None:
            self._sink.write(self._end(summary))

    @abstractmethod
    def _line(self, event: Event) -> str:
        """Return an event as lines, each with its end."""

    @abstractmethod
    def _end(self, summary: Summary) -> str:
        """Return a summary as lines."""


class SimpleView(PlainView):
    """Writes time, level and text: the lines of the rich form, without colour and icons."""

    form = "simple"

    def __init__(self, sink: Sink, level: Level, title: str = "", reason: str = "") -> None:
        super().__init__(sink, level, title, reason)
        self._lines = Lines(eager=level is Level.DEBUG)

    def _line(self, event: Event) -> str:
        return "".join([simple_line(line) for line in self._lines.of(event)])

    def _end(self, summary: Summary) -> str:
        when = wording.moment(summary.end or 0.0)
        about = f"summary of {self._title}" if self._title else "summary"
        lines = [f"{about}: {digest.headline(summary)}"]
        lines += [f"  {label}: {line}" for label, said in digest.digest(summary) for line in said]
        return "".join([f"{when} {Level.INFO.name:<7} {clean_text(line, _LENGTH)}\n" for line in lines])


class JsonView(PlainView):
    """Writes an object a line; `docs/live-view.md` says what is in it."""

    form = "json"

    def _line(self, event: Event) -> str:
        return _json(
            {
                "type": "event",
                "time": wording.moment(event.time),
                "level": event.level.name,
                "kind": event.kind.value,
                "text": plain(event.text),
                "fields": plain(dict(event.fields)),
            }
        )

    def _end(self, summary: Summary) -> str:
        return _json(
            {
                "type": "summary",
                "time": wording.moment(summary.end or 0.0),
                "title": plain(self._title),
                "text": digest.headline(summary),
                "fields": plain(_facts(summary)),
            }
        )


def simple_line(line: Line) -> str:
    """Return a line of a log file."""
    event = line.event
    inside = f" [in {clean_text(line.inside, 80)}]" if line.inside else ""
    indent = "  " * min(line.depth, _DEEPEST)
    text = clean_text(event.text, _LENGTH)
    return f"{wording.moment(event.time)} {event.level.name:<7} {indent}{text}{inside}\n"


def _json(value: dict[str, object]) -> str:
    # What UTF-8 can't hold, and what a terminal would obey, is escaped; the rest is readable as it is.
    return clean_json(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) + "\n"


def _facts(summary: Summary) -> dict[str, object]:
    facts: dict[str, object] = {**asdict(summary), "seconds": round(summary.seconds, 3)}
    for name in ("start", "end"):
        moment = facts[name]
        facts[name] = wording.moment(moment) if isinstance(moment, float) else None
    facts["operations"] = {family: _rounded(asdict(group)) for family, group in summary.operations.items()}
    for name in ("timeline", "slowest"):
        spans: list[Span] = getattr(summary, name)
        facts[name] = [_rounded({**asdict(span), "start": wording.moment(span.start)}) for span in spans]
    for name in ("files_read", "files_written", "hosts", "artifacts"):
        named: dict[str, int] = getattr(summary, name)
        facts[name] = {"count": len(named), "named": named}
    return facts


def _rounded(facts: dict[str, object]) -> dict[str, object]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in facts.items()}


def left_out_event(count: int, events: list[Event]) -> Event:
    """Return what says that events are missing, before those that are not."""
    when = events[0].time if events else 0.0
    text = f"{wording.several(count, 'event')} came faster than they can be shown, and are left out here"
    return Event(Kind.WARNING, Level.WARNING, when, text, {"event": "left_out", "count": count})
