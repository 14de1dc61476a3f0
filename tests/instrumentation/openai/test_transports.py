"""What is between the SDK and the wire: compression, mocks, and HTTP clients of the program's own."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import openai
import pytest
from openai import _base_client

from tests.instrumentation.openai.clients import CHAT, client_of
from tests.instrumentation.openai.wire import chunks, completion, sse

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import Exchange, OpenAiWire
    from tests.recording import Recorded

# What the SDK itself is built on: httpx, and from version 3 on its successor.
httpx: Any = getattr(_base_client, "httpx2", None) or _base_client.httpx  # type: ignore[attr-defined]
BODY = b"".join(map(sse, [*chunks("Hello", usage=True), "[DONE]"]))


def compressed(exchange: Exchange) -> None:
    """Stream what is compressed, in pieces that know nothing of events."""
    exchange.start(content_encoding="gzip")
    data = gzip.compress(BODY)
    for start in range(0, len(data), 50):
        exchange.write(data[start : start + 50])
    exchange.end()


def test_a_compressed_stream_is_read(wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=compressed)
    client = client_of(wire)
    said = list(client.chat.completions.create(**CHAT, stream=True))
    assert all(chunk.choices for chunk in said)
    with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as answer:
        assert "usage" not in "".join(answer.iter_lines())
    for operation in recorded.operations:
        assert operation.attributes["gen_ai.usage.input_tokens"] == 30
        assert operation.attributes["aot.stream.count"] == 5


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_pieces_of_a_size_are_all_of_it(size: int, wire: OpenAiWire, recorded: Recorded) -> None:
    create = client_of(wire).chat.completions.with_streaming_response.create
    with create(**CHAT, stream=True) as answer:
        said = b"".join(answer.iter_bytes(size))
    assert said == b"".join(map(sse, [*chunks("echo hi"), "[DONE]"]))
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_an_answer_that_was_never_on_a_wire(streamed: bool, recorded: Recorded) -> None:
    def answer(request: Any) -> Any:
        if not json.loads(request.content).get("stream"):
            return httpx.Response(200, json=completion("Hello"))
        return httpx.Response(200, content=BODY, headers={"content-type": "text/event-stream"})

    transport = httpx.MockTransport(answer)
    with openai.OpenAI(api_key="none", http_client=httpx.Client(transport=transport)) as client:
        said: Any = client.chat.completions.create(**CHAT, stream=streamed)
        if streamed:
            assert all(chunk.choices for chunk in said)
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30
    assert recorded.operation.attributes["server.address"] == "api.openai.com"


def test_a_transport_that_fails_in_its_own_way(recorded: Recorded) -> None:
    def fail(request: Any) -> Any:
        raise ZeroDivisionError

    transport = httpx.MockTransport(fail)
    with (
        openai.OpenAI(api_key="none", max_retries=0, http_client=httpx.Client(transport=transport)) as client,
        pytest.raises((ZeroDivisionError, openai.APIConnectionError)) as raised,
    ):
        client.chat.completions.create(**CHAT)
    assert recorded.operation.outcome == "error"
    assert recorded.operation.attributes["error.type"].endswith(type(raised.value).__name__)


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])
def test_a_client_of_the_httpx_before(streamed: bool, wire: OpenAiWire, recorded: Recorded) -> None:
    former: Any = pytest.importorskip("httpx")
    try:
        client = openai.OpenAI(api_key="none", base_url=wire.url, http_client=former.Client(trust_env=False))
    except TypeError as error:
        pytest.skip(str(error))
    with client:
        said: Any = client.chat.completions.create(**CHAT, stream=streamed)
        if streamed:
            assert all(chunk.choices for chunk in said)
        with client.chat.completions.with_streaming_response.create(**CHAT, stream=True) as answer:
            for _ in answer.iter_lines():
                break
    first, second = recorded.operations
    assert first.attributes["gen_ai.usage.input_tokens"] == 30
    assert [first.outcome, second.outcome] == ["ok", "abandoned"]
