from __future__ import annotations

from typing import Any

import pytest

from aotel.dialects import read, write
from aotel.operation import (
    Document,
    Embeddings,
    MediaPart,
    Message,
    Operation,
    OtherPart,
    PromptTemplate,
    ReasoningPart,
    RequestParameters,
    Reranking,
    Retrieval,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)
from tests.dialects import samples
from tests.dialects.samples import PIXEL


def operation_of(attributes: dict[str, Any]) -> Operation:
    operation = read(attributes)
    assert operation is not None
    return operation


def messages_of(**attributes: object) -> tuple[Message, ...]:
    named = {f"llm.input_messages.{name}": value for name, value in attributes.items()}
    return operation_of(named).input_messages


def test_a_chat_is_read_in_full() -> None:
    operation = operation_of(samples.OPENINFERENCE_CHAT)
    assert operation.op == "llm"
    assert operation.provider == "openai"
    assert (operation.request_model, operation.response_model) == ("gpt-4o", "gpt-4o-2024-08-06")
    assert operation.request == RequestParameters(max_tokens=50, stop=("END",), seed=7, others={"user": "u-1"})
    assert operation.usage == Usage(100, 12, None, 64, None, 8)
    assert operation.finish_reasons == ("stop",)
    assert operation.input_messages == (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Weather here?"), MediaPart("image", "image/png", content=PIXEL))),
        Message("assistant", (TextPart("Let me look."), ToolCall("get_weather", "call_1", '{"city": "Rome"}'))),
        Message("tool", (ToolResult("call_1", '{"temp": 20}'),)),
    )
    assert operation.output_messages == (Message("assistant", (TextPart("20 degrees."),)),)
    assert operation.tool_definitions[0].name == "get_weather"
    assert operation.input_mime_type == "application/json"


def test_thoughts_calls_and_unknown_contents_keep_their_order_and_their_words() -> None:
    (message,) = operation_of(samples.OPENINFERENCE_THINKING).output_messages
    assert message.parts == (
        ReasoningPart("A tool would know.", signature="sig-1"),
        ToolCall("get_weather", "toolu_1", '{"city": "Paris"}'),
        OtherPart("web_search_tool_result", '{"type": "web_search_tool_result", "n": 0}'),
        OtherPart("fallback", '{"type":"fallback","content":"opus -> sonnet"}'),
    )


def test_a_search_a_reranking_and_an_embedding_are_read() -> None:
    search = operation_of(samples.OPENINFERENCE_RETRIEVER)
    assert search.retrieval == Retrieval(
        "capital of France",
        (Document("7", "Paris is the capital.", 0.9, '{"page": 3}'), Document(content="Lyon is not.")),
    )
    assert (search.session_id, search.metadata, search.tags) == ("s-1", '{"thread": "t-1"}', ("a", "b"))
    reranking = operation_of(samples.OPENINFERENCE_RERANKER)
    assert reranking.reranking == Reranking(
        "capital",
        1,
        (Document(content="Lyon"), Document(content="Paris")),
        (Document(content="Paris", score=0.99),),
    )
    assert reranking.request_model == "rerank-3"
    embedding = operation_of(samples.OPENINFERENCE_EMBEDDING)
    assert embedding.embeddings == Embeddings(("hello", "world"), 2, 3)
    assert embedding.request == RequestParameters(encoding_formats=("base64",))
    assert embedding.usage == Usage(3, None, 3)


def test_a_schema_in_the_place_of_the_arguments_is_not_taken_for_them() -> None:
    operation = operation_of(samples.OPENINFERENCE_TOOL)
    assert operation.tool == Tool("get_weather", description="Weather of a city")
    genai = write(operation, ("genai",))
    assert genai["gen_ai.tool.call.arguments"] == '{"city": "Paris"}'
    assert genai["gen_ai.tool.call.result"] == "20 degrees"


def test_arguments_in_their_place_are_arguments() -> None:
    attributes = {
        "openinference.span.kind": "TOOL",
        "tool.name": "f",
        "tool.parameters": '{"type": "x"}',
        "tool.id": "1",
    }
    assert operation_of(attributes).tool == Tool("f", "1", arguments='{"type": "x"}')


def test_a_decision_model_is_named_like_any_other() -> None:
    operation = operation_of(samples.OPENINFERENCE_DECISION)
    assert (operation.op, operation.kind_override) == ("decision", "DECISION")
    assert (operation.request_model, operation.response_model) == ("jev-latest", "jev-2")
    assert operation.provider == "typesafe"
    written = write(operation, ("openinference",))
    assert written["decision.model_name"] == "jev-2"
    assert written["decision.request.model_name"] == "jev-latest"


def test_a_json_input_of_a_retriever_is_no_query() -> None:
    attributes = {"openinference.span.kind": "RETRIEVER", "input.value": '{"query": "x"}'}
    assert operation_of(attributes).retrieval is None


def test_text_completions_are_messages() -> None:
    operation = operation_of(
        {
            "openinference.span.kind": "LLM",
            "llm.prompts.0.prompt.text": "Say hi",
            "llm.choices.0.completion.text": "Hi",
            "llm.choices.1.completion.text": "Hello",
        },
    )
    assert operation.input_messages == (Message("user", (TextPart("Say hi"),)),)
    assert [message.text for message in operation.output_messages] == ["Hi", "Hello"]


