"""Times, durations and ids in envelopes are those of the exported span; a step of the wall clock harms neither."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

import aotel.calls.call
from aotel import coat, step, tie
from aotel.envelopes.times import milliseconds, timestamp
from tests.recording import rounded

if TYPE_CHECKING:
    from tests.recording import Recorded


def test_times_agree_to_the_nanosecond(recorded: Recorded) -> None:
    for pause in (0, 0.0003, 0.002):
        with step("work"):
            tie("note")
            time.sleep(pause)
    for operation in recorded.operations:  # which compares each time, duration and id
        assert operation.end["payload"]["duration_ms"] >= 0


def test_span_lies_between_what_the_program_saw(recorded: Recorded) -> None:
    before = time.time_ns()
    coat("tool", lambda: time.sleep(0.001), name="work")()
    after = time.time_ns()
    span = recorded.operation.span
    assert span.start_time is not None
    assert span.end_time is not None
    assert before <= span.start_time < span.end_time
    assert span.end_time <= after + 5_000_000  # two clocks that tick apart a little


@pytest.mark.parametrize("stepped", [-3600, 3600])
def test_step_of_the_wall_clock_changes_no_duration(
    stepped: int, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    offset = [0]
    monkeypatch.setattr(aotel.calls.call, "time_ns", lambda: time.time_ns() + offset[0])
    with step("work"):
        offset[0] = stepped * 1_000_000_000
        time.sleep(0.002)
    assert 1 <= recorded.operation.end["payload"]["duration_ms"] < 10_000


def test_foreign_span_with_times_of_its_own(recorded: Recorded) -> None:
    start = 1_700_000_000_123_499_999
    said = {"gen_ai.operation.name": "chat"}
    span = trace.get_tracer("other").start_span("chat", attributes=said, start_time=start)
    span.end(start + 1_234_567)
    operation = recorded.operation
    assert operation.start["ts"] == "2023-11-14T22:13:20.123Z"
    assert operation.end["ts"] == "2023-11-14T22:13:20.125Z"
    assert operation.end["payload"]["duration_ms"] == 1.235


def test_children_end_before_their_parents_and_begin_after(recorded: Recorded) -> None:
    with step("outer"), step("middle"), step("inner"):
        pass
    inner, middle, outer = recorded.spans
    for child, parent in ((inner, middle), (middle, outer)):
        assert (parent.start_time or 0) <= (child.start_time or 0)
        assert (child.end_time or 0) <= (parent.end_time or 0)


def test_order_of_emission_is_order_of_happening(recorded: Recorded) -> None:
    with step("outer"):
        tie("first")
        with step("inner"):
            tie("second")
        tie("third")
    seen = [
        (envelope["kind"], envelope["payload"].get("fn", envelope["payload"].get("tag")))
        for envelope in recorded.envelopes
    ]
    assert seen == [
        ("agent.step.start", "outer"),
        ("coat.emit", "first"),
        ("agent.step.start", "inner"),
        ("coat.emit", "second"),
        ("agent.step.end", "inner"),
        ("coat.emit", "third"),
        ("agent.step.end", "outer"),
    ]


@given(st.integers(0, 253_402_300_799_999_000_000))
def test_timestamp_rounds_to_the_millisecond(nanoseconds: int) -> None:
    assert timestamp(nanoseconds) == rounded(nanoseconds)


@pytest.mark.parametrize("nanoseconds", [-1, -(10**18), 10**30, 253_402_300_800_000_000_000])
def test_time_outside_the_calendar_is_still_a_timestamp(nanoseconds: int) -> None:
    assert len(timestamp(nanoseconds)) == len("1970-01-01T00:00:00.000Z")


@given(st.integers(0, 10**18))
def test_duration_has_three_decimals(nanoseconds: int) -> None:
    found = milliseconds(nanoseconds)
    assert abs(found - nanoseconds / 1e6) <= 0.0006
    assert found == round(found, 3)


def test_run_id_is_made_of_the_last_half_of_the_trace_id(recorded: Recorded) -> None:
    # Some id generators fill the first half with a time, or with zeros.
    ids = 0x00000000000000000123456789ABCDEF, 0xFEDCBA9876543210
    context = trace.SpanContext(*ids, is_remote=True, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(context)), step("work"):
        pass
    assert recorded.operation.start["ids"]["run_id"] == "run_0123456789abcdef"
    assert recorded.operation.start["ids"]["trace_id"] == "tr_00000000000000000123456789abcdef"
    assert recorded.operation.start["ids"]["parent_span_id"] == "sp_fedcba9876543210"
