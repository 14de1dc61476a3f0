"""The local server's wire format, as OpenAI's own client reads it; and what it refuses."""

from __future__ import annotations

import http.client
import json
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai
import pytest

from tests.examples.programs import module

if TYPE_CHECKING:
    from collections.abc import Iterator

local_server = module("local_server")
extractive = module("extractive")
TOOLS = module("tools").TOOLS

QUESTION: list[Any] = [
    {"role": "system", "content": "[1] a.md#keys\nKeys are replaced by a marker. The weather is fine today."},
    {"role": "user", "content": "What replaces keys?"},
]
ANSWER = "Keys are replaced by a marker. [1]"
UNREAD: list[Any] = [{"role": "user", "content": "What does a.md say of keys, and what b.md?"}]
OPENS = [("read_document", {"path": "a.md"}), ("read_document", {"path": "b.md"})]


@contextmanager
def _client(server: Any) -> Iterator[openai.OpenAI]:
    http_client = openai.DefaultHttpxClient(trust_env=False)
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0, http_client=http_client) as client:
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with local_server.LocalServer() as running:
        yield running


@pytest.fixture
def client(server: Any) -> Iterator[openai.OpenAI]:
    with _client(server) as connected:
        yield connected


def _ask(client: openai.OpenAI, messages: list[Any] = QUESTION, **options: Any) -> Any:
    return client.chat.completions.create(model=local_server.MODEL, messages=messages, **options)


def _calls(calls: Any) -> list[tuple[str, Any]]:
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def test_answer(client: openai.OpenAI) -> None:
    completion = _ask(client)
    assert completion.id.startswith("chatcmpl-")
    assert completion.object == "chat.completion"
    assert abs(completion.created - time.time()) < 60
    assert completion.model == local_server.MODEL
    (choice,) = completion.choices
    assert (choice.finish_reason, choice.message.role, choice.message.content) == ("stop", "assistant", ANSWER)
    assert choice.message.tool_calls is None
    usage = completion.usage
    assert usage.prompt_tokens > usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_tools_are_asked_for_and_their_results_answered_from(client: openai.OpenAI) -> None:
    (choice,) = _ask(client, UNREAD, tools=TOOLS).choices
    calls = choice.message.tool_calls
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert _calls(calls) == OPENS
    assert len({call.id for call in calls}) == 2
    read = ("[1] a.md#keys\nKeys are replaced by a marker.", "FileNotFoundError: there is no b.md")
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": text} for call, text in zip(calls, read, strict=True)
    ]
    (choice,) = _ask(client, [*UNREAD, choice.message, *results], tools=TOOLS).choices
    assert choice.message.content == ANSWER


def test_no_tool_is_asked_for_where_none_may_be(client: openai.OpenAI) -> None:
    (choice,) = _ask(client, UNREAD, tools=TOOLS, tool_choice="none").choices
    assert choice.message.content == extractive.NO_ANSWER


def test_stream_brings_the_same_answer_word_by_word(client: openai.OpenAI) -> None:
    with _ask(client, stream=True) as stream:
        chunks = list(stream)
    assert {(chunk.object, chunk.model) for chunk in chunks} == {("chat.completion.chunk", local_server.MODEL)}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [chunk.choices[0].delta.content for chunk in chunks[1:-1]]
    assert len(pieces) == len(ANSWER.split())
    assert "".join(pieces) == ANSWER
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_stream_counts_tokens_last_if_it_is_asked_to(client: openai.OpenAI) -> None:
    with _ask(client, stream=True, stream_options={"include_usage": True}) as stream:
        *others, last = stream
    assert last.choices == []
    assert last.usage == _ask(client).usage
    assert all(chunk.usage is None and chunk.choices for chunk in others)


def test_stream_of_tool_calls_is_put_together_by_the_sdk(client: openai.OpenAI) -> None:
    streams = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    with streams(model=local_server.MODEL, messages=UNREAD, tools=TOOLS) as stream:
        (choice,) = stream.get_final_completion().choices
    assert choice.finish_reason == "tool_calls"
    assert _calls(choice.message.tool_calls) == OPENS


