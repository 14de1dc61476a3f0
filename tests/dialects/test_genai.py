from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import read, write
from aotel.operation import (
    Agent,
    Document,
    MediaPart,
    Message,
    Operation,
    OtherPart,
    PromptTemplate,
    ReasoningPart,
    RequestParameters,
    Retrieval,
    TextPart,
    Tool,
    ToolCall,
    ToolDefinition,
    ToolResult,
    Usage,
)
from tests.dialects.samples import GENAI_AGENT, GENAI_CHAT, GENAI_OLD, GENAI_RETRIEVAL, GENAI_TOOL, PIXEL
from tests.dialects.strategies import genai_messages, lists


def operation_of(attributes: dict[str, Any]) -> Operation:
    operation = read(attributes)
    assert operation is not None
    return operation


def messages_of(value: object) -> tuple[Message, ...]:
    return operation_of({"gen_ai.input.messages": value}).input_messages


def test_a_chat_is_read_in_full() -> None:
    operation = operation_of(GENAI_CHAT)
    assert (operation.provider, operation.request_model) == ("openai", "gpt-4o")
    assert (operation.response_model, operation.response_id) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert operation.request == RequestParameters(temperature=0.5, max_tokens=50, stop=("END",), seed=7)
    assert operation.usage == Usage(100, 12, None, 64, 16, 8, 4)
    assert operation.finish_reasons == ("tool_calls",)
    assert operation.system_instructions == (TextPart("Be brief."),)
    assert operation.input_messages == (
        Message(
            "user",
            (
                TextPart("Weather here?"),
                MediaPart("image", "image/png", content=PIXEL),
                MediaPart("audio", uri="https://example.com/a.mp3"),
                MediaPart("document", file_id="file-1"),
            ),
        ),
        Message("assistant", (ToolCall("get_weather", "call_1", '{"city": "Rome"}'), TextPart("Let me look."))),
        Message("tool", (ToolResult("call_1", '{"temp": 20}'),)),
    )
    assert operation.output_messages == (
        Message(
            "assistant",
            (ReasoningPart("Paris it is."), ToolCall("get_weather", "call_2", '{"city": "Paris"}')),
            finish_reason="tool_call",
        ),
    )
    assert [definition.name for definition in operation.tool_definitions] == ["get_weather", "web_search"]
    assert operation.tool_definitions[1] == ToolDefinition("web_search", "web_search", others={"max_uses": 3})
    assert operation.prompt == PromptTemplate("weather", "2", variables='{"city":"Paris"}')
    assert operation.session_id == "conv-1"
    assert (operation.server_address, operation.server_port) == ("api.openai.com", 443)
    assert operation.time_to_first_chunk == 0.25


def test_a_tool_an_agent_and_a_search_are_read() -> None:
    assert operation_of(GENAI_TOOL).tool == Tool(
        "get_weather",
        "call_1",
        "function",
        "Weather of a city",
        '{"city": "Paris"}',
        '{"temp": 20}',
    )
    assert operation_of(GENAI_AGENT).agent == Agent("asst_1", "Forecaster", "Tells the weather")
    assert operation_of(GENAI_RETRIEVAL).retrieval == Retrieval(
        "capital of France",
        (Document("7", "Paris", 0.9), Document("9", score=0.1)),
        2,
        "store-1",
    )


def test_earlier_names_are_read_and_todays_written() -> None:
    operation = operation_of(GENAI_OLD)
    assert operation.provider == "openai"
    assert operation.usage == Usage(5, 7, cache_write_tokens=1)
    assert operation.request == RequestParameters(seed=5)
    assert operation.input_messages == (Message("user", (TextPart("Say hi"),)),)
    assert operation.output_messages == (Message("assistant", (TextPart("Hi"),)),)
    attributes = write(operation, ("genai",))
    assert attributes["gen_ai.operation.name"] == "text_completion"
    assert attributes["gen_ai.provider.name"] == "openai"
    assert attributes["gen_ai.usage.input_tokens"] == 5
    assert attributes["gen_ai.usage.cache_write.input_tokens"] == 1
    assert attributes["gen_ai.request.seed"] == 5
    assert not attributes.keys() & GENAI_OLD.keys() - {"gen_ai.operation.name", "gen_ai.request.model"}


@pytest.mark.parametrize(
    ("old", "new"),
    [("az.ai.openai", "azure.ai.openai"), ("vertex_ai", "gcp.vertex_ai"), ("OpenAI", "openai"), ("Ollama", "ollama")],
)
def test_earlier_words_for_a_provider_become_todays(old: str, new: str) -> None:
    assert operation_of({"gen_ai.system": old}).provider == new


