"""Spans of other instrumentors: read, mapped, made clean, audited where they are operations, else left alone."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aotel import coat, step
from aotel.calls import PORT
from aotel.testing import record_envelopes
from tests.envelope_schema import assert_paired
from tests.recording import recording

if TYPE_CHECKING:
    from tests.recording import Recorded

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"


def span(name: str = "foreign", **options: Any) -> Any:
    return trace.get_tracer("other").start_as_current_span(name, **options)


OPERATIONS: list[tuple[dict[str, str], str, str, str]] = [
    ({"gen_ai.operation.name": "chat"}, "llm", "agent.llm.request", "agent.llm.response"),
    ({"gen_ai.operation.name": "embeddings"}, "embedding", "agent.llm.request", "agent.llm.response"),
    ({"gen_ai.operation.name": "execute_tool"}, "tool", "agent.tool.call", "agent.tool.result"),
    ({"gen_ai.operation.name": "retrieval"}, "retrieval", "agent.memory.read", "agent.memory.read"),
    ({"openinference.span.kind": "LLM"}, "llm", "agent.llm.request", "agent.llm.response"),
    ({"openinference.span.kind": "TOOL"}, "tool", "agent.tool.call", "agent.tool.result"),
    ({"openinference.span.kind": "RETRIEVER"}, "retrieval", "agent.memory.read", "agent.memory.read"),
    ({"openinference.span.kind": "GUARDRAIL"}, "guardrail", "agent.step.transition", "agent.step.transition"),
    ({"openinference.span.kind": "EVALUATOR"}, "validation", "agent.step.transition", "agent.step.transition"),
    ({"openinference.span.kind": "CHAIN"}, "step", "agent.step.start", "agent.step.end"),
    ({"openinference.span.kind": "PROMPT"}, "step", "agent.step.start", "agent.step.end"),
    ({"openinference.span.kind": "UNKNOWN"}, "step", "agent.step.start", "agent.step.end"),
]


@pytest.mark.parametrize("when", ["at the start", "at the end"])
@pytest.mark.parametrize(("said", "tag", "start", "end"), OPERATIONS, ids=lambda value: str(value)[:50])
def test_operation_is_recognised(
    said: dict[str, str], tag: str, start: str, end: str, when: str, recorded: Recorded
) -> None:
    with span(attributes=said if when == "at the start" else None) as current:
        if when != "at the start":
            assert recorded.arrived == 0
            current.set_attributes(said)
    operation = recorded.operation
    assert operation.attributes["aot.operation"] == tag
    assert (operation.start["kind"], operation.end["kind"]) == (start, end)
    assert "openinference.span.kind" in operation.attributes


@pytest.mark.parametrize(
    ("said", "at_root", "in_an_agent", "in_a_step"),
    [
        ({"gen_ai.operation.name": "invoke_agent"}, "agent", "delegation", "agent"),
        ({"gen_ai.operation.name": "invoke_workflow"}, "session", "step", "step"),
    ],
)
def test_agents_and_workflows_depend_on_where_they_are(
    said: dict[str, str], at_root: str, in_an_agent: str, in_a_step: str, recorded: Recorded
) -> None:
    with span("root", attributes=said):
        pass
    with step("agent", "agent"), span("in agent", attributes=said):
        pass
    with step("plain"), span("in step", attributes=said):
        pass
    tags = {operation.span.name: operation.attributes["aot.operation"] for operation in recorded.operations}
    assert (tags["root"], tags["in agent"]) == (at_root, in_an_agent)
    if said["gen_ai.operation.name"] == "invoke_workflow":
        assert tags["in step"] == in_a_step


def test_span_that_is_no_operation_is_left_alone(recorded: Recorded) -> None:
    with span("GET", attributes={"http.request.method": "GET", "url.path": "/"}) as current:
        current.add_event("sent", {"bytes": 3})
    assert recorded.envelopes == []
    (found,) = recorded.spans
    assert dict(found.attributes or {}) == {"http.request.method": "GET", "url.path": "/"}
    assert [event.name for event in found.events] == ["sent"]


def test_secrets_are_removed_from_every_span(recorded: Recorded) -> None:
    with span(f"GET https://user:{SECRET}@host/", attributes={"http.request.header.authorization": SECRET}) as current:
        current.set_attribute("body", f'{{"password": "hunter2hunter2", "key": "{SECRET}"}}')
        current.set_attribute("list", ["fine", SECRET])
        current.add_event("sent", {"token": "benign-looking-token-value", "text": SECRET})
        current.add_link(trace.SpanContext(1, 2, is_remote=True), {"api_key": "benign-looking-key-value"})
        current.set_status(trace.StatusCode.ERROR, f"failed with {SECRET}")
    written = "".join(found.to_json() for found in recorded.spans)
    for secret in (SECRET, "hunter2hunter2", "benign-looking-token-value", "benign-looking-key-value"):
        assert secret not in written
    assert "<redacted:" in written


def test_span_that_cannot_be_made_clean_leaves_without_text(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("aotel.pipeline.processor.map_span", broken)
    monkeypatch.setattr(PORT, "_failures", set())
    attributes = {"gen_ai.operation.name": "chat", "text": SECRET, "list": [SECRET], "count": 3}
    with span(f"GET {SECRET}", attributes=attributes) as current:
        current.add_event(f"sent {SECRET}", {"text": SECRET, "bytes": 3})
        current.add_link(trace.SpanContext(1, 2, is_remote=True), {"text": SECRET})
        current.set_status(trace.StatusCode.ERROR, SECRET)
    (found,) = recorded.spans
    assert SECRET not in found.to_json() + repr(recorded.envelopes)
    assert dict(found.attributes or {}) == {"count": 3}
    assert [dict(event.attributes or {}) for event in found.events] == [{"bytes": 3}]
    assert [record.getMessage() for record in caplog.records if "a fault of ours" in record.getMessage()]


def test_the_last_exception_is_what_ended_a_foreign_operation(recorded: Recorded) -> None:
    with span(attributes={"gen_ai.operation.name": "chat", "error.type": "ValueError"}) as chat:
        for thrown in ("asyncio.exceptions.CancelledError", "ValueError"):  # an attempt that was given up, and the next
            chat.add_event("exception", {"exception.type": thrown})
        chat.set_status(trace.Status(trace.StatusCode.ERROR, "ValueError: boom"))
    (ended,) = recorded.spans
    assert ended.status.status_code is trace.StatusCode.ERROR
    assert (ended.attributes or {})["error.type"] == "ValueError"
    assert "outcome" not in recorded.envelopes[-1]["payload"]


def test_failure_of_a_foreign_operation(recorded: Recorded) -> None:
    with pytest.raises(TimeoutError), span(attributes={"gen_ai.operation.name": "chat"}):
        raise TimeoutError("too slow")
    operation = recorded.operation
    assert operation.end["kind"] == "coat.error"
    assert operation.end["payload"]["error_type"] == "TimeoutError"
    assert "too slow" in operation.end["payload"]["message"]


@pytest.mark.parametrize("where", ["before", "after"])
def test_exporters_see_the_mapped_span_wherever_they_are(where: str) -> None:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    if where == "before":
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    with record_envelopes(tracer_provider=provider) as envelopes:
        if where == "after":
            provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("other").start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            pass
        with step("ours"):
            pass
        assert_paired(envelopes.envelopes)
        assert len(envelopes.envelopes) == 4
    kinds = [(found.attributes or {})["openinference.span.kind"] for found in exporter.get_finished_spans()]
    assert kinds == ["LLM", "CHAIN"]
    provider.shutdown()


def test_spans_begun_before_the_pipeline_or_ended_after_it_do_no_harm() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("other")
    early = tracer.start_span("early", attributes={"gen_ai.operation.name": "chat"})
    with record_envelopes(tracer_provider=provider) as envelopes:
        late = tracer.start_span("late", attributes={"gen_ai.operation.name": "chat"})
        early.end()
        assert [envelope["payload"]["fn"] for envelope in envelopes.envelopes] == ["late"]
    late.end()
    provider.shutdown()


def test_many_attributes_evict_none_of_ours(recorded: Recorded) -> None:
    with span(attributes={"gen_ai.operation.name": "chat"}) as current:
        for number in range(1000):
            current.set_attribute(f"number.{number}", number)
    attributes = recorded.operation.attributes
    assert attributes["openinference.span.kind"] == "LLM"
    assert attributes["number.0"] == 0
    assert attributes["number.999"] == 999


def test_limit_that_the_user_set_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20")
    provider = TracerProvider(shutdown_on_exit=False)
    with recording(tracer_provider=provider) as recorded:
        tracer = provider.get_tracer("other")
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}) as current:
            for number in range(15):
                current.set_attribute(f"number.{number}", number)
        left = recorded.spans[0].attributes or {}
        assert len(left) == 20
        assert left["openinference.span.kind"] == "LLM"  # what a backend needs most goes first
    provider.shutdown()


def test_length_limit_cuts_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100")
    provider = TracerProvider(shutdown_on_exit=False)
    with recording(tracer_provider=provider) as recorded:
        coat("tool", lambda text: {"answer": text}, name="work")("x" * 5000)
        attributes = recorded.operation.attributes
    provider.shutdown()
    for name in ("input.value", "output.value"):
        assert len(attributes[name]) <= 100
        assert json.loads(attributes[name])


def test_process_and_ids_are_on_every_operation(recorded: Recorded) -> None:
    with span(attributes={"gen_ai.operation.name": "chat"}), step("ours"):
        pass
    for operation in recorded.operations:
        assert operation.attributes["envpod.pid"] == os.getpid() == operation.start["envpod"]["pid"]
        assert operation.attributes["aot.run_id"] == operation.start["ids"]["run_id"]
        assert operation.attributes["aot.session_id"] == operation.start["ids"]["session_id"]
        assert operation.start["subject"]["framework"] == "aotel"
