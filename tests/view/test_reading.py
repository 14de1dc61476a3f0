from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.audit import actions
from aotel.audit.entry import Entry
from aotel.view import EntryReader, Event, Kind, Level
from aotel.view.wording import moment
from tests.view.agents import START, Agent, entry, machine_entries, one_of_each


def _only(events: list[Event]) -> Event:
    assert len(events) == 1
    return events[0]


def test_an_operation_begins_and_ends() -> None:
    agent = Agent()
    run, events = agent.start("agent", "research", args=("'ships'",))
    began = _only(events)
    assert (began.kind, began.level, began.text) == (Kind.OPERATION, Level.INFO, "agent research started")
    assert began.fields["preview"] == "'ships'"
    model, _ = agent.start("llm", "ask", run, 0.5)
    ended = _only(agent.end(model, run, 0.9, llm={"request_model": "gpt-x", "input_tokens": 12, "output_tokens": 3}))
    assert ended.text == "llm ask done in 400 ms, gpt-x, 12 tokens in, 3 out"
    expected = {"event": "ended", "operation": "llm", "depth": 1, "parent_span_id": run, "duration_ms": 400.0}
    assert expected.items() <= ended.fields.items()
    assert ended.fields["started_at"] == moment(START + 0.5)
    assert "cost_usd" not in ended.fields


def test_what_failed_is_an_error_and_what_was_cancelled_is_none() -> None:
    agent = Agent()
    tool, _ = agent.start("tool", "search")
    failed = _only(agent.fail(tool))
    assert (failed.level, failed.text) == (Level.ERROR, "tool search failed after 1.0 s: ValueError: no")
    step, _ = agent.start("step", "wait")
    stopped = _only(agent.fail(step, outcome="cancelled"))
    assert (stopped.level, stopped.fields["event"], stopped.fields["operation"]) == (Level.INFO, "stopped", "step")


def test_a_start_that_is_sent_twice_is_shown_once() -> None:
    agent = Agent()
    envelope = agent.envelope("agent.tool.call", "sp_1", "", 0, {"fn": "f", "preview": {}})
    assert len(agent.feed(envelope)) == 1
    assert agent.feed(envelope) == []


def test_an_end_without_a_beginning_is_shown() -> None:
    agent = Agent()
    payload = {"fn": "f", "ok": True, "duration_ms": 5.0}
    event = _only(agent.feed(agent.envelope("agent.tool.result", "sp_1", "", 1.0, payload)))
    assert (event.fields["event"], event.fields["depth"]) == ("ended", 0)


def test_envelopes_of_other_makers_are_read() -> None:
    reader = EntryReader()
    start = {
        "kind": "agent.llm.request",
        "ids": {"trace_id": "t", "span_id": "s"},
        "payload": {"fn": "ask", "preview": "x"},
    }
    end = {
        "kind": "agent.llm.response",
        "ids": {"trace_id": "t", "span_id": "s"},
        "payload": {"fn": "ask"},
        "envpod": {"pid": 1},
    }
    assert _only(reader.feed_envelope(json.dumps(start))).fields["event"] == "started"
    ended = _only(reader.feed_envelope(json.dumps(end).encode()))
    assert ended.fields["event"] == "ended"
    assert abs(ended.time - time.time()) < 60


def test_a_time_that_the_log_contradicts_is_not_believed() -> None:
    agent = Agent()
    envelope = agent.envelope("agent.tool.call", "sp_1", "", 0, {"fn": "f"})
    assert _only(agent.feed({**envelope, "ts": "0001-01-01T00:00:00Z"}, at=4.0)).time == START + 4


@pytest.mark.parametrize("each", machine_entries(), ids=lambda each: each.action)
def test_every_action_becomes_an_event_with_its_time(each: Entry) -> None:
    event = _only(EntryReader().feed(each))
    assert event.time == START
    assert event.text.strip() == event.text != ""
    assert "None" not in event.text
    assert event.fields["event"]


def test_every_action_there_is_has_words_of_its_own() -> None:
    told = {each.action for each in machine_entries()}
    assert {value for name, value in vars(actions).items() if name.isupper() and isinstance(value, str)} - told == {
        actions.AGENT_COAT
    }


