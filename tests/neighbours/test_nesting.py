"""Which of two spans of one model call counts, where they end in any order, fail, or say late what they are."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, Status, StatusCode

from aotel import coat, step
from aotel.calls import Call, CallSite
from aotel.pipeline import AuditSampler
from aotel.testing import record_envelopes
from tests.recording import recording

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from tests.recording import Recorded


class Dropping(Sampler):
    """Drops spans of a name, whatever becomes of those around them."""

    def __init__(self, name: str) -> None:
        self._name = name

    def should_sample(self, *arguments: Any, **_: Any) -> SamplingResult:
        _, _, name, _, attributes = arguments[:5]
        return SamplingResult(Decision.DROP if name == self._name else Decision.RECORD_AND_SAMPLE, attributes)

    def get_description(self) -> str:
        return "Dropping"


CHAT: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "model-1", "llm.request.type": "chat"}
USAGE: dict[str, Any] = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 20}


def start(name: str, inside: Span | None = None, attributes: dict[str, Any] | None = None) -> Span:
    context = trace.set_span_in_context(inside) if inside is not None else None
    return trace.get_tracer("instrumentor").start_span(name, context, attributes=attributes)


def end(span: Span, attributes: dict[str, Any] | None = None) -> None:
    span.set_attributes(attributes or {})
    span.end()


def counting(recorded: Recorded) -> set[str]:
    """Return the names of the spans with tokens, after a check that they and no others count as model calls."""
    found = {span.name: dict(span.attributes or {}) for span in recorded.spans}
    counted = {name for name, said in found.items() if any("usage" in key or "token_count" in key for key in said)}
    assert counted == {name for name, said in found.items() if said.get("openinference.span.kind") == "LLM"}
    for name, said in found.items():
        signs = {"gen_ai.operation.name", "gen_ai.request.model", "llm.model_name", "llm.request.type"} & set(said)
        assert name in counted or not signs, (name, signs)
    return counted


LATE = pytest.mark.parametrize("outer_late", [True, False], ids=["outer says it late", "outer says it at once"])
LATE_INNER = pytest.mark.parametrize("inner_late", [True, False], ids=["inner late", "inner at once"])


@LATE
@LATE_INNER
def test_inner_counts_where_it_ends_first(outer_late: bool, inner_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    inner = start("inner", outer, None if inner_late else CHAT)
    end(inner, {**CHAT, **USAGE})
    end(outer, {**CHAT, **USAGE})
    assert counting(recorded) == {"inner"}


@LATE
@LATE_INNER
def test_one_counts_where_the_outer_ends_first(outer_late: bool, inner_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    inner = start("inner", outer, None if inner_late else CHAT)
    end(outer, {**CHAT, **USAGE})
    end(inner, {**CHAT, **USAGE})
    assert counting(recorded) == {"outer" if inner_late else "inner"}


@LATE
def test_tokens_stay_where_what_is_inside_never_ends(outer_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    start("inner", outer, CHAT)  # a stream that the program let go of, whose instrumentor did not notice
    recorded.envelopes  # noqa: B018 - waits until nobody else has it
    gc.collect()
    end(outer, {**CHAT, **USAGE})
    assert counting(recorded) == {"outer"}


def test_what_a_sampler_drops_inside_counts_outside() -> None:
    provider = TracerProvider(sampler=AuditSampler(Dropping("inner")), shutdown_on_exit=False)
    exporter = InMemorySpanExporter()
    with record_envelopes(tracer_provider=provider) as envelopes:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("instrumentor")
        outer = tracer.start_span("outer", attributes=CHAT)
        end(tracer.start_span("inner", trace.set_span_in_context(outer), attributes=CHAT), USAGE)
        end(outer, USAGE)
        told = [envelope["payload"].get("llm", {}).get("input_tokens") for envelope in envelopes.envelopes]
    provider.shutdown()
    assert [(span.attributes or {})["llm.token_count.prompt"] for span in exporter.get_finished_spans()] == [100]
    assert [tokens for tokens in told if tokens] == [100]


@LATE
def test_call_that_starts_after_the_one_around_it_ended_is_another(outer_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    end(outer, {**CHAT, **USAGE})
    end(start("inner", outer, CHAT), USAGE)
    assert counting(recorded) == {"outer", "inner"}


@LATE
def test_tokens_stay_where_all_that_is_inside_failed(outer_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    inner = start("inner", outer, CHAT)
    inner.set_status(Status(StatusCode.ERROR, "overloaded"))
    end(inner)  # and the outer asked a provider that nobody instruments
    end(outer, {**CHAT, **USAGE})
    spans = {span.name: dict(span.attributes or {}) for span in recorded.spans}
    assert spans["outer"]["llm.token_count.prompt"] == 100
    assert spans["outer"]["openinference.span.kind"] == "LLM"
    assert "llm.token_count.prompt" not in spans["inner"]


@LATE
def test_second_try_inside_counts(outer_late: bool, recorded: Recorded) -> None:
    outer = start("outer", attributes=None if outer_late else CHAT)
    end(start("first try", outer, CHAT))
    end(start("second try", outer, CHAT), USAGE)
    end(outer, {**CHAT, **USAGE})
    outcome = {span.name: (span.attributes or {}).get("llm.token_count.prompt") for span in recorded.spans}
    assert outcome == {"first try": None, "second try": 100, "outer": None}


def test_three_around_one_another_count_once(recorded: Recorded) -> None:
    outer = start("outer")
    middle = start("middle", outer, CHAT)
    inner = start("inner", middle, CHAT)
    for span in (inner, middle, outer):
        end(span, {**CHAT, **USAGE})
    assert counting(recorded) == {"inner"}


def request_of_ours() -> Call:
    site = CallSite("llm", "ours", attributes={**CHAT, **USAGE}, own=True, kind=SpanKind.CLIENT)
    return Call(site)


@LATE_INNER
@pytest.mark.parametrize("ours_first", [True, False], ids=["ours ends first", "ours ends last"])
def test_ours_counts_whoever_is_around_whom(inner_late: bool, ours_first: bool, recorded: Recorded) -> None:
    outer = start("outer")
    call = request_of_ours()
    inner = start("inner", trace.get_current_span(call.start(trace.set_span_in_context(outer))), None)
    innermost = start("innermost", inner, None if inner_late else CHAT)
    if ours_first:
        call.succeed()
    end(innermost, {**CHAT, **USAGE})
    end(inner, {**CHAT, **USAGE})
    call.succeed()
    end(outer, {**CHAT, **USAGE})
    assert counting(recorded) == {"ours"}


def test_all_that_is_inside_ours_is_ours(recorded: Recorded) -> None:
    call = request_of_ours()
    inner = start("inner", trace.get_current_span(call.start()), CHAT)
    end(start("innermost", inner, CHAT), USAGE)
    end(inner, USAGE)
    call.succeed()
    assert counting(recorded) == {"ours"}


def test_model_that_a_tool_asks_is_another(recorded: Recorded) -> None:
    outer = start("outer", attributes=CHAT)
    with trace.use_span(outer), step("lookup", "tool"):
        end(start("inner", attributes=CHAT), USAGE)
    end(outer, USAGE)
    with_tokens = [span.name for span in recorded.spans if "llm.token_count.prompt" in (span.attributes or {})]
    assert with_tokens == ["inner", "outer"]


@pytest.mark.parametrize("kind", [{"traceloop.span.kind": "tool"}, {"gen_ai.operation.name": "invoke_agent"}])
def test_model_that_is_asked_by_what_says_soon_that_it_is_a_tool(kind: dict[str, str], recorded: Recorded) -> None:
    outer = start("outer", attributes=CHAT)
    tool = start("tool", outer)
    tool.set_attributes(kind)  # as Traceloop's decorators do it
    end(start("inner", start("step between", tool), CHAT), USAGE)
    end(tool)
    end(outer, USAGE)
    with_tokens = [span.name for span in recorded.spans if "llm.token_count.prompt" in (span.attributes or {})]
    assert with_tokens == ["inner", "outer"]


def test_what_is_around_a_call_is_none_in_any_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_DIALECTS", "genai,openinference,openllmetry")
    with recording() as recorded:
        outer = start("outer", attributes=CHAT)
        end(start("inner", outer, CHAT), USAGE)
        end(outer, USAGE)
        assert counting(recorded) == {"inner"}


def test_model_that_an_agent_inside_an_agent_asks_is_another(recorded: Recorded) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent"}
    first = start("first", attributes=agent)
    outer = start("outer", first, CHAT)
    second = start("second", outer, agent)
    end(start("inner", second, CHAT), USAGE)
    for span in (second, outer, first):
        end(span, USAGE if span is outer else None)
    assert recorded.named("second").attributes["aot.operation"] == "delegation"
    with_tokens = [span.name for span in recorded.spans if "llm.token_count.prompt" in (span.attributes or {})]
    assert with_tokens == ["inner", "outer"]


def test_nothing_that_counts_stays_on_what_is_around_a_call(recorded: Recorded) -> None:
    numbers = ("gen_ai.usage.input_tokens", "llm.token_count.prompt", "llm.usage.total_tokens", "llm.cost.total")
    models = [f"{said}.model" for said in ("gen_ai.request", "gen_ai.response")]
    models += [f"{said}.model_name" for said in ("llm", "llm.request", "llm.response", "embedding")]
    words = {"gen_ai.operation.name": "chat", "llm.request.type": "chat"}
    said = {**dict.fromkeys(numbers, 9), **dict.fromkeys(models, "model-1"), **words, "gen_ai.response.id": "kept"}
    outer = start("outer", attributes=CHAT)
    end(start("inner", outer, CHAT), USAGE)
    end(outer, said)
    left = recorded.named("outer").attributes
    assert [name for name in said if name in left] == ["gen_ai.response.id"]
    told = {envelope["payload"]["fn"]: envelope["payload"].get("llm") or {} for envelope in recorded.envelopes}
    assert ("input_tokens" in told["inner"], "input_tokens" in told["outer"]) == (True, False)


def test_agent_that_says_late_what_it_is_keeps_what_it_says(recorded: Recorded) -> None:
    agent = start("agent")
    end(start("inner", agent, CHAT), USAGE)
    end(agent, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", "gen_ai.request.model": "model-1"})
    said = recorded.spans[1].attributes or {}
    assert (said["openinference.span.kind"], said["gen_ai.request.model"]) == ("AGENT", "model-1")


def test_embeddings_count_once_too(recorded: Recorded) -> None:
    said = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "model-1", "gen_ai.usage.input_tokens": 7}
    outer = start("outer", attributes=said)
    end(start("inner", outer, said))
    end(outer)
    kinds = {span.name: (span.attributes or {}).get("openinference.span.kind") for span in recorded.spans}
    assert kinds == {"inner": "EMBEDDING", "outer": "CHAIN"}
    assert "gen_ai.usage.input_tokens" not in (recorded.spans[1].attributes or {})


def test_embedding_inside_a_model_call_is_another_operation(recorded: Recorded) -> None:
    outer = start("outer")
    end(start("inner", outer, {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 7}))
    end(outer, {**CHAT, **USAGE})
    assert (recorded.spans[1].attributes or {})["gen_ai.usage.input_tokens"] == 100


def test_nothing_of_ended_calls_is_kept(recorded: Recorded) -> None:
    from aotel.pipeline import spans

    worker = start("a span that lives as long as the program")
    for _ in range(3):
        end(start("inner", worker, CHAT), USAGE)
    recording = spans.recording_of(worker)
    assert recording is not None
    assert recording.inner is not None
    assert not recording.inner["llm"].open
    worker.end()


@pytest.mark.parametrize(
    "kind", ["GraphInterrupt", "langgraph.errors.NodeInterrupt", "langgraph.errors.GraphInterrupt"]
)
@pytest.mark.parametrize("status", [StatusCode.ERROR, StatusCode.OK, StatusCode.UNSET])
def test_pause_of_another_instrumentor_is_no_error(kind: str, status: StatusCode, recorded: Recorded) -> None:
    span = start("node", attributes={"openinference.span.kind": "TOOL", "error.type": kind})
    span.add_event("exception", {"exception.type": kind, "exception.message": "(Interrupt(value='may I?'),)"})
    span.set_status(status)
    span.end()
    ended = recorded.operation
    assert ended.outcome == ended.attributes["aot.outcome"] == "paused"
    assert ended.span.status.status_code is (StatusCode.UNSET if status is StatusCode.ERROR else status)
    assert "error.type" not in ended.attributes


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("CancelledError", "cancelled"),
        ("asyncio.exceptions.CancelledError", "cancelled"),
        ("concurrent.futures._base.CancelledError", "cancelled"),
        ("trio.Cancelled", "cancelled"),
        ("GeneratorExit", "abandoned"),
        ("KeyboardInterrupt", "interrupted"),
    ],
)
@pytest.mark.parametrize("word", ["", "_OTHER", "500"])
def test_other_ends_that_are_no_errors(kind: str, outcome: str, word: str, recorded: Recorded) -> None:
    span = start("node", attributes={"openinference.span.kind": "CHAIN", "error.type": word})
    span.add_event("exception", {"exception.type": kind})
    span.set_status(StatusCode.ERROR, kind)
    span.end()
    assert recorded.operation.outcome == outcome


def test_what_was_caught_inside_ended_nothing(recorded: Recorded) -> None:
    span = start("node", attributes={"openinference.span.kind": "CHAIN"})
    span.add_event("exception", {"exception.type": "CancelledError"})
    span.end()
    assert recorded.operation.outcome == "ok"


@pytest.mark.parametrize("kind", ["mine.GraphInterrupt", "ValueError", "Cancelled", ""])
def test_error_stays_one(kind: str, recorded: Recorded) -> None:
    span = start("node", attributes={"openinference.span.kind": "CHAIN"})
    span.add_event("exception", {"exception.type": kind})
    span.set_status(StatusCode.ERROR)
    span.end()
    assert recorded.operation.outcome == "error"


def test_call_with_a_model_call_inside_still_says_what_it_is_given(recorded: Recorded) -> None:
    @coat("llm", name="ask")
    def ask(prompt: str) -> str:
        end(start("inner", attributes=CHAT), USAGE)
        return "answer"

    ask("question")
    assert counting(recorded) == {"inner"}
    assert recorded.named("ask").attributes["input.value"] == '{"prompt":"question"}'
