"""The forms without a terminal: log files, and JSON for programs."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.view import EntryReader, Event, Kind, Level, open_view
from aotel.view.clean_text import clean_text
from tests.view.agents import Agent, entry, one_of_each

_EVENT = {
    "type": "object",
    "required": ["type", "time", "level", "kind", "text", "fields"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "event"},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "level": {"enum": [level.name for level in Level]},
        "kind": {"enum": [kind.value for kind in Kind]},
        "text": {"type": "string"},
        "fields": {"type": "object", "required": ["event"], "properties": {"event": {"type": "string"}}},
    },
}
_HOSTILE = "a\x1b[2Jb\x9b31mc\r\nd\u202ee\u2028f[red]g[/red]\x07\ud800\x00"


def shown(form: str, events: list[Event], level: Level = Level.DEBUG, reader: EntryReader | None = None) -> str:
    stream = io.StringIO()
    view = open_view(form, level=level, stream=stream, title="agent.py")
    for event in events:
        view.show(event)
    view.close(reader.summary() if reader else None)
    return stream.getvalue()


def test_a_log_file_has_time_level_and_text() -> None:
    agent = Agent()
    run, events = agent.start("agent", "research")
    tool, more = agent.start("tool", "search", run, 0.5)
    events += more + agent.fail(tool, run, 0.75) + agent.end(run)
    reader = agent.reader
    assert shown("simple", events, Level.INFO, reader).splitlines() == [
        "2025-11-24T16:00:00.000Z INFO    agent research started",
        "2025-11-24T16:00:00.750Z ERROR     tool search failed after 250 ms: ValueError: no",
        "2025-11-24T16:00:01.000Z INFO    agent research done in 1.0 s",
        "2025-11-24T16:00:01.000Z INFO    summary of agent.py: 1.0 s, 2 operations, 1 error",
        "2025-11-24T16:00:01.000Z INFO      operations: tool 1, 250 ms, 1 failed",
        "2025-11-24T16:00:01.000Z INFO      operations: agent 1, 1.0 s",
        "2025-11-24T16:00:01.000Z INFO      slowest: tool search 250 ms",
        "2025-11-24T16:00:01.000Z INFO      errors: tool search failed after 250 ms: ValueError: no",
    ]


def test_json_has_one_object_a_line_as_documented() -> None:
    reader = EntryReader()
    events = one_of_each(reader)
    lines = [json.loads(line) for line in shown("json", events, reader=reader).splitlines()]
    assert len(lines) == len(events) + 1
    for line in lines[:-1]:
        jsonschema.validate(line, _EVENT)
    assert {line["kind"] for line in lines[:-1]} == {kind.value for kind in Kind}
    summary = lines[-1]
    assert list(summary) == ["type", "time", "title", "text", "fields"]
    assert summary["fields"]["operations"]["llm"] == {"count": 1, "failed": 0, "stopped": 0, "seconds": 0.8}
    assert summary["fields"]["files_read"] == {"count": 1, "named": {"/tmp/data.csv": 3}}


def test_every_field_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "live-view.md").read_text()
    reader = EntryReader()
    lines = [json.loads(line) for line in shown("json", one_of_each(reader), reader=reader).splitlines()]
    names = {name for line in lines for name in line["fields"]} | {name for line in lines for name in line}
    events = {line["fields"]["event"] for line in lines[:-1]}
    assert [name for name in sorted(names | events) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("level", list(Level))
def test_levels_are_alike_in_all_forms(level: Level) -> None:
    events = one_of_each()
    expected = [event.text for event in events if event.level >= level]
    told = [json.loads(line)["text"] for line in shown("json", events, level).splitlines()]
    assert told == expected
    simple = shown("simple", events, level)
    beginnings = {event.text for event in events if event.fields["event"] == "started"}  # wait for what comes in them
    assert [text for text in expected if clean_text(text) not in simple and text not in beginnings] == []
    assert len(simple.splitlines()) <= len(expected)


@pytest.mark.parametrize("form", ["simple", "json"])
def test_nothing_steers_the_terminal_whatever_things_are_called(form: str) -> None:
    agent = Agent()
    run, events = agent.start("agent", _HOSTILE.replace("\ud800", ""), args=(_HOSTILE.replace("\ud800", ""),))
    events += agent.reader.feed(entry("file_open", path=_HOSTILE, mode="read", count=1))
    events += agent.reader.feed(entry("policy_violation", kind="host", value=_HOSTILE, decision=_HOSTILE))
    events += agent.emit(run, _HOSTILE.replace("\ud800", ""), {"\x1b[1m": "\x9b"}) + agent.end(run)
    events.append(Event(Kind.ERROR, Level.ERROR, 0.0, _HOSTILE, {"event": _HOSTILE, _HOSTILE: _HOSTILE}))
    written = shown(form, events, reader=agent.reader)
    assert all(line.isprintable() for line in written.split("\n"))
    assert len(written.splitlines()) == written.count("\n")
    assert "[red]g[/red]" in written
    if form == "json":
        parsed = [json.loads(line) for line in written.splitlines()]
        assert parsed[-2]["text"] == _HOSTILE


@given(
    st.text(st.characters(codec=None, categories=None)),
    st.dictionaries(st.text(), st.floats() | st.binary() | st.text()),
)
def test_any_event_is_a_line_that_is_json(text: str, fields: dict[str, Any]) -> None:
    event = Event(Kind.LIFECYCLE, Level.INFO, float("nan"), text, fields)
    written = shown("json", [event])
    assert written.count("\n") == 1
    assert written[:-1].isprintable()
    assert json.loads(written)["text"] in {text, text[:2_000] + "…"}
    assert shown("simple", [event])[:-1].isprintable()


def test_what_is_huge_is_cut() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    fields = {"long": "x" * 100_000, "wide": list(range(10_000)), "deep": deep, "odd": object()}
    event = Event(Kind.LIFECYCLE, Level.INFO, 0.0, "y" * 100_000, fields)
    assert len(shown("json", [event])) < 10_000
    assert len(shown("simple", [event])) < 2_000
    assert json.loads(shown("json", [event]))["fields"]["odd"] == "<object>"


def test_a_stream_that_cannot_encode_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    view = open_view("simple", stream=stream)
    view.show(Event(Kind.LIFECYCLE, Level.INFO, 0.0, "naïve", {}))
    view.close(None)
    assert b"na\\xefve" in raw.getvalue()


@pytest.mark.parametrize("form", ["simple", "json"])
def test_a_reader_that_has_gone_ends_the_view_quietly(form: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        view = open_view(form, stream=stream)
        for event in one_of_each():
            view.show(event)
            assert view.drain(5)
        view.close(EntryReader().summary())


def test_a_closed_stream_and_none_at_all_end_the_view_quietly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        view = open_view("simple", stream=stream)
    monkeypatch.setattr("sys.stderr", None)
    for each in (view, open_view("simple"), open_view("rich"), open_view("json", stream=stream)):
        each.show(Event(Kind.LIFECYCLE, Level.INFO, 0.0, "hello", {}))
        each.suspend()
        each.resume()
        each.resized()
        each.close(EntryReader().summary())


def test_a_reader_that_is_slow_holds_nobody_up_and_is_told_what_it_missed() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb", buffering=0) as end:
        view = open_view("simple", stream=stream)
        event = Event(Kind.LIFECYCLE, Level.INFO, 0.0, "z" * 500, {"event": "e"})
        begin = time.monotonic()
        for _ in range(60_000):
            view.show(event)
        assert time.monotonic() - begin < 10
        received: list[bytes] = []

        def read() -> None:
            while chunk := end.read(1 << 20):
                received.append(chunk)

        thread = threading.Thread(target=read)
        thread.start()
        view.close(None)
        stream.close()
        thread.join(20)
    lines = b"".join(received).decode().splitlines()
    assert any("events came faster than they can be shown" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_it_writes_behind_what_the_stream_holds(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        stream.write("before\n")
        view = open_view("simple", stream=stream)
        view.show(Event(Kind.LIFECYCLE, Level.INFO, 0.0, "after", {}))
        view.close(None)
    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["before", "after"]
