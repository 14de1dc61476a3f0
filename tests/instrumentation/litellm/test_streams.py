"""Streams of litellm: read to the end, left, broken, closed, lost; with tokens that nobody asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aotel.instrumentation import uninstrument
from tests.instrumentation.litellm.functions import MESSAGES, ROWS, called, collected
from tests.instrumentation.litellm.wire import TEXT

if TYPE_CHECKING:
    from tests.instrumentation.litellm.functions import Row
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded

MODEL = "openai/gpt-4o-mini"
STREAMING = {name: row for name, row in ROWS.items() if row.streams}


@pytest.mark.parametrize("row", STREAMING.values(), ids=STREAMING.keys())
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
async def test_abandoned_stream_ends_its_span(
    row: Row, prefix: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    stream = getattr(litellm, prefix + row.function)(**row.arguments, **row.options(server), stream=True)
    if prefix:
        stream = await stream
        await stream.__anext__()
    else:
        next(stream)
    del stream
    call = await collected(recorded)
    assert call.outcome == "abandoned"
    assert call.attributes["aot.stream.count"] == 1


async def test_unread_stream_ends_its_span(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    litellm.completion(MODEL, MESSAGES, stream=True, **server.openai)
    assert (await collected(recorded)).outcome == "abandoned"


async def test_abandoned_stream_keeps_what_came(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    stream = await litellm.acompletion(MODEL, MESSAGES, stream=True, **server.openai)
    said = ""
    async for chunk in stream:
        said += chunk.choices[0].delta.content or ""
        if said == "Hello":
            break
    del stream, chunk
    assert (await collected(recorded)).attributes["output.value"] == "Hello"


async def test_stream_that_is_left_at_its_last_chunk_is_whole(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    stream = litellm.completion(MODEL, MESSAGES, stream=True, **server.openai)
    for chunk in stream:
        if chunk.choices[0].finish_reason:
            break
    del stream, chunk
    call = await collected(recorded)
    assert call.outcome == "ok"
    assert call.attributes["output.value"] == TEXT


async def test_closed_stream_ends_its_span(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    if not hasattr(litellm.CustomStreamWrapper, "close"):
        pytest.skip("streams of this version cannot be closed")
    stream = litellm.completion(MODEL, MESSAGES, stream=True, **server.openai)
    next(stream)
    stream.close()
    assert recorded.operation.outcome == "abandoned"
    stream = await litellm.acompletion(MODEL, MESSAGES, stream=True, **server.openai)
    await stream.__anext__()
    await stream.aclose()
    assert [call.outcome for call in recorded.operations] == ["abandoned"] * 2


@pytest.mark.parametrize("name", ["completion", "acompletion"])
async def test_torn_stream_is_an_error(name: str, litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    with pytest.raises(Exception, match=r"(?i)connection|peer|incomplete"):
        await called(litellm, name, "openai/torn", MESSAGES, stream=True, **server.openai)
    call = recorded.operation
    assert call.outcome == "error"
    assert call.attributes["aot.error.category"] == "stream_error"
    assert call.attributes["output.value"] == "Hello"
    assert "http.response.status_code" not in call.attributes


async def test_cancelled_stream(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    stream = await litellm.acompletion(MODEL, MESSAGES, stream=True, **server.openai)
    await stream.__anext__()

    async def never(*_: object) -> None:
        await asyncio.sleep(60)

    stream.completion_stream = type("Stuck", (), {"__aiter__": lambda self: self, "__anext__": never})()
    task = asyncio.ensure_future(stream.__anext__())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorded.operation.outcome == "cancelled"


@pytest.mark.parametrize("name", ["completion", "acompletion", "text_completion", "atext_completion"])
async def test_usage_is_asked_for_and_hidden(
    name: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    arguments = ROWS[name.removeprefix("a")].arguments
    chunks = await called(litellm, name, **arguments, **server.openai, stream=True)
    assert server.requests[0]["stream_options"] == {"include_usage": True}
    assert all(chunk.choices for chunk in chunks)
    assert not any(getattr(getattr(chunk, "usage", None), "total_tokens", 0) for chunk in chunks)
    assert recorded.operation.attributes["gen_ai.usage.output_tokens"] == 5


@pytest.mark.parametrize("name", ["completion", "acompletion", "text_completion", "atext_completion"])
async def test_usage_that_the_program_asks_for_is_shown(
    name: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    arguments = ROWS[name.removeprefix("a")].arguments
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = await called(litellm, name, **arguments, **server.openai, **asked)
    assert [chunk.usage.completion_tokens for chunk in chunks if getattr(chunk, "usage", None)] == [5]
    assert recorded.operation.attributes["gen_ai.usage.output_tokens"] == 5


async def test_usage_that_the_program_declines_is_not_asked_for(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": False}}
    await called(litellm, "completion", MODEL, MESSAGES, **server.openai, **asked)
    assert server.requests[0]["stream_options"] == {"include_usage": False}
    assert "gen_ai.usage.output_tokens" not in recorded.operation.attributes


async def test_server_that_refuses_the_option_is_asked_without(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    for _ in range(2):
        await called(litellm, "acompletion", "openai/strict", MESSAGES, stream=True, **server.openai)
    assert ["stream_options" in request for request in server.requests] == [True, False, False]
    assert [call.outcome for call in recorded.operations] == ["ok", "ok"]


async def test_streams_that_run_at_once_are_told_apart(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    async def ask(model: str) -> None:
        await called(litellm, "acompletion", model, MESSAGES, stream=True, **server.openai)

    await asyncio.gather(*[ask(f"openai/gpt-{number}") for number in range(5)])
    assert {call.attributes["gen_ai.request.model"] for call in recorded.operations} == {f"gpt-{n}" for n in range(5)}
    assert all(call.attributes["output.value"] == TEXT for call in recorded.operations)


async def test_open_stream_is_recorded_to_its_end_when_instrumentation_goes(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    stream = litellm.completion(MODEL, MESSAGES, stream=True, **server.openai)
    next(stream)
    uninstrument("litellm", "openai")
    assert list(stream)
    del stream
    call = await collected(recorded)
    assert call.attributes["output.value"] == TEXT
    assert call.outcome == "ok"


async def test_complete_response_is_put_together_by_litellm(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    answer = litellm.completion(MODEL, MESSAGES, stream=True, complete_response=True, **server.openai)
    assert answer.choices[0].message.content == TEXT
    assert recorded.operation.attributes["output.value"] == TEXT
