from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aotel.view import Event, Kind, Level
from aotel.view.lines import Lines, Part
from tests.view.agents import Agent, entry


def _shown(events: list[Event], lines: Lines | None = None) -> list[tuple[int, str, str]]:
    lines = lines or Lines()
    return [
        (line.depth, line.part.value, line.event.text.split(",")[0] + line.inside)
        for e in events
        for line in lines.of(e)
    ]


def test_an_operation_without_anything_in_it_takes_one_line() -> None:
    agent = Agent()
    tool, events = agent.start("tool", "f")
    assert _shown(events + agent.end(tool)) == [(0, "leaf", "tool f done in 1.0 s")]


def test_one_with_something_in_it_has_a_head_and_a_foot() -> None:
    agent = Agent()
    run, events = agent.start("agent", "a")
    tool, more = agent.start("tool", "f", run)
    events += more
    events += agent.reader.feed(entry("file_open", path="x", mode="read", trace_id="tr_1", span_id=tool))
    events += agent.end(tool, run) + agent.end(run)
    assert _shown(events) == [
        (0, "head", "agent a started"),
        (1, "head", "tool f started"),
        (2, "leaf", "read x"),
        (1, "foot", "tool f done in 1.0 s"),
        (0, "foot", "agent a done in 1.0 s"),
    ]


def test_what_runs_at_the_same_time_says_where_it_belongs_when_it_changes() -> None:
    agent = Agent()
    one, events = agent.start("agent", "one")
    two, more = agent.start("agent", "two")
    events += more
    for parent in (one, two, two, one):
        tool, more = agent.start("tool", "f", parent)
        events += more + agent.end(tool, parent)
    assert [shown[2] for shown in _shown(events)] == [
        "agent one started",
        "tool f done in 1.0 s",
        "agent two started",
        "tool f done in 1.0 s",
        "tool f done in 1.0 s",
        "tool f done in 1.0 sone",
    ]


def test_what_belongs_nowhere_stands_by_itself() -> None:
    agent = Agent()
    _, events = agent.start("agent", "a")
    events += agent.reader.feed(entry("file_open", path="x", mode="read"))
    assert _shown(events) == [(0, "leaf", "read x")]


def test_eager_ones_have_a_head_at_once() -> None:
    agent = Agent()
    _, events = agent.start("tool", "f")
    assert _shown(events, Lines(eager=True)) == [(0, "head", "tool f started")]


def test_without_its_beginning_an_end_stands_by_itself() -> None:
    agent = Agent()
    run, _ = agent.start("agent", "a")
    tool, _ = agent.start("tool", "f", run)
    assert _shown(agent.fail(tool, run)) == [(0, "leaf", "tool f failed after 1.0 s: ValueError: no")]


_spans = st.sampled_from(["", "a", "b", "c", "d"])


@given(st.lists(st.tuples(st.sampled_from(["started", "ended", "failed", "note"]), _spans, _spans), max_size=40))
def test_any_ids_in_any_order_lose_no_event(steps: list[tuple[str, str, str]]) -> None:
    lines = Lines()
    for state, span, parent in steps:
        fields = {
            "event": state,
            "operation": "tool",
            "name": span,
            "trace_id": "t",
            "span_id": span,
            "parent_span_id": parent,
        }
        kind = Kind.FILE if state == "note" else Kind.OPERATION
        event = Event(kind, Level.INFO, 0.0, state, fields)
        made = lines.of(event)
        assert sum(line.event is event for line in made) <= 1
        assert state == "started" or made[-1].event is event
        assert all(line.depth >= 0 for line in made)
        assert all(line.part is Part.HEAD for line in made[:-1])
