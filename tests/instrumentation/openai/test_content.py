"""What is said to a model and by it: all of it on the span, whatever types the program says it in."""

from __future__ import annotations

import contextlib
import hashlib
import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

import pytest

import aotel
from tests.instrumentation.either import each, got
from tests.instrumentation.openai.clients import SYNC_AND_ASYNC, client_of
from tests.servers.openai_api import Call, OpenAIServer, Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Ended, Recorded

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SOUND = b64encode(b"RIFF" + bytes(range(256)) * 40).decode()
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "says it", "parameters": WEATHER}}


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


def messages(operation: Ended, name: str = "gen_ai.input.messages") -> list[dict[str, Any]]:
    """Return the messages of a span."""
    found: list[dict[str, Any]] = json.loads(operation.attributes[name])
    return found


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_loop_that_appends_what_the_model_said(
    kind: str, streamed: bool, server: OpenAIServer, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, kind, base_url=f"{server.url}/v1")
    asked: list[Any] = [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "Call a tool and think"},
    ]
    answer = await got(client.chat.completions.create(model="m", messages=asked, tools=[TOOL]))
    called = answer.choices[0].message
    asked.append(called)  # an object of the SDK
    asked.append({"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "21 degrees"})
    last = await got(client.chat.completions.create(model="m", messages=asked, tools=[TOOL], stream=streamed))
    if streamed:
        assert [chunk async for chunk in each(last)]
    asked.clear()
    first, second = recorded.operations
    call = {"type": "tool_call", "id": "call_0", "name": "get_weather", "arguments": {"city": "Zürich"}}
    assert call in messages(first, "gen_ai.output.messages")[0]["parts"]
    system, user, assistant, tool = messages(second)
    assert system == {"role": "system", "parts": [{"type": "text", "content": "You are kind."}]}
    assert user["parts"] == [{"type": "text", "content": "Call a tool and think"}]
    assert assistant["role"] == "assistant"
    assert call in assistant["parts"]
    assert tool["role"] == "tool"
    assert tool["parts"] == [{"type": "tool_call_response", "id": "call_0", "response": "21 degrees"}]
    assert messages(second, "gen_ai.output.messages")[0]["parts"] == [
        {"type": "text", "content": "The tool said: 21 degrees"}
    ]
    (definition,) = messages(second, "gen_ai.tool.definitions")
    assert definition["name"] == "get_weather"
    assert definition["parameters"] == WEATHER
    assert first.attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_loop_that_appends_the_items_of_a_response(
    kind: str, streamed: bool, server: OpenAIServer, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, kind, base_url=f"{server.url}/v1")
    tool = {"type": "function", **TOOL["function"], "strict": True}  # type: ignore[dict-item]
    asked: list[Any] = [{"role": "user", "content": "Call a tool and think"}]
    create = client.responses.create
    answer = await got(create(model="m", instructions="Be kind.", input=asked, tools=[tool]))
    asked += answer.output
    call_id = answer.output[-1].call_id
    asked.append({"type": "function_call_output", "call_id": call_id, "output": "21 degrees"})
    last = await got(create(model="m", instructions="Be kind.", input=asked, tools=[tool], stream=streamed))
    if streamed:
        assert [event async for event in each(last)]
    first, second = recorded.operations
    kinds = [part["type"] for message in messages(second) for part in message["parts"]]
    assert "reasoning" in kinds
    assert "tool_call" in kinds
    assert kinds[-1] == "tool_call_response"
    assert "21 degrees" in second.attributes["gen_ai.input.messages"]
    assert "Be kind." in second.attributes["gen_ai.system_instructions"]
    assert "The tool said: 21 degrees" in second.attributes["gen_ai.output.messages"]
    assert first.attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert first.attributes["gen_ai.usage.reasoning.output_tokens"] == 64


class Opaque:
    """Something that no JSON can hold."""

    def __repr__(self) -> str:
        raise AssertionError("nobody asks for it")


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"x": Opaque()}},
        {"extra_body": {"x": Opaque()}},
        {"extra_body": {"messages": Opaque()}},
        {"messages": [{"role": "user", "content": Opaque()}]},
        {"messages": [{"role": "user", "content": [Opaque()]}]},
        {"messages": [{"role": "user", "content": float("nan")}]},
        {"tools": [Opaque()]},
        {"stop": [Opaque()]},
        {"temperature": "hot", "max_tokens": "many", "stop": 7, "n": [], "seed": {}, "response_format": Opaque()},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("capture", ["redacted", "hash", "summary", "raw", "none"])
