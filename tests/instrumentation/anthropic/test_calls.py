"""Every call of every client: one span with the right parent and tokens, and nothing else is different."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import aotel
from aotel.instrumentation import instrument, uninstrument
from tests.instrumentation.anthropic.clients import KINDS, MODEL, WAYS, Kind, create, has
from tests.instrumentation.anthropic.wire import TEXT, TOOL_USE, Wire, says
from tests.instrumentation.either import got
from tests.servers.anthropic_api import overloaded, server_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.recording import Recorded

TOKENS = {
    "gen_ai.usage.input_tokens": 19,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 5,
    "gen_ai.usage.cache_write.input_tokens": 3,
}


def _shown(value: Any) -> str:
    """Return what a value says, without the number of the request."""
    dump = getattr(value, "model_dump_json", None)
    said = dump(warnings=False) if dump is not None else value if isinstance(value, str) else ""
    return re.sub(r"_0*\d\b", "_N", said)


@pytest.mark.parametrize("surface", ["messages", "beta.messages"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_call_is_one_span_and_returns_the_same(
    kind: Kind, way: Callable[[Any], Awaitable[list[Any]]], surface: str, recorded: Recorded, server: Wire
) -> None:
    client = kind.client(server.url)
    messages = client
    for name in surface.split("."):
        messages = getattr(messages, name)
    if not has(messages, way):
        pytest.skip("not in this client")
    uninstrument("anthropic")
    expected = await way(messages)
    recorded.clear()
    instrument("anthropic")
    with aotel.step("around"):
        found = await way(messages)
    assert [type(each) for each in found] == [type(each) for each in expected]
    assert list(map(_shown, found)) == list(map(_shown, expected))
    call, around = recorded.operations
    assert around.span.name == "around"
    assert call.span.name == f"chat {MODEL}"
    assert call.span.parent is not None
    assert call.span.parent.span_id == around.context.span_id
    assert call.outcome == "ok"
    attributes = call.attributes
    assert {name: attributes[name] for name in TOKENS} == TOKENS
    assert attributes["gen_ai.provider.name"] == kind.provider
    assert attributes["gen_ai.response.model"] == f"{MODEL}-20250929"
    assert attributes["gen_ai.response.id"].endswith("00000002")
    assert attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert attributes["aot.request_id"] == "req_000000000000000000000002"
    assert attributes["aot.response.service_tier"] == "standard"
    assert json.loads(attributes["gen_ai.output.messages"])[0]["parts"][1]["content"] == '{"city": "Paris"}'
    assert len(server.requests) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_tool_runner_is_one_span_a_request(kind: Kind, stream: bool, recorded: Recorded, server: Wire) -> None:
    anthropic = pytest.importorskip("anthropic")
    client = kind.client(server.url)
    if not hasattr(client.beta.messages, "tool_runner"):
        pytest.skip("not in this client")
    server.scripts.append(says(TOOL_USE, stop_reason="tool_use"))

    def weather(city: str, days: int) -> str:
        """Tell the weather."""
        return f"Rain in {city}, for {days} days"

    async def weather_async(city: str, days: int) -> str:
        """Tell the weather."""
        return weather(city, days)

    is_async = kind.name.startswith("Async")
    tool = anthropic.beta_async_tool(weather_async, name="weather") if is_async else anthropic.beta_tool(weather)
    request = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "Rain?"}]}
    runner = client.beta.messages.tool_runner(**request, tools=[tool], stream=stream)
    final = await got(runner.until_done())
    assert final.content[-1].text == '{"city": "Paris"}'
    calls = [each for each in recorded.operations if each.attributes["aot.operation"] == "llm"]
    assert [call.attributes["gen_ai.usage.input_tokens"] for call in calls] == [19, 19]
    assert [call.attributes["gen_ai.response.finish_reasons"] for call in calls] == [("tool_use",), ("end_turn",)]
    parts = [part for said in json.loads(calls[1].attributes["gen_ai.input.messages"]) for part in said["parts"]]
    sent = [block for said in server.requests[1].body["messages"][1:] for block in said["content"]]
    # Where the API holds the conversation, only what is new is sent.
    if "thread" not in server.requests[1].body:
        called = {"type": "tool_call", "name": "weather", "id": "toolu_01", "arguments": {"city": "Paris", "days": 2}}
        assert called in parts
        assert len(sent) == 2
    assert parts[-1] == {"type": "tool_call_response", "response": "Rain in Paris, for 2 days", "id": "toolu_01"}
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_retries_are_one_span(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.next(overloaded(), overloaded())
    await create(kind.client(server.url, max_retries=2).messages)
    operation = recorded.operation
    assert operation.attributes["http.request.resend_count"] == 2
    assert operation.attributes["http.response.status_code"] == 200
    assert operation.attributes["gen_ai.usage.input_tokens"] == 19
    assert len(server.requests) == 3


async def test_retries_that_fail_are_counted(recorded: Recorded, server: Wire) -> None:
    server.next(server_error(), server_error())
    with pytest.raises(Exception, match="Internal server error"):
        await create(KINDS[0].client(server.url, max_retries=1).messages)
    assert recorded.operation.attributes["http.request.resend_count"] == 1
    assert recorded.operation.attributes["aot.error.category"] == "api_error"


def test_legacy_completions_are_read(recorded: Recorded, server: Wire) -> None:
    client = KINDS[0].client(server.url)
    if not hasattr(client, "completions"):
        pytest.skip("not in this version")
    request = {"model": MODEL, "max_tokens_to_sample": 10, "prompt": "\n\nHuman: Capital?\n\nAssistant:"}
    client.completions.create(**request)
    assert len(list(client.completions.create(**request, stream=True))) == 2
    for operation in recorded.operations:
        assert operation.span.name == f"text_completion {MODEL}"
        assert operation.attributes["gen_ai.request.max_tokens"] == 10
        assert json.loads(operation.attributes["gen_ai.output.messages"]) == [
            {"role": "assistant", "parts": [{"type": "text", "content": " Capital?"}], "finish_reason": "stop_sequence"}
        ]


def test_what_is_no_model_call_is_no_span(recorded: Recorded, server: Wire) -> None:
    client = KINDS[0].client(server.url)
    if not hasattr(client.messages, "count_tokens"):
        pytest.skip("not in this version")
    client.messages.count_tokens(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    assert [name for name in recorded.names if name.startswith("chat")] == []


def test_program_s_middleware_may_answer_with_something_else(recorded: Recorded, server: Wire) -> None:
    asked = 0

    def twice(request: Any, call_next: Any) -> Any:
        nonlocal asked
        asked += 1
        call_next(request)
        return call_next(request)

    try:
        client = KINDS[0].client(server.url, middleware=[twice])
    except TypeError:
        pytest.skip("not in this version")
    refusal, answer = says(stop_reason="refusal"), says(TEXT)
    server.scripts.extend([refusal, answer, refusal, answer])
    client.messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
    stream = client.messages.create(
        model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "Hi"}], stream=True
    )
    assert [event.type for event in stream][-1] == "message_stop"
    for operation in recorded.operations:
        assert operation.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
        assert operation.attributes["gen_ai.usage.output_tokens"] == 7
    assert asked == 2
    assert len(recorded.operations) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_fallback_after_a_refusal_is_part_of_the_call(stream: bool, recorded: Recorded, server: Wire) -> None:
    middleware = pytest.importorskip("anthropic.lib.middleware", reason="not in this version")
    fallback = middleware.BetaRefusalFallbackMiddleware([{"model": "claude-opus-9"}])
    client = KINDS[0].client(server.url, middleware=[fallback])
    server.scripts.extend([says(stop_reason="refusal"), says(TEXT)])
    request = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    answer = client.beta.messages.create(**request)
    assert [event.type for event in answer][-1] == "message_stop" if stream else answer.stop_reason == "end_turn"
    assert len(server.requests) == 2
    call = recorded.operation
    assert call.outcome == "ok"
    assert call.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert TEXT["text"] in [
        part.get("content") for part in json.loads(call.attributes["gen_ai.output.messages"])[0]["parts"]
    ]