def test_structured_attributes_are_read_like_json_text() -> None:
    structured = [{"role": "user", "parts": ({"type": "text", "content": "hi"},)}]
    assert messages_of(structured) == (Message("user", (TextPart("hi"),)),)
    assert operation_of({"gen_ai.tool.name": "f", "gen_ai.tool.call.arguments": {"a": 1}}).tool == Tool(
        "f",
        arguments='{"a":1}',
    )


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ({"type": "text", "text": "hi"}, TextPart("hi")),
        ({"type": "output_text", "text": "hi"}, TextPart("hi")),
        ("hi", TextPart("hi")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, ReasoningPart("hm", signature="s")),
        ({"type": "redacted_thinking", "data": "x"}, ReasoningPart("", data="x")),
        ({"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}}, ToolCall("f", "1", '{"a": 1}')),
        ({"type": "tool_call", "id": "1", "function": {"name": "f", "arguments": ""}}, ToolCall("f", "1", "")),
        ({"type": "tool_result", "tool_use_id": "1", "content": "ok"}, ToolResult("1", "ok")),
        ({"type": "tool_call_response", "id": "1", "result": "ok", "extra": []}, ToolResult("1", "ok")),
        ({"type": "image_url", "image_url": {"url": "https://x/a.png"}}, MediaPart("image", uri="https://x/a.png")),
        ({"type": "image_url", "image_url": "https://x/a.png"}, MediaPart("image", uri="https://x/a.png")),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            MediaPart("image", "image/png", content=PIXEL),
        ),
        (
            {"type": "uri", "modality": "image", "uri": f"data:image/png;base64,{PIXEL}"},
            MediaPart("image", "image/png", content=PIXEL),
        ),
        (
            {"type": "image", "source": {"file_id": "f"}},
            OtherPart("image", '{"type": "image", "source": {"file_id": "f"}}'),
        ),
        ({"type": "refusal", "content": "no"}, OtherPart("refusal", '{"type": "refusal", "content": "no"}')),
        ({"kind": 3}, OtherPart("unknown", '{"kind": 3}')),
    ],
)
def test_parts_of_other_apis_are_read_for_what_they_are(block: object, part: object) -> None:
    # A part of an unknown kind beside it makes sure that the whole conversation is read the lenient way.
    text = json.dumps([{"role": "user", "parts": [block]}, {"role": "user", "parts": [{"type": "novel"}]}])
    assert messages_of(text)[0].parts == (part,)


def test_messages_in_openais_own_shape_are_read() -> None:
    text = json.dumps(
        [
            {"role": "user", "content": "Weather?", "name": "Ann"},
            {"role": "user", "content": [{"type": "text", "text": "Here."}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "ok"},
            5,
            {},
        ],
    )
    assert messages_of(text) == (
        Message("user", (TextPart("Weather?"),), "Ann"),
        Message("user", (TextPart("Here."),)),
        Message("assistant", (ToolCall("f", "1", '{"a": 1}'),)),
        Message("tool", (ToolResult("1", "ok"),)),
    )


@pytest.mark.parametrize("value", ["", "{", "5", "null", "[]", "[[]]", 5, True, b"\xff", {"role": 3}])
def test_what_is_no_conversation_is_none(value: object) -> None:
    assert all(not message.parts for message in messages_of(value))


def test_a_single_message_needs_no_list() -> None:
    assert messages_of('{"role": "user", "content": "hi"}') == (Message("user", (TextPart("hi"),)),)


def test_instructions_may_be_plain_text() -> None:
    plain = operation_of({"gen_ai.operation.name": "chat", "gen_ai.system_instructions": "Be brief."})
    assert plain.system_instructions == (TextPart("Be brief."),)


def test_values_inside_messages_stay_exactly_as_they_came() -> None:
    arguments = '{"precise": 0.10000000000000000001, "big": 123456789012345678901234567890, "spaced":   1}'
    text = f'[{{"role":"a","parts":[{{"type":"tool_call","name":"f","arguments":{arguments}}}]}}]'
    (message,) = messages_of(text)
    assert message.parts == (ToolCall("f", None, arguments),)
    assert arguments in str(write(Operation(op="llm", input_messages=(message,)), ("genai",))["gen_ai.input.messages"])


def test_media_without_its_bytes_says_how_many_they_were() -> None:
    part = MediaPart("image", "image/png", size=42, sha256="ab" * 32)
    attributes = write(Operation(op="llm", input_messages=(Message("user", (part,)),)), ("genai",))
    assert json.loads(str(attributes["gen_ai.input.messages"]))[0]["parts"] == [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "bytes": 42, "sha256": "ab" * 32},
    ]


# What the conventions' JSON schemas ask of messages (semantic-conventions-genai, input and output messages).


def _part(kind: str, **fields: object) -> dict[str, Any]:
    return {"properties": {"type": {"const": kind}, **fields}, "required": ["type", *fields]}


TEXT: dict[str, Any] = {"type": "string"}
KNOWN_PARTS = [
    _part("text", content=TEXT),
    _part("reasoning", content=TEXT),
    _part("tool_call", name=TEXT),
    _part("tool_call_response", response={}),
    _part("uri", modality=TEXT, uri=TEXT),
    _part("file", modality=TEXT, file_id=TEXT),
    _part("blob", modality=TEXT),
]
KNOWN_KINDS = [part["properties"]["type"]["const"] for part in KNOWN_PARTS]
MESSAGES_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "role": TEXT,
            "name": TEXT,
            "finish_reason": TEXT,
            "parts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "anyOf": [*KNOWN_PARTS, {"properties": {"type": {**TEXT, "not": {"enum": KNOWN_KINDS}}}}],
                    "required": ["type"],
                },
            },
        },
        "required": ["role", "parts"],
    },
}


@settings(max_examples=50)
@given(messages=lists(genai_messages, most=3))
def test_messages_follow_the_schema_of_the_conventions(messages: tuple[Message, ...]) -> None:
    attributes = write(Operation(op="llm", input_messages=messages, output_messages=messages), ("genai",))
    for name in ("gen_ai.input.messages", "gen_ai.output.messages"):
        jsonschema.validate(json.loads(str(attributes.get(name, "[]"))), MESSAGES_SCHEMA)


@settings(max_examples=50)
@given(text=st.text())
def test_any_text_is_an_argument_and_comes_back(text: str) -> None:
    call = Message("assistant", (ToolCall("f", "1", text), ToolResult("1", text)))
    attributes = write(Operation(op="llm", output_messages=(call,)), ("genai",))
    assert operation_of(dict(attributes)).output_messages[0].parts == call.parts
