"""A model call inside a model call: kind, model, usage and messages are the inner one's, and nothing counts twice."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import coat, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.recording import Recorded

REQUEST: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "model-1",
    "gen_ai.provider.name": "openai",
}
RESPONSE: dict[str, Any] = {
    "gen_ai.response.model": "model-1-0613",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
}
OPENINFERENCE: dict[str, Any] = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "model-1",
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 20,
    "llm.token_count.total": 120,
}


def instrumented_call(*, when: str = "at the start", attributes: dict[str, Any] | None = None) -> str:
    """Do as an SDK's instrumentor does; some say what they are at the start, some only at the end."""
    said = {**REQUEST, **RESPONSE} if attributes is None else attributes
    tracer = trace.get_tracer("instrumentor")
    with tracer.start_as_current_span("chat model-1", attributes=said if when == "at the start" else None) as span:
        if when != "at the start":
            span.set_attributes(said)
    return "answer"


def tokens(span: ReadableSpan) -> dict[str, Any]:
    return {
        name: value
        for name, value in (span.attributes or {}).items()
        if "token_count" in name or "usage" in name or name.startswith("llm.cost")
    }


def kind(span: ReadableSpan) -> object:
    return (span.attributes or {}).get("openinference.span.kind")


@pytest.mark.parametrize("when", ["at the start", "at the end"])
@pytest.mark.parametrize("vocabulary", [None, OPENINFERENCE], ids=["genai", "openinference"])
def test_outer_call_leaves_kind_and_numbers_to_the_inner(
    when: str, vocabulary: dict[str, Any] | None, recorded: Recorded
) -> None:
    @coat("llm")
    def ask(prompt: str) -> str:
        return instrumented_call(when=when, attributes=vocabulary)

    assert ask("question") == "answer"
    inner, outer = recorded.operations
    assert kind(inner.span) == "LLM"
    assert tokens(inner.span)["llm.token_count.prompt"] == 100
    assert kind(outer.span) == "CHAIN"
    assert tokens(outer.span) == {}
    assert (outer.start["kind"], outer.end["kind"]) == ("agent.llm.request", "agent.llm.response")
    assert "llm" not in outer.end["payload"]
    assert inner.end["payload"]["llm"]["input_tokens"] == 100
    for name in ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "gen_ai.operation.name"):
        assert name not in outer.attributes
    assert not [name for name in outer.attributes if "messages" in name]
    assert outer.attributes["input.value"] == '{"prompt":"question"}'


def test_without_an_inner_call_it_stays_a_model_call(recorded: Recorded) -> None:
    @coat("llm")
    def ask(prompt: str) -> str:
        return "answer"

    ask("question")
    operation = recorded.operation
    assert kind(operation.span) == "LLM"
    assert operation.attributes["gen_ai.operation.name"] == "chat"
    assert operation.attributes["llm.input_messages.0.message.content"] == "question"
    assert operation.attributes["llm.output_messages.0.message.content"] == "answer"


@pytest.mark.parametrize("inner", ["tool", "embedding", "retrieval", "agent", None])
def test_inner_operation_of_another_kind_changes_nothing(inner: str | None, recorded: Recorded) -> None:
    @coat("llm")
    def ask() -> str:
        with step("inner", inner):
            return "answer"

    ask()
    assert kind(recorded.operations[1].span) == "LLM"


def test_decorated_calls_nest_too(recorded: Recorded) -> None:
    @coat("llm", name="inner", attributes=RESPONSE)
    def inner() -> str:
        return "answer"

    @coat("llm", name="middle")
    def middle() -> str:
        return inner()

    @coat("llm", name="outer")
    def outer() -> str:
        return middle()

    outer()
    assert {span.name: kind(span) for span in recorded.spans} == {"inner": "LLM", "middle": "CHAIN", "outer": "CHAIN"}
    assert [bool(tokens(span)) for span in recorded.spans] == [True, False, False]


def test_two_instrumentors_of_one_call_count_once(recorded: Recorded) -> None:
    tracer = trace.get_tracer("framework")
    with tracer.start_as_current_span("ChatModel", attributes=REQUEST) as span:
        instrumented_call()
        span.set_attributes(RESPONSE)
    inner, outer = recorded.operations
    assert (kind(inner.span), kind(outer.span)) == ("LLM", "CHAIN")
    assert tokens(outer.span) == {}
    assert "llm" not in outer.end["payload"]


def test_what_lies_between_does_not_matter(recorded: Recorded) -> None:
    @coat("llm", name="ask")
    def ask() -> str:
        with step("attempt"), trace.get_tracer("http").start_as_current_span("POST"):
            return instrumented_call()

    ask()
    assert {span.name: kind(span) for span in recorded.spans} == {
        "chat model-1": "LLM",
        "POST": None,
        "attempt": "CHAIN",
        "ask": "CHAIN",
    }


def test_siblings_are_left_alone(recorded: Recorded) -> None:
    with step("agent", "agent"):
        coat("llm", lambda: "answer", name="first")()
        instrumented_call()
        coat("llm", lambda: "answer", name="second")()
    assert [kind(span) for span in recorded.spans] == ["LLM", "LLM", "LLM", "AGENT"]


def test_inner_call_in_a_thread_counts(recorded: Recorded) -> None:
    @coat("llm", name="ask")
    def ask() -> str:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(instrumented_call).result()

    ask()
    assert kind(recorded.named("ask").span) == "CHAIN"


async def test_parallel_calls_do_not_mix(recorded: Recorded) -> None:
    @coat("llm")
    async def with_inner() -> str:
        await asyncio.sleep(0)
        return instrumented_call()

    @coat("llm")
    async def without() -> str:
        await asyncio.sleep(0)
        return "answer"

    await asyncio.gather(*(fn() for _ in range(5) for fn in (with_inner, without)))
    kinds = {(span.name.rpartition(".")[2], kind(span)) for span in recorded.spans}
    assert kinds == {("with_inner", "CHAIN"), ("without", "LLM"), ("chat model-1", "LLM")}


def test_stream_around_an_instrumented_call(recorded: Recorded) -> None:
    @coat("llm", name="ask")
    def ask() -> Iterator[str]:
        yield instrumented_call()
        yield "more"

    assert list(ask()) == ["answer", "more"]
    assert kind(recorded.named("ask").span) == "CHAIN"


def test_failed_inner_call_still_was_one(recorded: Recorded) -> None:
    @coat("llm", name="ask")
    def ask() -> str:
        with trace.get_tracer("sdk").start_as_current_span("chat", attributes=REQUEST):
            raise ConnectionError("down")

    with pytest.raises(ConnectionError):
        ask()
    inner, outer = recorded.operations
    assert (kind(inner.span), kind(outer.span)) == ("LLM", "CHAIN")
    assert inner.outcome == outer.outcome == "error"
