"""Every client, every call, every way to make it: one span, under the right parent, and the program notices nothing."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import aotel
from aotel.instrumentation import instrument, uninstrument
from tests.instrumentation.either import each, entered, got
from tests.instrumentation.openai.clients import (
    APIS,
    CLIENTS,
    HELPERS,
    STREAMED,
    SYNC_AND_ASYNC,
    WAYS,
    Api,
    client_of,
    shown,
    ways_of,
)
from tests.recording import context_of

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Ended, Recorded

CHAT_TOKENS = {
    "gen_ai.usage.input_tokens": 30,
    "gen_ai.usage.output_tokens": 12,
    "gen_ai.usage.cache_read.input_tokens": 16,
    "gen_ai.usage.reasoning.output_tokens": 7,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.audio.output_tokens": 2,
    "llm.token_count.prompt": 30,
    "llm.token_count.completion": 12,
    "llm.token_count.total": 42,
    "llm.token_count.prompt_details.cache_read": 16,
    "llm.token_count.completion_details.reasoning": 7,
}
RESPONSES_TOKENS = {name: value for name, value in CHAT_TOKENS.items() if "audio" not in name}
EMBEDDING_TOKENS = {"gen_ai.usage.input_tokens": 8, "llm.token_count.prompt": 8}


def tokens_of(api: Api) -> dict[str, int]:
    """Return the tokens that the server counts."""
    if "embeddings" in api.path:
        return EMBEDDING_TOKENS
    return RESPONSES_TOKENS if "responses" in api.path else CHAT_TOKENS


def assert_told(operation: Ended, api: Api, provider: str = "openai") -> None:
    """Fail unless a span says all there is to say of a call."""
    span, attributes = operation.span, operation.attributes
    model = "m-2026" if "retrieve" in api.path else "m"
    assert operation.outcome == "ok"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert span.name == (api.operation if "retrieve" in api.path else f"{api.operation} m")
    assert attributes["gen_ai.operation.name"] == api.operation
    assert attributes["gen_ai.provider.name"] == provider
    assert attributes["gen_ai.request.model"] == model
    assert attributes["gen_ai.response.model"] == "m-2026"
    assert attributes["server.address"] == "127.0.0.1"
    assert attributes["http.response.status_code"] == 200
    assert attributes["openinference.span.kind"] == ("EMBEDDING" if "embeddings" in api.path else "LLM")
    assert attributes["aot.request_id"] == "req_1"
    assert tokens_of(api).items() <= attributes.items()


def provider_of(kind: str) -> str:
    """Return who serves the models of a client."""
    return "azure.ai.openai" if any("Azure" in cls.__name__ for cls in CLIENTS[kind].__mro__) else "openai"


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.path)
@pytest.mark.parametrize("kind", CLIENTS)
async def test_every_way_makes_one_span_and_changes_nothing(
    kind: str, api: Api, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, kind)
    uninstrument("openai")
    before: dict[str, Any] = {}
    for way in ways_of(api):
        try:
            before[way] = shown(await WAYS[way](client, api))
        except AttributeError:  # this version has no such view
            continue
    assert not recorded.spans
    instrument("openai")
    for way, expected in before.items():
        recorded.clear()
        with aotel.step("parent"):
            assert shown(await WAYS[way](client, api)) == expected, way
        operation, parent = recorded.operations
        assert_told(operation, api, provider_of(kind))
        assert operation.span.parent is not None
        assert operation.span.parent.span_id == context_of(parent.span).span_id
        if way in STREAMED:
            assert operation.attributes["aot.stream.count"] >= 4, way
            assert operation.attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert before


@pytest.mark.parametrize("api", HELPERS, ids=lambda api: api.path)
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_helpers_that_stream_work_as_before(kind: str, api: Api, wire: OpenAiWire, recorded: Recorded) -> None:
    async def use(client: Any) -> list[Any]:
        final = "get_final_response" if "responses" in api.path else "get_final_completion"
        async with AsyncExitStack() as stack:
            stream = await entered(stack, api.on(client)(**api.arguments))
            events = [event async for event in each(stream)]
            found = [stream, *events, await got(getattr(stream, final)())]
        async with AsyncExitStack() as stack:
            stream = await entered(stack, api.on(client)(**api.arguments))
            assert await got(stream.until_done()) in {stream, None}
        return found

    client = client_of(wire, kind)
    uninstrument("openai")
    expected = shown(await use(client))
    instrument("openai")
    assert shown(await use(client)) == expected
    first, second = recorded.operations
    assert_told(first, api)
    assert_told(second, api)


async def test_what_was_made_before_it_was_patched_counts_once(wire: OpenAiWire, recorded: Recorded) -> None:
    uninstrument("openai")
    client = client_of(wire)
    later = client_of(wire)
    bound = client.chat.completions.create
    raw = client.chat.completions.with_raw_response
    streaming = client.with_streaming_response.chat.completions
    post = client.post
    derived = client.with_options(timeout=7)
    instrument("openai")
    arguments: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    bound(**arguments)
    raw.create(**arguments).parse()
    with streaming.create(**arguments) as answer:
        answer.parse()
    post("/chat/completions", cast_to=object, body=arguments)
    derived.chat.completions.create(**arguments)
    later.chat.completions.create(**arguments)
    client_of(wire).chat.completions.create(**arguments)
    assert recorded.names == ["chat m"] * 7


def test_an_answer_that_is_looked_up_is_no_model_call(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    wire.script(always=lambda exchange: exchange.answer({"id": "resp_1", "object": "response", "output": []}))
    client.responses.retrieve("resp_1")
    client.responses.with_raw_response.retrieve("resp_1").parse()
    client.models.list()
    assert len(wire.requests) == 3
    assert not recorded.spans


def test_the_module_itself_is_a_client(wire: OpenAiWire, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    import openai

    monkeypatch.setattr(openai, "base_url", wire.url)
    monkeypatch.setattr(openai, "api_key", "sk-none")
    openai.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert recorded.names == ["chat m"]
    assert openai._client is not None
    openai._client.close()
    openai._reset_client()