def test_messages_and_documents_in_one_json_text_are_read() -> None:
    operation = operation_of(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages": '[{"role": "user", "content": "hi"}]',
            "retrieval.documents": '[{"id": "1"}]',
        },
    )
    assert operation.input_messages == (Message("user", (TextPart("hi"),)),)
    assert operation.retrieval == Retrieval(documents=(Document("1"),))


def test_the_function_calls_of_old_are_tool_calls() -> None:
    (message,) = messages_of(
        **{
            "0.message.role": "assistant",
            "0.message.function_call_name": "f",
            "0.message.function_call_arguments_json": "{}",
        },
    )
    assert message.parts == (ToolCall("f", None, "{}"),)


def test_a_message_that_says_no_role_has_the_one_of_its_place() -> None:
    operation = operation_of(
        {"llm.input_messages.0.message.content": "a", "llm.output_messages.0.message.content": "b"},
    )
    assert (operation.input_messages[0].role, operation.output_messages[0].role) == ("user", "assistant")


def test_a_text_that_stands_twice_is_said_once() -> None:
    (message,) = messages_of(
        **{
            "0.message.role": "user",
            "0.message.content": "hi",
            "0.message.contents.0.message_content.type": "text",
            "0.message.contents.0.message_content.text": "hi",
        },
    )
    assert message.parts == (TextPart("hi"),)


def test_each_tool_result_becomes_a_message_of_its_own() -> None:
    both = Message("user", (ToolResult("1", "one"), TextPart("and?"), ToolResult("2", "two")))
    attributes = write(Operation(op="llm", input_messages=(both,)), ("openinference",))
    assert operation_of(dict(attributes)).input_messages == (
        Message("tool", (ToolResult("1", "one"),)),
        Message("tool", (ToolResult("2", "two"),)),
        Message("user", (TextPart("and?"),)),
    )


AUDIO = MediaPart("audio", "audio/mpeg", uri="https://example.com/a.mp3", transcript="hello")


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        (MediaPart("image", uri="https://x/a.png"), "message_content.image.image.url", "https://x/a.png"),
        (
            MediaPart("image", "image/png", size=42, sha256="ab"),
            "message_content.image.image.url",
            "data:image/png;bytes=42;sha256=ab,",
        ),
        (AUDIO, "message_content.audio.audio.transcript", "hello"),
        (AUDIO, "message_content.audio.audio.mime_type", "audio/mpeg"),
        (MediaPart("video", uri="https://x/a.mp4"), "message_content.video.video.url", "https://x/a.mp4"),
        (
            MediaPart("document", "application/pdf", uri="https://x/a.pdf"),
            "message_content.document.document.mime_type",
            "application/pdf",
        ),
        (
            MediaPart("image", file_id="f-1"),
            "message_content.text",
            '{"type":"file","modality":"image","file_id":"f-1"}',
        ),
    ],
)
def test_media_is_written_by_reference_and_read_again(part: MediaPart, name: str, value: str) -> None:
    message = Message("user", (part, TextPart("look")))
    attributes = write(Operation(op="llm", input_messages=(message,)), ("openinference",))
    assert attributes[f"llm.input_messages.0.message.contents.0.{name}"] == value
    assert operation_of(dict(attributes)).input_messages == (message,)


def test_prompt_templates_and_tags_are_written_under_their_names() -> None:
    prompt = PromptTemplate("greet", "2", "Hi {who}", '{"who":"Ann"}')
    attributes = write(Operation(op="llm", prompt=prompt, tags=("a",), metadata="{}"), ("openinference",))
    assert attributes["llm.prompt_template.template"] == "Hi {who}"
    assert attributes["llm.prompt_template.variables"] == '{"who":"Ann"}'
    assert attributes["llm.prompt_template.version"] == "2"
    assert attributes["prompt.id"] == "greet"
    assert attributes["tag.tags"] == ("a",)
    assert attributes["metadata"] == "{}"


@pytest.mark.parametrize(
    ("parameters", "request_parameters"),
    [
        ('{"max_completion_tokens": 5}', RequestParameters(max_tokens=5)),
        ('{"stop": "END", "n": 2}', RequestParameters(stop=("END",), choice_count=2)),
        ('{"temperature": "warm"}', RequestParameters(others={"temperature": "warm"})),
        (
            '{"max_tokens": 1, "max_completion_tokens": 2}',
            RequestParameters(max_tokens=1, others={"max_completion_tokens": 2}),
        ),
        (
            '{"response_format": {"type": "json_schema"}}',
            RequestParameters(output_type="json", others={"response_format": {"type": "json_schema"}}),
        ),
        ({"seed": 3}, RequestParameters(seed=3)),
        ("[]", None),
        ("{", None),
    ],
)
def test_parameters_in_any_providers_words_are_understood(
    parameters: object,
    request_parameters: RequestParameters | None,
) -> None:
    assert operation_of({"llm.invocation_parameters": parameters}).request == request_parameters
