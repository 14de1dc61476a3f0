"""Anthropic's SDK takes what the server sends, from each of the clouds; it validates it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import amazon_event_stream, anthropic_api
from tests.servers.anthropic_api import AnthropicServer
from tests.servers.http import Request

if TYPE_CHECKING:
    from collections.abc import Iterator

anthropic = pytest.importorskip("anthropic")

CLAUDE = "claude-test-1"
ON_BEDROCK = "eu.anthropic.claude-test-1-v1:0"
CHECKED = {
    "max_retries": 0,
    "_strict_response_validation": int(anthropic.__version__.partition(".")[0]) >= 2,  # older ones know less of it
}
TOOL = {"name": "find", "input_schema": {"type": "object", "properties": {"text": {"type": "string"}}}}


def said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


@pytest.fixture
def anthropic_server() -> Iterator[AnthropicServer]:
    with AnthropicServer() as server:
        yield server


@pytest.fixture
def claude(anthropic_server: AnthropicServer) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=anthropic_server.url, api_key="key", **CHECKED) as client:
        yield client


@pytest.fixture
def bedrock(anthropic_server: AnthropicServer) -> Iterator[Any]:
    pytest.importorskip("boto3")
    keys = {"aws_access_key": "a", "aws_secret_key": "s", "aws_region": "eu-north-1"}
    with anthropic.AnthropicBedrock(base_url=anthropic_server.url, **keys, **CHECKED) as client:
        yield client


def test_message(anthropic_server: AnthropicServer, claude: Any) -> None:
    answer = claude.messages.create(model=CLAUDE, max_tokens=9, messages=said("Grüezi, Zürich"))
    assert answer.content[0].text == "Grüezi, Zürich"
    assert (answer.model, answer.stop_reason) == ("claude-test-1-20250929", "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 10)
    assert (answer.usage.cache_read_input_tokens, answer.usage.cache_creation_input_tokens) == (7, 5)
    assert answer._request_id == f"req_{1:024}"
    claude.beta.messages.create(model=CLAUDE, max_tokens=9, messages=said("Hi"), betas=["some-2026-01-01"])
    assert anthropic_server.requests[1].headers["anthropic-beta"] == "some-2026-01-01"
    assert claude.messages.count_tokens(model=CLAUDE, messages=said("Hi")).input_tokens == 24


def test_streamed_message_is_the_message(claude: Any) -> None:
    request: dict[str, Any] = {"model": CLAUDE, "max_tokens": 9, "messages": said("Think, and call two tools.")}
    request["tools"] = [TOOL]
    whole = claude.messages.create(**request)
    assert [block.type for block in whole.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert (whole.content[2].input, whole.usage.output_tokens) == ({"text": "Zürich"}, 74)
    with claude.messages.stream(**request) as stream:
        final = stream.get_final_message()
    told, meant = ([block.to_dict(exclude_none=True) for block in each.content] for each in (final, whole))
    assert told == meant
    assert (final.stop_reason, final.usage.output_tokens, final.usage.input_tokens) == ("tool_use", 74, 12)


def test_events_of_a_message(anthropic_server: AnthropicServer) -> None:
    request = Request(1, "POST", "/v1/messages", {}, {}, {"model": CLAUDE, "messages": said("Hi"), "stream": True}, b"")
    content = b"".join(piece for piece in anthropic_server.answer(request).body if isinstance(piece, bytes))
    events = [line.removeprefix("event: ") for line in content.decode().splitlines() if line.startswith("event: ")]
    assert events == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("refuse", "refusal"),
        ("run out of tokens", "max_tokens"),
        ("pause your turn", "pause_turn"),
        ("stop early", "stop_sequence"),
    ],
)
def test_stop_reasons(claude: Any, prompt: str, reason: str) -> None:
    request: dict[str, Any] = {"model": CLAUDE, "max_tokens": 9, "messages": said(prompt), "stop_sequences": ["END"]}
    assert claude.messages.create(**request).stop_reason == reason
    with claude.messages.stream(**request) as stream:
        assert stream.get_final_message().stop_reason == reason


async def test_async_anthropic(anthropic_server: AnthropicServer) -> None:
    async with anthropic.AsyncAnthropic(base_url=anthropic_server.url, api_key="key", **CHECKED) as client:
        request: dict[str, Any] = {"model": CLAUDE, "max_tokens": 9, "messages": said("Go slowly")}
        assert (await client.messages.create(**request)).content[0].text == "Go slowly"
        async with client.messages.stream(**request) as stream:
            assert "".join([text async for text in stream.text_stream]) == "Go slowly"


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        (anthropic_api.rate_limited, 429),
        (anthropic_api.quota_exceeded, 400),
        (anthropic_api.payment_required, 402),
        (anthropic_api.context_overflow, 400),
        (anthropic_api.content_filtered, 400),
        (anthropic_api.invalid_request, 400),
        (anthropic_api.unauthorized, 401),
        (anthropic_api.forbidden, 403),
        (anthropic_api.not_found, 404),
        (anthropic_api.too_large, 413),
        (anthropic_api.overloaded, 529),
        (anthropic_api.server_error, 500),
        (anthropic_api.timed_out, 504),
        (anthropic_api.bedrock_throttled, 429),
        (anthropic_api.vertex_exhausted, 429),
    ],
)
def test_errors_of_anthropic(anthropic_server: AnthropicServer, claude: Any, reply: Any, status: int) -> None:
    anthropic_server.next(reply())
    with pytest.raises(anthropic.APIStatusError) as caught:
        claude.messages.create(model=CLAUDE, max_tokens=9, messages=said("Hi"))
    assert caught.value.status_code == status


def test_anthropic_streams_break(claude: Any) -> None:
    request: dict[str, Any] = {"model": CLAUDE, "max_tokens": 9, "stream": True}
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        list(claude.messages.create(messages=said("fail in stream"), **request))
    with pytest.raises(Exception, match=r"peer closed|Connection error"):
        list(claude.messages.create(messages=said("disconnect"), **request))


def test_bedrock(anthropic_server: AnthropicServer, bedrock: Any) -> None:
    request: dict[str, Any] = {"model": ON_BEDROCK, "max_tokens": 9}
    answer = bedrock.messages.create(messages=said("Grüezi"), **request)
    assert (answer.content[0].text, answer.model) == ("Grüezi", "claude-test-1-20250929")
    with bedrock.messages.stream(messages=said("Grüezi, think"), **request) as stream:
        assert stream.get_final_text() == "Grüezi, think"
        assert stream.get_final_message().usage.output_tokens == 74
    assert anthropic_server.requests[1].path == f"/model/{ON_BEDROCK}/invoke-with-response-stream"
    with pytest.raises(Exception, match="throttlingException"):
        list(bedrock.messages.create(messages=said("fail in stream"), stream=True, **request))


async def test_async_bedrock(anthropic_server: AnthropicServer) -> None:
    pytest.importorskip("boto3")
    keys = {"aws_access_key": "a", "aws_secret_key": "s", "aws_region": "eu-north-1"}
    async with (
        anthropic.AsyncAnthropicBedrock(base_url=anthropic_server.url, **keys, **CHECKED) as client,
        client.messages.stream(model=ON_BEDROCK, max_tokens=9, messages=said("Hi")) as stream,
    ):
        assert await stream.get_final_text() == "Hi"


def test_frames_of_the_event_stream() -> None:
    eventstream = pytest.importorskip("botocore.eventstream")
    buffer = eventstream.EventStreamBuffer()
    stream = amazon_event_stream.chunk({"type": "ping"}) + amazon_event_stream.exception("throttlingException", "No")
    for place in range(len(stream)):
        buffer.add_data(stream[place : place + 1])
    event, failure = [message.to_response_dict() for message in buffer]
    assert event["headers"][":event-type"] == "chunk"
    assert json.loads(event["body"])["bytes"] == "eyJ0eXBlIjoicGluZyJ9"
    assert (failure["status_code"], json.loads(failure["body"])) == (400, {"message": "No"})


def test_vertex(anthropic_server: AnthropicServer) -> None:
    pytest.importorskip("google.auth")
    where = {"base_url": f"{anthropic_server.url}/v1", "region": "europe-west1", "project_id": "p"}
    request: dict[str, Any] = {"model": "claude-test-1@20260101", "max_tokens": 9, "messages": said("Hi")}
    with anthropic.AnthropicVertex(**where, access_token="token", **CHECKED) as client:
        answer = client.messages.create(**request)
        assert (answer.model, answer.id) == ("claude-test-1-20260101", "msg_vrtx_00000001")
        with client.messages.stream(**request) as stream:
            assert stream.get_final_text() == "Hi"
    assert anthropic_server.requests[1].path.endswith(
        "/publishers/anthropic/models/claude-test-1@20260101:streamRawPredict"
    )
