"""On a provider that takes no span processors, calls of ours are as they are anywhere; others' spans are not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import aotel
from aotel.testing import RecordedEnvelopes, record_envelopes
from tests.envelope_schema import assert_paired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

SECRET = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
CHAT: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "model-1"}


class Closed(trace.TracerProvider):
    """Spans of the SDK, and no way to a processor of ours."""

    def __init__(self) -> None:
        self.kept = InMemorySpanExporter()
        self._inner = TracerProvider()
        self._inner.add_span_processor(SimpleSpanProcessor(self.kept))

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        return self._inner.get_tracer(*args, **kwargs)

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.kept.get_finished_spans() if span.name == name]
        return found


@pytest.fixture
def closed() -> Closed:
    return Closed()


@pytest.fixture
def envelopes(closed: Closed) -> Iterator[RecordedEnvelopes]:
    with record_envelopes(tracer_provider=closed) as found:
        yield found
    assert_paired(found.envelopes)


def test_spans_are_those_that_a_processor_would_leave(closed: Closed, envelopes: RecordedEnvelopes) -> None:
    @aotel.coat("tool", attributes={"note": SECRET})
    def search(query: str, api_key: str) -> list[str]:
        return [query]

    open_provider = TracerProvider()
    kept = InMemorySpanExporter()
    open_provider.add_span_processor(SimpleSpanProcessor(kept))
    with aotel.session("s-1"):
        search("notes", api_key=SECRET)
    with record_envelopes(tracer_provider=open_provider), aotel.session("s-1"):
        search("notes", api_key=SECRET)
    expected, _ = kept.get_finished_spans()
    found = closed.named("search")
    own_ids = {"aot.run_id"}
    assert {name: value for name, value in (found.attributes or {}).items() if name not in own_ids} == {
        name: value for name, value in (expected.attributes or {}).items() if name not in own_ids
    }
    assert SECRET not in str(envelopes.envelopes) + str(found.attributes)


def test_parts_of_an_operation_find_it(closed: Closed, envelopes: RecordedEnvelopes) -> None:
    with aotel.step("outer", "agent"):
        aotel.tie("at", 1)
        with aotel.step("inner", "tool"):
            aotel.set_result("done")
    inner, outer = closed.named("inner"), closed.named("outer")
    assert (inner.attributes or {})["output.value"] == "done"
    assert envelopes.kinds == ["agent.run.start", "coat.emit", "agent.tool.call", "agent.tool.result", "agent.run.end"]
    assert outer.context is not None
    assert envelopes.envelopes[2]["ids"]["parent_span_id"] == f"sp_{outer.context.span_id:016x}"


def test_call_inside_a_call_counts_alone(closed: Closed, envelopes: RecordedEnvelopes) -> None:
    from aotel.calls import Call, CallSite

    site = CallSite("llm", "ours", attributes={**CHAT, "gen_ai.usage.input_tokens": 7}, own=True)
    with aotel.step("ask", "llm"):
        call = Call(site)
        call.start()
        call.succeed()
    assert envelopes.kinds.count("agent.llm.request") == 2
    kinds = {span.name: (span.attributes or {})["openinference.span.kind"] for span in closed.kept.get_finished_spans()}
    assert kinds == {"ours": "LLM", "ask": "CHAIN"}


def test_spans_of_others_are_left_alone(closed: Closed, envelopes: RecordedEnvelopes) -> None:
    with closed.get_tracer("instrumentor").start_as_current_span("chat", attributes=CHAT):
        pass
    assert "openinference.span.kind" not in (closed.named("chat").attributes or {})
    assert envelopes.envelopes == []


class Grudging(trace.NonRecordingSpan):
    """A span of somebody's that takes nothing."""

    def set_attributes(self, attributes: Any) -> None:  # noqa: ARG002 - the API's
        raise RuntimeError("closed for today")


class GrudgingProvider(trace.TracerProvider):
    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:  # noqa: ARG002 - the API's
        return GrudgingTracer()


class GrudgingTracer(trace.NoOpTracer):
    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:  # noqa: ARG002 - the API's
        return Grudging(trace.SpanContext(1, 2, is_remote=False))


def test_span_that_takes_no_attributes_costs_neither_the_call_nor_its_envelopes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with record_envelopes(tracer_provider=GrudgingProvider()) as envelopes:
        for _ in range(2):
            assert aotel.coat("tool", lambda: "done", name="work")() == "done"
        assert envelopes.kinds == ["agent.tool.call", "agent.tool.result"] * 2
    assert len([record for record in caplog.records if "closed for today" in record.message]) <= 1


def test_where_there_are_no_ids_there_is_nothing_to_say() -> None:
    with record_envelopes(tracer_provider=trace.NoOpTracerProvider()) as envelopes:
        assert aotel.coat("tool", lambda: "done", name="work")() == "done"
        assert envelopes.envelopes == []


def test_what_came_for_a_closed_provider_is_gone_with_it() -> None:
    with record_envelopes(tracer_provider=Closed()):
        pass
    with record_envelopes() as envelopes, aotel.step("work", "tool"):
        pass
    assert envelopes.kinds == ["agent.tool.call", "agent.tool.result"]
