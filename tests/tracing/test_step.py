"""`step` and `set_result`: a named part of an operation, and what it came to."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import Op, coat, set_result, step
from aotel.semconv.operations import ALIASES, TAXONOMY
from tests.recording import recording

if TYPE_CHECKING:
    from tests.recording import Recorded


@pytest.fixture
def unwarned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is said once a process be said again."""
    # Through `sys.modules`: in the package, the function hides its module.
    monkeypatch.setattr(sys.modules["aotel.tracing.step"], "_warned", set())


def test_step_is_a_span_with_its_attributes(recorded: Recorded) -> None:
    with step("plan", attempt=2, goal="write", files=["a", "b"]):
        pass
    operation = recorded.operation
    assert operation.span.name == "plan"
    assert operation.attributes["aot.attributes.attempt"] == 2
    assert operation.attributes["aot.attributes.goal"] == "write"
    assert operation.attributes["aot.attributes.files"] == '["a","b"]'
    assert operation.start["payload"]["preview"] == {
        "args": [],
        "kwargs": {"attempt": "2", "goal": "'write'", "files": "['a', 'b']"},
    }


@pytest.mark.parametrize("argument", ["op", "type"])
@pytest.mark.parametrize("tag", [None, *TAXONOMY, *ALIASES, *(tag.upper() for tag in TAXONOMY), "my own"])
def test_every_operation_has_its_kinds(tag: str | None, argument: str, recorded: Recorded) -> None:
    with step("work", **{argument: tag}):
        pass
    operation = recorded.operation
    canonical = "step" if tag is None else ALIASES.get(tag.lower(), tag.lower() if tag.lower() in TAXONOMY else tag)
    expected = TAXONOMY.get(canonical, TAXONOMY["step"])
    assert operation.attributes["aot.operation"] == canonical
    assert (operation.start["kind"], operation.end["kind"]) == (expected.start_kind, expected.end_kind)
    assert operation.attributes.get("gen_ai.operation.name") == expected.genai
    assert operation.attributes["openinference.span.kind"] == expected.openinference


@pytest.mark.parametrize("op", list(Op))
def test_members_and_their_strings_are_the_same(op: Op, recorded: Recorded) -> None:
    with step("member", op), step("string", op.value):
        pass
    string, member = recorded.operations
    assert member.start["kind"] == string.start["kind"]
    assert member.attributes["aot.operation"] == string.attributes["aot.operation"] == op.value


async def test_async_step_nests(recorded: Recorded) -> None:
    async with step("outer") as outer:
        assert isinstance(outer, step)
        async with step("inner"):
            await asyncio.sleep(0)
    inner, around = recorded.operations
    assert inner.span.parent == around.context


def test_one_step_object_may_be_entered_again_and_inside_itself(recorded: Recorded) -> None:
    again = step("again")
    with again, again:
        pass
    with again:
        pass
    first, second, third = recorded.operations
    assert first.span.parent == second.context
    assert second.span.parent is third.span.parent is None


def test_exception_passes_and_ends_the_step(recorded: Recorded) -> None:
    error = LookupError("gone")
    with pytest.raises(LookupError) as caught, step("work"):
        raise error
    assert caught.value is error
    assert recorded.operation.end["payload"]["message"] == "gone"
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (asyncio.CancelledError, "cancelled"),
        (KeyboardInterrupt, "interrupted"),
        (GeneratorExit, "abandoned"),
        (StopIteration, "ok"),
        (SystemExit, "ok"),
    ],
)
def test_exceptions_that_are_no_errors(error: type[BaseException], outcome: str, recorded: Recorded) -> None:
    with pytest.raises(error), step("work"):
        raise error
    assert recorded.operation.outcome == outcome


def test_set_result_wins_over_the_returned_value(recorded: Recorded) -> None:
    @coat("tool")
    def work() -> str:
        set_result({"status": "set"})
        return "returned"

    assert work() == "returned"
    assert recorded.operation.end["payload"]["result_preview"] == "{'status': 'set'}"
    assert recorded.operation.attributes["output.value"] == '{"status":"set"}'


def test_last_set_result_counts_also_when_it_is_none(recorded: Recorded) -> None:
    with step("work"):
        set_result("first")
        set_result(None)
    assert recorded.operation.end["payload"]["result_preview"] == "None"


def test_step_without_a_result_has_none_to_show(recorded: Recorded) -> None:
    with step("work"):
        pass
    assert "output.value" not in recorded.operation.attributes


def test_set_result_is_a_snapshot(recorded: Recorded) -> None:
    with step("work"):
        value = {"status": "then"}
        set_result(value)
        value["status"] = "later"
    assert recorded.operation.end["payload"]["result_preview"] == "{'status': 'then'}"


def test_set_result_reaches_the_innermost_operation_alone(recorded: Recorded) -> None:
    with step("outer"):
        with step("inner"):
            set_result("inner result")
        set_result("outer result")
    inner, outer = recorded.operations
    assert inner.end["payload"]["result_preview"] == "'inner result'"
    assert outer.end["payload"]["result_preview"] == "'outer result'"


def test_set_result_inside_a_foreign_span_is_its_output(recorded: Recorded) -> None:
    with step("outer"), trace.get_tracer("other").start_as_current_span("foreign"):
        set_result({"status": "set"})
    foreign, outer = recorded.spans
    assert (foreign.attributes or {})["aot.result"] == '{"status":"set"}'
    assert "output.value" not in (outer.attributes or {})


def test_set_result_outside_any_span_warns_once(
    unwarned: None, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        set_result("secret-looking value")
    (record,) = caplog.records
    assert "outside any span" in record.getMessage()
    assert "secret-looking" not in record.getMessage()
    assert recorded.spans == []


def test_set_result_in_an_unsampled_call_is_silent(
    unwarned: None, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    remote = trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(0))
    with trace.use_span(trace.NonRecordingSpan(remote)):
        set_result("value")
    assert caplog.records == []


def test_in_mode_none_attributes_and_results_stay_inside() -> None:
    with recording(capture="none") as recorded:
        with step("work", goal="benign-token"):
            set_result("benign-token")
        assert "benign-token" not in repr(recorded.operation)
        assert recorded.operation.start["payload"]["preview"] == {"args": [], "kwargs": {}}


def test_attribute_called_like_an_argument_of_the_span_is_possible(recorded: Recorded) -> None:
    attributes: dict[str, Any] = {"attributes": 1, "parent": 2, "kind": 3, "self_": 4}
    with step("work", **attributes):
        pass
    assert {name: recorded.operation.attributes[f"aot.attributes.{name}"] for name in attributes} == attributes


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "text"),
    [
        ((None,), {}, TypeError, "name is a string"),
        ((7,), {}, TypeError, "name is a string"),
        (("",), {}, ValueError, "name must not be an empty string"),
        (("s", 7), {}, TypeError, "op is an Op, a string or None"),
        (("s",), {"type": 7}, TypeError, "(op|type) is an Op, a string or None"),
        (("s", "llm"), {"type": "tool"}, TypeError, "op and type are the same argument"),
    ],
)
def test_bad_arguments_are_named(
    arguments: tuple[Any, ...], keywords: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        step(*arguments, **keywords)
