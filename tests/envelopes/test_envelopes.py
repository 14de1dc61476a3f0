"""What envelopes say, by contract `aotp/0.1`: of calls of every mode, of model, tool and retrieval operations."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace

from aotel import __version__, coat, step, tie
from aotel.envelopes.producer import PRODUCER, Producer
from tests.envelope_schema import problems_of
from tests.recording import recording

if TYPE_CHECKING:
    from tests.recording import Recorded

MODES = ["none", "redacted", "hash", "summary", "raw"]


def test_keys_stand_in_the_order_of_the_contract(recorded: Recorded) -> None:
    with step("work"):
        pass
    for record in recorded.records:
        body = json.loads(str(record.log_record.body))
        assert list(body) == [
            "spec", "kind", "ts", "producer", "seq", "ids", "subject", "capture", "payload", "envpod",
        ]  # fmt: skip
        assert list(body["ids"]) == ["session_id", "run_id", "step_id", "trace_id", "span_id", "parent_span_id"]
        assert body["subject"] == {
            "agent_id": "",
            "agent_role": "",
            "framework": "aotel",
            "framework_version": __version__,
        }
        assert body["envpod"] == {"pod_id": "", "pid": os.getpid()}
        assert body["producer"] == PRODUCER.id


@pytest.mark.parametrize("mode", MODES)
def test_keys_stay_in_every_mode(mode: str) -> None:
    with recording(capture=mode) as recorded:
        with step("outer"):
            coat("tool", lambda value: value, name="work")("benign-token")
            tie("note", "benign-token")
        work = recorded.named("work")
        note = recorded.named("outer").between[0]
    assert set(work.start["payload"]) == {"fn", "preview"}
    assert {"fn", "result_preview", "captured", "duration_ms", "ok"} <= set(work.end["payload"])
    assert set(note["payload"]) == {"tag", "data"}
    for envelope in (work.start, note):
        assert envelope["capture"] == {"mode": mode, "content": mode}
    assert work.end["capture"] == {"mode": "none", "content": mode}
    if mode == "none":
        assert work.start["payload"]["preview"] == {"args": [], "kwargs": {}}
        assert (work.end["payload"]["result_preview"], note["payload"]["data"]) == ("", None)
    if mode == "hash":
        assert work.start["payload"]["preview"]["args"][0].strip("'").startswith("sha256:")
        assert work.end["payload"]["result_preview"].strip("'").startswith("sha256:")


@pytest.mark.parametrize("length", [0, 1, 3, 10, 200, 5000])
def test_previews_are_cut_to_the_length_asked_for(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_PREVIEW_LEN", str(length))

    def failing(text: str) -> None:
        raise LookupError(text)

    with recording() as recorded:
        coat("tool", lambda value: value, name="work")("x" * 1000)
        with pytest.raises(LookupError):
            coat("tool", failing, name="failing")("y" * 1000)
        work, failed = recorded.operations
    for text in (
        work.start["payload"]["preview"]["args"][0],
        work.end["payload"]["result_preview"],
        failed.end["payload"]["message"],
    ):
        assert len(text) <= length
        if 3 <= length < 1000:
            assert text.endswith("...")


def test_model_call_says_what_is_known_and_leaves_out_the_rest(recorded: Recorded) -> None:
    said: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "model-1",
        "gen_ai.response.model": "model-1-0613",
        "gen_ai.response.id": "resp-1",
        "gen_ai.response.finish_reasons": ["stop", "length"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.usage.cache_read.input_tokens": 40,
    }
    with trace.get_tracer("sdk").start_as_current_span("chat", attributes=said):
        pass
    assert recorded.operation.end["payload"]["llm"] == {
        "provider": "openai",
        "request_model": "model-1",
        "response_model": "model-1-0613",
        "response_id": "resp-1",
        "input_tokens": 100,
        "output_tokens": 0,
        "cache_read_tokens": 40,
        "finish_reasons": ["stop", "length"],
    }


def test_tool_and_retrieval_say_their_own(recorded: Recorded) -> None:
    coat("tool", lambda: 1, name="search")()
    coat("retrieval", lambda query: ["one", "two"], name="look up")("capital of France")
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "gen_ai.tool.call.id": "call_1"}
    with trace.get_tracer("sdk").start_as_current_span("execute_tool weather", attributes=said):
        pass
    tool, retrieval, foreign = (operation.end["payload"] for operation in recorded.operations)
    assert tool["tool"] == {"name": "search"}
    assert retrieval["retrieval"] == {"query": "capital of France", "documents": 2}
    assert foreign["tool"] == {"name": "weather", "call_id": "call_1"}


def test_failed_operation_has_an_error_instead_of_an_end(recorded: Recorded) -> None:
    with pytest.raises(LookupError), step("work", "tool"):
        raise LookupError("gone")
    envelope = recorded.operation.end
    assert envelope["kind"] == "coat.error"
    assert set(envelope["payload"]) == {"fn", "error_type", "message", "duration_ms", "ok"}
    assert envelope["payload"]["ok"] is False


def test_record_around_an_envelope(recorded: Recorded) -> None:
    with pytest.raises(LookupError), step("work", "llm"):
        raise LookupError("gone")
    span, context = recorded.operation.span, recorded.operation.context
    for record, severity in zip(recorded.records, ("INFO", "ERROR"), strict=True):
        log_record = record.log_record
        body = json.loads(str(log_record.body))
        attributes = dict(log_record.attributes or {})
        assert log_record.event_name == body["kind"] == attributes["aot.kind"]
        assert log_record.severity_text == severity
        assert (log_record.trace_id, log_record.span_id) == (context.trace_id, context.span_id)
        assert attributes["openinference.span.kind"] == "LLM"
        assert attributes["aot.run_id"] == body["ids"]["run_id"]
        assert record.resource == span.resource
        assert record.instrumentation_scope is not None
        assert record.instrumentation_scope.name == "aotel"
    assert [record.log_record.timestamp for record in recorded.records] == [span.start_time, span.end_time]


def test_pod_and_agent_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVPOD_POD_ID", "pod-7")
    monkeypatch.setenv("AOTEL_AGENT_ID", "writer-1")
    with recording(agent_id="by configure", agent_role="writer") as recorded:
        with step("work"):
            pass
        operation = recorded.operation
    assert operation.start["envpod"]["pod_id"] == operation.attributes["envpod.pod_id"] == "pod-7"
    assert operation.start["subject"]["agent_id"] == "writer-1"
    assert operation.start["subject"]["agent_role"] == "writer"


def test_producer_is_random_and_another_one_in_a_child() -> None:
    producer, other = Producer(), Producer()
    before = (producer.id, producer.session_id)
    producer.after_fork_in_child()
    assert len({before[0], producer.id, other.id}) == 3
    assert producer.session_id != before[1]
    assert producer.pid == os.getpid()


NAMES = st.text(min_size=1, max_size=50)


def test_any_name_tag_and_attribute_makes_a_valid_envelope() -> None:
    with recording() as recorded:

        @given(NAMES, NAMES, NAMES, st.dictionaries(NAMES, NAMES, max_size=3))
        def check(name: str, op: str, tag: str, attributes: dict[str, str]) -> None:
            recorded.clear()
            with step(name, op, **{f"a{key}": value for key, value in attributes.items()}):
                tie(tag, attributes)
            assert recorded.operation.between[0]["payload"]["tag"] == tag
            assert not [problem for envelope in recorded.envelopes for problem in problems_of(envelope)]

        check()