def test_what_cannot_be_written_costs_no_span(
    more: dict[str, Any], capture: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    arguments = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}
    with aotel.testing.record_spans(capture=capture) as spans:
        with contextlib.suppress(TypeError, ValueError):  # the SDK cannot write it either
            client_of(wire).chat.completions.create(**arguments)
        (span,) = spans.spans
    assert span.name == "chat m"
    assert dict(span.attributes or {})["gen_ai.request.model"] == "m"


def test_audio_is_heard_and_spoken(server: OpenAIServer, wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire, base_url=f"{server.url}/v1")
    more = {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}
    sound = {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}
    asked = [{"role": "user", "content": [{"type": "text", "text": "Say hello"}, sound]}]
    client.chat.completions.create(model="m", messages=asked, **more)
    list(client.chat.completions.create(model="m", messages=asked, stream=True, **more))
    for operation in recorded.operations:
        assert operation.attributes["gen_ai.usage.audio.input_tokens"] == 5
        assert operation.attributes["gen_ai.usage.audio.output_tokens"] == 6
        (answer,) = messages(operation, "gen_ai.output.messages")
        assert "Say hello" in json.dumps(answer)
        assert SOUND[:100] not in str(operation.attributes)
        (_, heard) = messages(operation)[0]["parts"]
        assert heard["modality"] == "audio"
        assert heard["sha256"] == hashlib.sha256(b64decode(SOUND)).hexdigest()


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_several_choices_are_told_apart(
    streamed: bool, server: OpenAIServer, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, base_url=f"{server.url}/v1")
    server.script = Script(tool_calls=[Call("a", '{"x":1}', "one"), Call("b", "no json", "two")])
    answer = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "hi"}], n=2, stream=streamed, tools=[TOOL]
    )
    if streamed:
        list(answer)
    operation = recorded.operation
    for said in messages(operation, "gen_ai.output.messages"):
        assert [(part["name"], part["arguments"]) for part in said["parts"]] == [("a", {"x": 1}), ("b", "no json")]
    assert len(messages(operation, "gen_ai.output.messages")) == 2
    assert operation.attributes["gen_ai.response.finish_reasons"] == ("tool_calls", "tool_calls")
    assert operation.attributes["gen_ai.request.choice.count"] == 2


def test_parameters_are_told(wire: OpenAiWire, recorded: Recorded) -> None:
    client_of(wire).chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "hi"}],
        temperature=0.5,
        top_p=0.9,
        max_completion_tokens=77,
        stop=["one", "two"],
        seed=3,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        service_tier="default",
        reasoning_effort="low",
        extra_body={"top_k": 5},
        extra_headers={"x-mine": "1"},
    )
    attributes = recorded.operation.attributes
    assert {
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 5,
        "gen_ai.request.max_tokens": 77,
        "gen_ai.request.stop_sequences": ("one", "two"),
        "gen_ai.request.seed": 3,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "openai.request.service_tier": "default",
        "openai.response.service_tier": "default",
        "openai.response.system_fingerprint": "fp_1",
        "openai.api.type": "chat_completions",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
    }.items() <= attributes.items()
    assert json.loads(attributes["llm.invocation_parameters"])["reasoning_effort"] == "low"


def test_embeddings_are_counted_and_not_carried(wire: OpenAiWire, recorded: Recorded) -> None:
    client_of(wire).embeddings.create(model="m", input=["one", "two"], encoding_format="float", dimensions=3)
    attributes = recorded.operation.attributes
    assert attributes["gen_ai.embeddings.dimension.count"] == 3
    assert attributes["embedding.embeddings.0.embedding.text"] == "one"
    assert attributes["embedding.embeddings.1.embedding.text"] == "two"
    assert not any("vector" in name for name in attributes)


def test_what_changes_after_the_call_began_is_not_what_was_sent(wire: OpenAiWire, recorded: Recorded) -> None:
    asked: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "before"}]}]
    with client_of(wire).chat.completions.create(model="m", messages=asked, stream=True) as answer:
        asked[0]["content"][0]["text"] = "after"
        asked.append({"role": "user", "content": "more"})
        list(answer)
    assert messages(recorded.operation) == [{"role": "user", "parts": [{"type": "text", "content": "before"}]}]
