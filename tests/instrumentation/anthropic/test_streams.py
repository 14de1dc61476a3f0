"""Streams that end in another way than well: the span says how, and what was seen until then."""

from __future__ import annotations

import asyncio
import gc
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from aotel.instrumentation import uninstrument
from tests.instrumentation.anthropic.clients import KINDS, MODEL, REQUEST, Kind
from tests.instrumentation.anthropic.wire import TEXT, THINKING, TOOL_USE, Wire, failing_stream, says
from tests.instrumentation.either import each, entered, got
from tests.servers.anthropic_api import overloaded

if TYPE_CHECKING:
    from tests.recording import Ended, Recorded

_BY_NAME = {kind.name: kind for kind in KINDS}
SYNC, ASYNC = _BY_NAME["Anthropic"], _BY_NAME["AsyncAnthropic"]
BROKEN_OFF = says(THINKING, TEXT, ending="error")

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
both_kinds = pytest.mark.parametrize("kind", [SYNC, ASYNC], ids=lambda kind: kind.name)


def _output(call: Ended) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call.attributes["gen_ai.output.messages"])[0]["parts"]
    return found


async def _opened(kind: Kind, server: Wire) -> Any:
    return await got(kind.client(server.url).messages.create(**REQUEST, stream=True))


async def _first(stream: Any, count: int) -> list[Any]:
    """Return the first events of a stream, and leave it open."""
    if hasattr(stream, "__anext__"):
        return [await stream.__anext__() for _ in range(count)]
    return [next(stream) for _ in range(count)]


@every_kind
async def test_early_break_is_abandoned(kind: Kind, recorded: Recorded, server: Wire) -> None:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, await _opened(kind, server))
        async for event in each(stream):
            if event.type == "content_block_delta":
                break
    call = recorded.operation
    assert call.outcome == "abandoned"
    assert call.attributes["gen_ai.usage.input_tokens"] == 19
    # What the first event says of the output is no number yet.
    assert "gen_ai.usage.output_tokens" not in call.attributes
    assert _output(call)[0]["type"] == "reasoning"
    assert _output(call)[0]["content"] == "France."


@both_kinds
async def test_stream_helper_that_is_left_early_is_abandoned(kind: Kind, recorded: Recorded, server: Wire) -> None:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, kind.client(server.url).messages.stream(**REQUEST))
        async for text in each(stream.text_stream):
            assert text
            break
    assert recorded.operation.outcome == "abandoned"


async def test_break_at_the_last_event_is_an_answer(recorded: Recorded, server: Wire) -> None:
    for event in SYNC.client(server.url).messages.create(**REQUEST, stream=True):
        if event.type == "message_stop":
            break
    del event
    gc.collect()
    call = recorded.operation
    assert call.outcome == "ok"
    assert call.attributes["gen_ai.usage.output_tokens"] == 7