def test_levels() -> None:
    levels = {(event.kind, event.fields["event"], event.fields.get("state")): event.level for event in one_of_each()}
    assert levels[Kind.OPERATION, "emitted", None] is Level.DEBUG
    assert levels[Kind.OPERATION, "progress", "advanced"] is Level.DEBUG
    assert levels[Kind.OPERATION, "ended", None] is Level.INFO
    assert levels[Kind.METRICS, "sampled", None] is Level.INFO
    assert levels[Kind.FILE, "opened", None] is Level.INFO
    assert levels[Kind.WARNING, "limit_near", None] is Level.WARNING
    assert levels[Kind.SUCCESS, "limit_recovered", None] is Level.INFO
    assert levels[Kind.INSTALL, "install", "failed"] is Level.ERROR
    assert levels[Kind.OUTPUT, "refused", None] is Level.WARNING


def test_there_is_an_event_of_every_kind_and_level() -> None:
    events = one_of_each()
    assert {event.kind for event in events} == set(Kind)
    assert {event.level for event in events} == set(Level)


def test_content_that_was_hashed_stands_for_itself() -> None:
    agent = Agent()
    event = _only(agent.emit("sp_1", "notify", {"content": "sha256:abc", "kind": "warning"}))
    assert event.text == "sha256:abc"
    event = _only(agent.emit("sp_1", "progress", {"content": "sha256:abc", "done": 1, "total": None, "state": "done"}))
    assert event.text == "sha256:abc done, 1"


def test_what_is_no_envelope_is_a_warning() -> None:
    assert _only(EntryReader().feed_envelope("[1]")).level is Level.WARNING
    assert _only(EntryReader().feed(Entry("", "", "agent_coat", "{", success=True))).level is Level.WARNING


_KEYS = [
    "kind",
    "ts",
    "ids",
    "payload",
    "fn",
    "ok",
    "duration_ms",
    "llm",
    "tag",
    "data",
    "state",
    "path",
    "command",
    "pid",
]
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["read", "over", "notify"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(_KEYS) | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(
    st.sampled_from([each.action for each in machine_entries()] + ["agent_coat"]),
    st.dictionaries(st.text(max_size=9), _JSON),
    _JSON,
)
def test_nothing_makes_it_raise(action: str, extra: dict[str, Any], value: Any) -> None:
    reader = EntryReader()
    agent = Agent()
    for kind in ("agent.llm.request", "agent.llm.response", "coat.emit", "coat.error", "nothing", ""):
        envelope = {**agent.envelope(kind, "sp_1", "", 0, {}), "payload": value, **extra}
        reader.feed(Entry("x", "p", "agent_coat", json.dumps(envelope), success=True))
        reader.feed_envelope(json.dumps({**envelope, "ids": value, "envpod": value, "ts": value}))
    known = json.loads(next((each.detail for each in machine_entries() if each.action == action), "{}"))
    reader.feed(Entry("", "p", action, json.dumps({**known, **extra}), success=False))
    reader.feed(Entry("", "p", action, json.dumps(dict.fromkeys(known, value)), success=True))
    assert reader.summary().seconds >= 0


@given(st.binary(max_size=40) | st.text(max_size=40))
def test_no_bytes_make_it_raise(garbage: bytes | str) -> None:
    reader = EntryReader()
    assert reader.feed_envelope(garbage)
    text = garbage if isinstance(garbage, str) else garbage.decode("latin-1")
    assert reader.feed(Entry(text, text, text, text, success=True))


def test_deep_json_is_no_envelope() -> None:
    assert EntryReader().feed_envelope('{"a":' * 50_000 + "1" + "}" * 50_000)
    assert EntryReader().feed(entry("something", deep=json.loads("[" * 200 + "]" * 200)))


def test_memory_is_bounded_when_nothing_ever_ends() -> None:
    agent = Agent()
    for _ in range(25_000):
        agent.start("tool", "f")
    assert agent.reader.summary().still_open == 20_000