async def test_asynchronous_client(server: Any) -> None:
    http_client = openai.DefaultAsyncHttpxClient(trust_env=False)
    asked: dict[str, Any] = {"model": local_server.MODEL, "messages": QUESTION}
    async with openai.AsyncOpenAI(base_url=server.url, api_key="none", http_client=http_client) as client:
        completion = await client.chat.completions.create(**asked)
        chunks = [chunk async for chunk in await client.chat.completions.create(**asked, stream=True)]
    assert completion.choices[0].message.content == ANSWER
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER


def test_answers_have_ids_for_support(client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(model=local_server.MODEL, messages=QUESTION)
    assert str(answer.headers["x-request-id"]).startswith("req_")


@pytest.mark.parametrize("stream", [False, True])
def test_model_that_is_not_there(client: openai.OpenAI, stream: bool) -> None:
    with pytest.raises(openai.NotFoundError, match="gpt-9") as refused:
        client.chat.completions.create(model="gpt-9", messages=QUESTION, stream=stream)
    assert refused.value.code == "model_not_found"
    assert refused.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    "said",
    [
        {"messages": []},
        {"messages": ["hello"]},
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [*QUESTION, {"role": "assistant", "content": 5}]},
        {"messages": [{"role": "assistant", "tool_calls": [{}]}]},
        {"tools": [{}]},
        {"tools": 5},
        {"stream_options": "usage"},
    ],
)
def test_requests_that_are_wrong_are_refused(client: openai.OpenAI, said: dict[str, Any]) -> None:
    with pytest.raises(openai.BadRequestError):
        _ask(client, **{"messages": QUESTION, **said})
    assert _ask(client).choices[0].message.content == ANSWER


def test_other_calls_are_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model=local_server.MODEL, input="hello", encoding_format="float")
    with pytest.raises(openai.NotFoundError):
        client.models.list()


def test_failure_of_the_model_is_an_error_of_the_server() -> None:
    def fail(messages: object, tools: object) -> None:
        raise RuntimeError("out of words")

    failing = pytest.raises(openai.InternalServerError, match="out of words")
    with local_server.LocalServer(fail) as server, _client(server) as client, failing:
        _ask(client)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"no json", 400),
        ({}, b"[" * 100_000, 400),
        ({}, b"[]", 400),
        ({"Content-Length": "9" * 5000}, b"", 413),
        ({"Content-Length": str(local_server.LARGEST + 1)}, b"", 413),
        ({"Content-Length": "-1"}, b"", 413),
    ],
)
def test_what_is_no_request_is_refused(server: Any, headers: dict[str, str], body: bytes, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    connection.request("POST", local_server.PATH, body, headers)
    answer = connection.getresponse()
    assert answer.status == status
    assert json.load(answer)["error"]["type"] == "invalid_request_error"
    connection.close()


def test_client_that_hangs_up_is_no_trouble(capfd: pytest.CaptureFixture[str]) -> None:
    def talk(messages: object, tools: object) -> Any:
        return extractive.Said("word " * 200_000)

    with local_server.LocalServer(talk) as server, _client(server) as client:
        with _ask(client, stream=True) as stream:
            next(iter(stream))
        with _ask(client, stream=True) as stream:
            next(iter(stream))
    assert capfd.readouterr().err == ""


def test_connections_are_bounded() -> None:
    with local_server.LocalServer() as server:
        address = ("127.0.0.1", urlsplit(server.url).port)
        held = [socket.create_connection(address, 20) for _ in range(local_server.CONNECTIONS)]
        with socket.create_connection(address, 20) as refused:
            assert refused.recv(1) == b""
        for connection in held:
            connection.close()
        deadline = time.monotonic() + 20
        while True:
            try:
                with _client(server) as client:
                    assert _ask(client).choices[0].message.content == ANSWER
                break
            except openai.APIConnectionError:  # not all have been seen to be closed
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_nobody_answers_when_it_has_stopped() -> None:
    with local_server.LocalServer() as server:
        pass
    with _client(server) as client, pytest.raises(openai.APIConnectionError):
        _ask(client)