@every_kind
async def test_error_before_the_stream(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.next(overloaded())
    with pytest.raises(Exception, match="Overloaded"):
        await _opened(kind, server)
    call = recorded.operation
    assert call.outcome == "error"
    assert call.attributes["aot.error.category"] == "overloaded"
    assert call.attributes["http.response.status_code"] == 529


@every_kind
async def test_error_in_the_stream(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.scripts.append(BROKEN_OFF)
    stream = await _opened(kind, server)
    with pytest.raises(Exception, match=r"Overloaded|Too many requests"):
        await _first(stream, 99)
    call = recorded.operation
    assert call.outcome == "error"
    # Bedrock's frame is one of a limit, of which older versions make an error without a type.
    assert call.attributes["aot.error.category"] in {"overloaded", "rate_limit", "stream_error"}
    assert call.attributes["gen_ai.usage.input_tokens"] == 19
    assert _output(call)[0]["content"] == "France. Its capital."


async def test_nameless_error_in_the_stream(recorded: Recorded, server: Wire) -> None:
    server.next(failing_stream("api_error", "Oops"))
    with pytest.raises(Exception, match="Oops"):
        list(SYNC.client(server.url).messages.create(**REQUEST, stream=True))
    assert recorded.operation.attributes["aot.error.category"] == "stream_error"


@both_kinds
async def test_error_that_only_the_wire_tells(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.scripts.append(BROKEN_OFF)
    messages = kind.client(server.url).messages
    async with AsyncExitStack() as stack:
        response = await entered(stack, messages.with_streaming_response.create(**REQUEST, stream=True))
        _ = [line async for line in each(response.iter_lines())]
    call = recorded.operation
    assert call.outcome == "error"
    assert call.attributes["aot.error.category"] == "overloaded"
    assert _output(call)[0]["content"] == "France. Its capital."


@both_kinds
async def test_error_of_the_loop_is_not_the_stream_s(kind: Kind, recorded: Recorded, server: Wire) -> None:
    async def loop() -> None:
        async with AsyncExitStack() as stack:
            stream = await entered(stack, await _opened(kind, server))
            async for _ in each(stream):
                raise LookupError("mine")

    with pytest.raises(LookupError):
        await loop()
    assert recorded.operation.outcome == "abandoned"


@both_kinds
async def test_error_after_the_stream_changes_nothing(kind: Kind, recorded: Recorded, server: Wire) -> None:
    async def loop() -> None:
        async with AsyncExitStack() as stack:
            stream = await entered(stack, await _opened(kind, server))
            _ = [event async for event in each(stream)]
            raise LookupError("mine")

    with pytest.raises(LookupError):
        await loop()
    assert recorded.operation.outcome == "ok"


@every_kind
async def test_server_that_hangs_up(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.scripts.append(replace(BROKEN_OFF, ending="disconnect"))
    stream = await _opened(kind, server)
    with pytest.raises(Exception, match="peer closed connection") as raised:
        await _first(stream, 99)
    call = recorded.operation
    assert call.outcome == "error"
    assert call.attributes["error.type"].rpartition(".")[2] == type(raised.value).__name__
    assert call.attributes["aot.error.category"] == "stream_error"
    assert _output(call)[0]["content"] == "France. Its capital."


async def test_cancelled_task(recorded: Recorded, server: Wire) -> None:
    server.scripts.append(says(THINKING, TEXT, pause=0.5))
    stream = await _opened(ASYNC, server)
    reading = asyncio.create_task(_first(stream, 99))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await stream.close()
    call = recorded.operation
    assert call.outcome == "cancelled"
    assert call.attributes["gen_ai.usage.input_tokens"] == 19


async def test_cancelled_before_an_answer(recorded: Recorded, server: Wire) -> None:
    asking = asyncio.create_task(_opened(ASYNC, server))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert recorded.operation.outcome == "cancelled"


def test_keyboard_interrupt(recorded: Recorded, server: Wire) -> None:
    def loop() -> None:
        with SYNC.client(server.url).messages.stream(**REQUEST) as stream:
            for _ in stream:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()
    assert recorded.operation.outcome in {"interrupted", "abandoned"}


@both_kinds
async def test_stream_that_nobody_reads_is_abandoned(kind: Kind, recorded: Recorded, server: Wire) -> None:
    stream = await _opened(kind, server)
    response = stream.response
    del stream
    if kind is ASYNC:
        await response.aclose()
    else:
        response.close()
    del response
    gc.collect()
    assert recorded.operation.outcome == "abandoned"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the socket is left to the collector, too
@both_kinds
async def test_collected_stream_is_abandoned(kind: Kind, recorded: Recorded, server: Wire) -> None:
    stream = await _opened(kind, server)
    await _first(stream, 1)
    del stream
    for _ in range(3):  # what an asynchronous generator leaves to the loop takes a turn of it
        gc.collect()
        await asyncio.sleep(0)
    call = recorded.operation
    assert call.outcome == "abandoned"
    assert call.attributes["gen_ai.usage.input_tokens"] == 19


@both_kinds
async def test_uninstrumented_while_a_stream_is_open(kind: Kind, recorded: Recorded, server: Wire) -> None:
    stream = await _opened(kind, server)
    begun = await _first(stream, 2)
    uninstrument("anthropic")
    rest = [event async for event in each(stream)]
    assert [begun[0].type, rest[-1].type] == ["message_start", "message_stop"]
    call = recorded.operation
    assert call.outcome == "ok"
    assert call.attributes["gen_ai.usage.output_tokens"] == 7
    recorded.clear()
    await got(kind.client(server.url).messages.create(**REQUEST))
    assert [span for span in recorded.spans if span.name.startswith("chat")] == []


@every_kind
async def test_tool_call_in_a_stream(kind: Kind, recorded: Recorded, server: Wire) -> None:
    server.scripts.append(says(TOOL_USE, stop_reason="tool_use"))
    _ = [event async for event in each(await _opened(kind, server))]
    call = recorded.operation
    assert call.span.name == f"chat {MODEL}"
    assert _output(call) == [
        {"type": "tool_call", "name": "weather", "id": "toolu_01", "arguments": {"city": "Paris", "days": 2}}
    ]
    assert call.attributes["gen_ai.response.time_to_first_chunk"] > 0
