"""`tie`: an event on the current span, and an envelope under it."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import coat, emit, step, tie
from tests.recording import context_of, recording, rounded

if TYPE_CHECKING:
    from tests.recording import Recorded


def test_event_and_envelope(recorded: Recorded) -> None:
    with step("work"):
        tie("found", {"rows": [1, 2], "name": "x"})
    operation = recorded.operation
    (event,) = operation.span.events
    (envelope,) = operation.between
    assert event.name == "found"
    assert json.loads(str((event.attributes or {})["aot.data"])) == {"rows": [1, 2], "name": "x"}
    assert envelope["kind"] == "coat.emit"
    assert envelope["payload"] == {"tag": "found", "data": {"rows": [1, 2], "name": "x"}}
    assert envelope["ids"] == operation.start["ids"]
    assert envelope["capture"] == {"mode": "redacted", "content": "redacted"}


def test_time_of_the_envelope_is_that_of_the_event(recorded: Recorded) -> None:
    with step("work"):
        before = time.time_ns()
        tie("now")
        after = time.time_ns()
    assert rounded(before) <= recorded.operation.between[0]["ts"] <= rounded(after)
    assert rounded(recorded.operation.span.events[0].timestamp) == recorded.operation.between[0]["ts"]


def test_order_and_numbers(recorded: Recorded) -> None:
    with step("work"):
        for number in range(200):
            tie(f"tag {number}", number)
    operation = recorded.operation
    assert [envelope["payload"] for envelope in operation.between] == [
        {"tag": f"tag {number}", "data": number} for number in range(200)
    ]
    assert [envelope["seq"] for envelope in operation.between] == list(range(1, 201))
    assert operation.end["seq"] == 201


def test_without_data(recorded: Recorded) -> None:
    with step("work"):
        tie("now")
        tie("none", None)
    assert [envelope["payload"]["data"] for envelope in recorded.operation.between] == [None, None]


def test_data_is_a_snapshot(recorded: Recorded) -> None:
    data = {"rows": [1]}
    with step("work"):
        tie("found", data)
        data["rows"].append(2)
    assert recorded.operation.between[0]["payload"]["data"] == {"rows": [1]}


def test_long_leaves_are_cut_and_structure_is_kept() -> None:
    with recording() as recorded:
        with step("work"):
            tie("found", {"text": "x" * 5000, "rows": list(range(300))})
        data = recorded.operation.between[0]["payload"]["data"]
    assert len(data["text"]) <= 200
    assert data["text"].endswith("...")
    assert data["rows"] == list(range(300))


def test_outside_any_span_nothing_happens(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    tie("lost", {"rows": 1})
    assert recorded.envelopes == []
    assert caplog.records == []


def test_inside_a_foreign_span(recorded: Recorded) -> None:
    with trace.get_tracer("other").start_as_current_span("foreign"):
        tie("first")
        tie("second")
    first, second = recorded.envelopes
    (span,) = recorded.spans
    assert [event.name for event in span.events] == ["first", "second"]
    assert first["ids"]["span_id"] == f"sp_{context_of(span).span_id:016x}"
    assert (first["seq"], second["seq"]) == (1, 2)  # 0 is the number of a start


def test_inside_a_foreign_operation_that_is_told_late(recorded: Recorded) -> None:
    with trace.get_tracer("other").start_as_current_span("foreign") as span:
        tie("early")
        span.set_attribute("gen_ai.operation.name", "execute_tool")
        tie("late")
    numbers = {envelope["kind"]: envelope["seq"] for envelope in recorded.envelopes if envelope["kind"] != "coat.emit"}
    assert [envelope["seq"] for envelope in recorded.envelopes if envelope["kind"] == "coat.emit"] == [1, 2]
    assert numbers == {"agent.tool.call": 0, "agent.tool.result": 3}


def test_mode_of_the_call_counts(recorded: Recorded) -> None:
    @coat("tool", capture="none")
    def silent() -> None:
        tie("found", {"text": "benign-token"})

    @coat("tool", capture="summary")
    def short() -> None:
        tie("found", {"text": "benign-token"})

    silent()
    short()
    assert "benign-token" not in json.dumps(recorded.envelopes)
    first, second = recorded.operations
    assert first.between[0]["payload"] == {"tag": "found", "data": None}
    assert first.between[0]["capture"] == {"mode": "none", "content": "none"}
    assert second.between[0]["capture"] == {"mode": "summary", "content": "summary"}
    assert all("benign-token" not in str(event.attributes) for span in recorded.spans for event in span.events)


def test_secrets_are_replaced(recorded: Recorded) -> None:
    with step("work"):
        tie("login", {"password": "hunter2hunter2", "header": "Bearer abcdefghijklmnop"})
    written = json.dumps(recorded.envelopes) + "".join(span.to_json() for span in recorded.spans)
    assert "hunter2" not in written
    assert "abcdefghijklmnop" not in written


def test_emit_is_tie() -> None:
    assert emit is tie


@pytest.mark.parametrize("tag", [None, 7, b"tag", ["tag"]])
def test_bad_tag_is_named(tag: Any) -> None:
    with pytest.raises(TypeError, match="tag is a string"):
        tie(tag)


def test_nothing_is_logged_in_normal_use(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "aotel")
    with step("work"):
        tie("found", object())
    assert recorded.operation.outcome == "ok"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
