"""OpenAI's SDK takes what the server sends; where it can, it validates it."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import openai_api
from tests.servers.http import DISCONNECT
from tests.servers.openai_api import OpenAIServer

if TYPE_CHECKING:
    from collections.abc import Iterator

openai = pytest.importorskip("openai")

GPT = "gpt-4o-mini"
CHECKED = {
    "max_retries": 0,
    "_strict_response_validation": int(openai.__version__.partition(".")[0]) >= 3,  # earlier ones know less of the API
}
TOOL = {"name": "find", "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}


def said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


@pytest.fixture
def openai_server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def gpt(openai_server: OpenAIServer) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key", **CHECKED) as client:
        yield client


def test_chat_completion(openai_server: OpenAIServer, gpt: Any) -> None:
    answer = gpt.chat.completions.create(model=GPT, messages=said("Good morning, Zürich"), n=2, service_tier="flex")
    assert [choice.message.content for choice in answer.choices] == ["Good morning, Zürich"] * 2
    assert (answer.model, answer.service_tier) == ("gpt-4o-mini-2024-07-18", "flex")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (19, 10, 29)
    assert answer.usage.prompt_tokens_details.cached_tokens == 4
    assert answer._request_id == f"req_{1:032x}"
    (request,) = openai_server.requests
    assert (request.method, request.path, request.body["n"]) == ("POST", "/v1/chat/completions", 2)
    assert request.headers["authorization"] == "Bearer key"


def test_chat_chunks_count_tokens_on_request_only(gpt: Any) -> None:
    request: dict[str, Any] = {"model": GPT, "messages": said("Good morning"), "stream": True}
    without = list(gpt.chat.completions.create(**request))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in without) == "Good morning"
    assert not any("usage" in chunk.model_fields_set for chunk in without)
    *chunks, last = gpt.chat.completions.create(**request, stream_options={"include_usage": True})
    assert all("usage" in chunk.model_fields_set and chunk.usage is None for chunk in chunks)
    assert (last.choices, last.usage.total_tokens) == ([], 29)


def test_chat_calls_tools_with_reasoning(gpt: Any) -> None:
    request: dict[str, Any] = {"model": GPT, "messages": said("Think, and call two tools.")}
    request["tools"] = [{"type": "function", "function": TOOL}]
    answer = gpt.chat.completions.create(**request)
    assert answer.choices[0].message.reasoning_content
    assert answer.usage.completion_tokens_details.reasoning_tokens == 64
    calls = [call.function for call in answer.choices[0].message.tool_calls]
    assert [(call.name, json.loads(call.arguments)) for call in calls] == [("find", {"text": "Zürich"})] * 2
    pieces: dict[int, str] = {}
    for chunk in gpt.chat.completions.create(**request, stream=True):
        for call in chunk.choices[0].delta.tool_calls or ():
            pieces[call.index] = pieces.get(call.index, "") + call.function.arguments
    assert pieces == {index: call.arguments for index, call in enumerate(calls)}
    request["messages"] += [{"role": "tool", "tool_call_id": "call_0", "content": "rain"}]
    assert gpt.chat.completions.create(**request).choices[0].message.content == "The tool said: rain"


def test_structured_output_fits_its_schema(gpt: Any) -> None:
    shape = {"name": "found", "schema": TOOL["parameters"]}
    chat: dict[str, Any] = {"model": GPT, "messages": said("Bern")}
    answer = gpt.chat.completions.create(**chat, response_format={"type": "json_schema", "json_schema": shape})
    assert json.loads(answer.choices[0].message.content) == {"text": "Bern"}
    answer = gpt.responses.create(model=GPT, input="Bern", text={"format": {"type": "json_schema", **shape}})
    assert json.loads(answer.output_text) == {"text": "Bern"}


@pytest.mark.parametrize(
    ("prompt", "reason"), [("refuse", "stop"), ("run out of tokens", "length"), ("be filtered", "content_filter")]
)
def test_chat_ends(gpt: Any, prompt: str, reason: str) -> None:
    choice = gpt.chat.completions.create(model=GPT, messages=said(prompt)).choices[0]
    assert choice.finish_reason == reason
    assert (choice.message.refusal is not None) == (prompt == "refuse")


def test_chat_speaks(gpt: Any) -> None:
    request: dict[str, Any] = {"model": GPT, "messages": said("Hi"), "modalities": ["text", "audio"]}
    answer = gpt.chat.completions.create(**request)
    assert answer.choices[0].message.audio.transcript == "Hi"
    assert answer.usage.completion_tokens_details.audio_tokens == 6
    chunks = list(gpt.chat.completions.create(**request, stream=True))
    assert chunks[1].choices[0].delta.audio


async def test_async_openai(openai_server: OpenAIServer) -> None:
    async with openai.AsyncOpenAI(base_url=f"{openai_server.url}/v1", api_key="key", **CHECKED) as client:
        answer = await client.chat.completions.create(model=GPT, messages=said("Hi"))
        assert answer.choices[0].message.content == "Hi"
        stream = await client.chat.completions.create(model=GPT, messages=said("Go slowly"), stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Go slowly"
        answer = await client.responses.create(model=GPT, input="Hi")
        assert answer.output_text == "Hi"
        assert openai_server.connections == 1


def test_script_stands_for_what_a_prompt_asks(openai_server: OpenAIServer, gpt: Any) -> None:
    counts = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    openai_server.script = openai_api.Script("Other", usage=counts, message={"reasoning": "as OpenRouter has it"})
    answer = gpt.chat.completions.create(model=GPT, messages=said("Hi"))
    assert (answer.choices[0].message.content, answer.usage.total_tokens) == ("Other", 3)
    chunks = list(gpt.chat.completions.create(model=GPT, messages=said("Hi"), stream=True))
    assert [chunk.choices[0].delta.reasoning for chunk in chunks[1:2]] == ["as OpenRouter has it"]


@pytest.mark.parametrize("deployment", [None, "mine"])
def test_azure(openai_server: OpenAIServer, deployment: str | None) -> None:
    where = {"azure_endpoint": openai_server.url, "azure_deployment": deployment, "api_version": "2025-01-01-preview"}
    request: dict[str, Any] = {"model": "mine", "messages": said("Hi")}
    with openai.AzureOpenAI(**where, api_key="key", max_retries=0) as client:  # its first chunk fits no schema
        answer = client.chat.completions.create(**request)
        assert answer.prompt_filter_results
        first, *_ = client.chat.completions.create(**request, stream=True)
        assert first.choices == []
        assert client.responses.create(model="mine", input="Hi").output_text == "Hi"
    paths = [request.path for request in openai_server.requests]
    assert paths == ["/openai/deployments/mine/chat/completions"] * 2 + ["/openai/responses"]
    assert openai_server.requests[0].headers["api-key"] == "key"
    with openai.OpenAI(base_url=f"{openai_server.url}/openai/v1", api_key="key", **CHECKED) as client:
        assert client.chat.completions.create(**request).prompt_filter_results


def test_openai_on_bedrock_is_not_azure(openai_server: OpenAIServer) -> None:
    if not hasattr(openai, "BedrockOpenAI"):
        pytest.skip("not in this version")
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "s", "aws_region": "eu-north-1"}
    with openai.BedrockOpenAI(base_url=f"{openai_server.url}/openai/v1", **keys, max_retries=0) as client:
        answer = client.chat.completions.create(model="openai.gpt-oss-20b", messages=said("Hi"))
    assert not hasattr(answer, "prompt_filter_results")


def test_embeddings(openai_server: OpenAIServer) -> None:
    with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key") as client:
        packed = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=3)
        plain = client.embeddings.create(model="text-embedding-3-small", input="one", encoding_format="float")
    assert [list(each.embedding) for each in packed.data] == [[0.5, 0.25, 0.125], [1.0, 0.5, 0.25]]
    assert plain.data[0].embedding == [0.5, 0.25, 0.125, 0.0625]
    assert plain.usage.prompt_tokens == 8
    assert openai_server.requests[0].body["encoding_format"] == "base64"


def test_completions_and_models(openai_server: OpenAIServer, gpt: Any) -> None:
    answer = gpt.completions.create(model="davinci", prompt=["One day", "Two"])
    assert [choice.text for choice in answer.choices] == ["One day", "Two"]
    options = {"include_usage": True}
    with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key") as client:  # the chunks fit no schema
        stream = client.completions.create(model="davinci", prompt="One day", stream=True, stream_options=options)
        *chunks, last = stream
    assert "".join(chunk.choices[0].text for chunk in chunks) == "One day"
    assert last.usage.total_tokens == 29
    assert gpt.models.retrieve(GPT).id == gpt.models.list().data[0].id == GPT


def test_response(gpt: Any) -> None:
    tools = [{"type": "function", "strict": True, **TOOL}]
    answer = gpt.responses.create(model=GPT, input=said("Think, and call a tool."), tools=tools, instructions="Briefly")
    assert [item.type for item in answer.output] == ["reasoning", "function_call"]
    assert (answer.instructions, answer.status, answer.usage.total_tokens) == ("Briefly", "completed", 93)
    result = {"type": "function_call_output", "call_id": "call_0", "output": "rain"}
    assert gpt.responses.create(model=GPT, input=[result]).output_text == "The tool said: rain"


def test_events_of_a_response(gpt: Any) -> None:
    events = list(gpt.responses.create(model=GPT, input="I think", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    types = list(dict.fromkeys(event.type.removeprefix("response.") for event in events))
    assert types == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
    ]
    assert events[0].response.usage is None
    told = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(told) == "I think"
    called = [event.type for event in gpt.responses.create(model=GPT, input="call a tool", stream=True)]
    assert "response.function_call_arguments.delta" in called
    refused = [event.type for event in gpt.responses.create(model=GPT, input="refuse", stream=True)]
    assert "response.refusal.done" in refused


@pytest.mark.parametrize(
    ("prompt", "status"),
    [("fail the response", "failed"), ("run out of tokens", "incomplete"), ("be filtered", "incomplete")],
)
def test_responses_that_do_not_complete(gpt: Any, prompt: str, status: str) -> None:
    answer = gpt.responses.create(model=GPT, input=prompt)
    assert answer.status == status
    *_, last = gpt.responses.create(model=GPT, input=prompt, stream=True)
    assert last.type == f"response.{status}"
    assert (last.response.error is not None) == (status == "failed")


def test_response_in_the_background(gpt: Any) -> None:
    queued = gpt.responses.create(model=GPT, input="Hi", extra_body={"background": True})
    assert (queued.status, queued.output) == ("queued", [])
    assert gpt.responses.retrieve(queued.id).output_text == "Hi"
    if "stream" in inspect.signature(gpt.responses.retrieve).parameters:
        events = list(gpt.responses.retrieve(queued.id, stream=True))
        assert events[1].type == "response.queued"
        assert len(list(gpt.responses.retrieve(queued.id, stream=True, starting_after=3))) == len(events) - 4
    with pytest.raises(openai.NotFoundError):
        gpt.responses.retrieve("resp_none")


@pytest.mark.parametrize(
    ("reply", "error", "code"),
    [
        (openai_api.rate_limited, "RateLimitError", "rate_limit_exceeded"),
        (openai_api.quota_exceeded, "RateLimitError", "insufficient_quota"),
        (openai_api.context_overflow, "BadRequestError", "context_length_exceeded"),
        (openai_api.content_filtered, "BadRequestError", "content_filter"),
        (openai_api.invalid_request, "BadRequestError", "invalid_type"),
        (openai_api.unauthorized, "AuthenticationError", "invalid_api_key"),
        (openai_api.forbidden, "PermissionDeniedError", "unsupported_country_region_territory"),
        (openai_api.not_found, "NotFoundError", "model_not_found"),
        (openai_api.too_large, "APIStatusError", None),
        (openai_api.overloaded, "InternalServerError", None),
        (openai_api.server_error, "InternalServerError", None),
    ],
)
def test_errors_of_openai(openai_server: OpenAIServer, gpt: Any, reply: Any, error: str, code: str | None) -> None:
    openai_server.next(reply())
    with pytest.raises(getattr(openai, error)) as caught:
        gpt.chat.completions.create(model=GPT, messages=said("Hi"))
    assert caught.value.code == code
    assert caught.value.request_id == f"req_{1:032x}"


def test_failures_are_retried_then_answered(openai_server: OpenAIServer) -> None:
    openai_server.next(openai_api.rate_limited(), DISCONNECT, openai_api.server_error())
    with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key", max_retries=3) as client:
        assert client.chat.completions.create(model=GPT, messages=said("Hi")).choices
    assert [request.headers["x-stainless-retry-count"] for request in openai_server.requests] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("api", ["chat", "completions", "responses"])
def test_openai_streams_break(openai_server: OpenAIServer, api: str) -> None:
    def stream(prompt: str) -> Iterator[Any]:
        with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key", max_retries=0) as client:
            calls: dict[str, tuple[Any, dict[str, Any]]] = {
                "chat": (client.chat.completions.create, {"messages": said(prompt)}),
                "completions": (client.completions.create, {"prompt": prompt}),
                "responses": (client.responses.create, {"input": prompt}),
            }
            create, messages = calls[api]
            yield from create(model=GPT, stream=True, **messages)

    with pytest.raises(openai.APIError, match="had an error"):
        list(stream("fail in stream, after some words"))
    broken = stream("disconnect after some words")
    assert next(broken)
    with pytest.raises(Exception, match=r"peer closed|Connection error"):
        list(broken)


def test_strict_server_refuses_stream_options() -> None:
    request: dict[str, Any] = {"model": "mistral-small", "messages": said("Hi"), "stream": True}
    with (
        OpenAIServer(strict=True) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="key", **CHECKED) as client,
    ):
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.chat.completions.create(**request, stream_options={"include_usage": True})
        assert "stream_options" in str(caught.value.body)
        *_, last = client.chat.completions.create(**request)
    assert last.choices[0].finish_reason == "stop"
    assert last.usage.total_tokens == 29


def test_page_in_place_of_json(openai_server: OpenAIServer) -> None:
    openai_server.next(openai_api.not_json())
    with openai.OpenAI(base_url=f"{openai_server.url}/v1", api_key="key", max_retries=0) as client:
        answer = client.chat.completions.create(model=GPT, messages=said("Hi"))
    assert "<html>" in answer
