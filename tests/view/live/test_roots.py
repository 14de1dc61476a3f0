from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.view.live.roots import PATIENCE, Roots
from tests.view.agents import START, Agent, entry

if TYPE_CHECKING:
    from aotel.view import Event


def _texts(roots: Roots, events: list[Event]) -> list[str]:
    return [
        f"{line.depth} {line.event.text}{line.inside and ' in ' + line.inside}"
        for e in events
        for line in roots.take(e)
    ]


def test_what_goes_on_at_the_same_time_is_shown_one_after_the_other() -> None:
    roots = Roots(eager=False)
    one, two = Agent(trace="tr_1"), Agent(trace="tr_2")
    first, events = one.start("agent", "one")
    second, more = two.start("agent", "two")
    events += more
    for agent, parent in ((one, first), (two, second), (one, first)):
        tool, more = agent.start("tool", "t", parent)
        events += more + agent.end(tool, parent)
    assert _texts(roots, events) == []
    assert _texts(roots, one.end(first)) == [
        "0 agent one started",
        "1 tool t done in 1.0 s",
        "1 tool t done in 1.0 s",
        "0 agent one done in 1.0 s",
    ]
    assert _texts(roots, two.end(second))[0] == "0 agent two started"
    assert roots.rest() == []


def test_what_takes_long_is_shown_as_it_grows_and_says_where_it_belongs_after_others() -> None:
    roots = Roots(eager=False)
    one, two = Agent(trace="tr_1"), Agent(trace="tr_2")
    first, events = one.start("agent", "one")
    tool, more = one.start("tool", "t", first)
    assert _texts(roots, events + more + one.end(tool, first)) == []
    due = roots.due(START)
    assert due == PATIENCE
    assert [line.event.text for line in roots.overdue(START + 0.5)] == []
    assert [line.event.text for line in roots.overdue(START + 2)] == ["agent one started", "tool t done in 1.0 s"]
    assert roots.due(START + 2) is None
    other, events = two.start("tool", "other")
    assert _texts(roots, events + two.end(other)) == ["0 tool other done in 1.0 s"]
    tool, events = one.start("tool", "u", first)
    assert _texts(roots, events + one.end(tool, first)) == []
    assert [(line.event.text, line.inside) for line in roots.overdue(START + 3)] == [("tool u done in 1.0 s", "one")]


def test_what_belongs_nowhere_is_shown_at_once() -> None:
    agent, roots = Agent(), Roots(eager=False)
    assert _texts(roots, agent.reader.feed(entry("file_open", path="x", mode="read"))) == ["0 read x"]
    assert _texts(roots, agent.feed(agent.envelope("agent.tool.result", "s", "", 1, {"fn": "f", "ok": True}))) == [
        "0 tool f done"
    ]


def test_what_waits_is_bounded() -> None:
    agent, roots = Agent(), Roots(eager=False)
    run, events = agent.start("agent", "a")
    shown = len(_texts(roots, events))
    for _ in range(1_000):
        tool, events = agent.start("tool", "t", run)
        shown += len(_texts(roots, events + agent.end(tool, run)))
    assert shown >= 500
    for number in range(25_000):
        _, events = agent.start("tool", f"open {number}", run)
        _texts(roots, events)
    assert len(roots.rest()) <= 25_000
