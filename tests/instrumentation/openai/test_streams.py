"""How a stream may end: each way ends its span, once, and says what had come until then."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

import aotel
from aotel.instrumentation import instrument, uninstrument
from aotel.instrumentation.model_call import OPEN
from tests.instrumentation.either import each, entered, got
from tests.instrumentation.openai.clients import CHAT, SYNC_AND_ASYNC, client_of
from tests.instrumentation.openai.wire import CHAT_USAGE, chunks, response, response_events, sse, stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.instrumentation.openai.wire import Exchange, OpenAiWire
    from tests.recording import Recorded


async def begun(client: Any, **more: Any) -> Any:
    return await got(client.chat.completions.create(**CHAT, **more, stream=True))


async def one_of(stream: Any) -> Any:
    return await stream.__anext__() if hasattr(stream, "__anext__") else next(stream)


async def exhausted(client: Any) -> None:
    async for _ in each(await begun(client)):
        pass


async def closed(client: Any) -> None:
    stream = await begun(client)
    await one_of(stream)
    await got(stream.close())
    await got(stream.close())


async def closed_unread(client: Any) -> None:
    await got((await begun(client)).close())


async def left_by_break(client: Any) -> None:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, await begun(client))
        async for _ in each(stream):
            break


async def left_by_an_error_of_the_program(client: Any) -> None:
    with suppress(ZeroDivisionError):
        async with AsyncExitStack() as stack:
            stream = await entered(stack, await begun(client))
            async for _ in each(stream):
                raise ZeroDivisionError


async def left_by_an_interrupt(client: Any) -> None:
    with suppress(KeyboardInterrupt):
        async with AsyncExitStack() as stack:
            stream = await entered(stack, await begun(client))
            async for _ in each(stream):
                raise KeyboardInterrupt


async def forgotten(client: Any) -> None:
    stream = await begun(client)
    await one_of(stream)
    del stream
    gc.collect()
    await asyncio.sleep(0.01)  # an asynchronous iterator is closed by its loop
    gc.collect()


async def forgotten_unread(client: Any) -> None:
    await begun(client)
    gc.collect()


async def raw_closed(client: Any) -> None:
    async with AsyncExitStack() as stack:
        create = client.chat.completions.with_streaming_response.create
        answer = await entered(stack, create(**CHAT, stream=True))
        async for _ in each(answer.iter_lines()):
            break


async def at_exit(client: Any) -> None:
    stream = await begun(client)
    await one_of(stream)
    OPEN.end_all()
    async for _ in each(stream):
        pass


ENDS: dict[Callable[[Any], Awaitable[None]], str] = {
    exhausted: "ok",
    closed: "abandoned",
    closed_unread: "abandoned",
    left_by_break: "abandoned",
    left_by_an_error_of_the_program: "abandoned",
    left_by_an_interrupt: "interrupted",
    forgotten: "abandoned",
    forgotten_unread: "abandoned",
    raw_closed: "abandoned",
    at_exit: "abandoned",
}


def usage_in_each_chunk(exchange: Exchange) -> None:
    """Stream chunks that count tokens so far, slowly: what is read of it is less than all."""
    with_usage = [{**chunk, "usage": {**CHAT_USAGE, "completion_tokens": 2}} for chunk in chunks("Hello world")]
    stream(exchange, [*with_usage, "[DONE]"], pause=0.02)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_stream_ends_once(
    kind: str, end: Callable[[Any], Awaitable[None]], wire: OpenAiWire, recorded: Recorded
) -> None:
    wire.script(always=usage_in_each_chunk)
    await end(client_of(wire, kind))
    operation = recorded.operation
    assert operation.outcome == ENDS[end]
    assert operation.span.status.status_code is StatusCode.UNSET
    assert not OPEN._streams
    if "unread" not in end.__name__:
        assert operation.attributes["gen_ai.usage.input_tokens"] == 30
        assert operation.attributes["gen_ai.usage.output_tokens"] == 2
    if end is exhausted:
        assert "Hello world" in operation.attributes["gen_ai.output.messages"]


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_stream_left_while_another_error_is_handled_is_abandoned(
    kind: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    def failing(exchange: Exchange) -> None:
        stream(exchange, [*chunks("a")[:2], {"error": {"message": "no more", "type": "server_error"}}])

    wire.script(failing, usage_in_each_chunk)
    client = client_of(wire, kind)
    try:
        await exhausted(client)
    except openai.APIError:  # the first model failed: ask another one
        await left_by_break(client)
    assert [operation.outcome for operation in recorded.operations] == ["error", "abandoned"]


async def test_an_error_of_another_call_is_not_the_stream_s(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    wire.script(usage_in_each_chunk, lambda exchange: exchange.answer({"error": {"message": "no"}}, 400))

    def use() -> None:
        with client.chat.completions.create(**CHAT, stream=True) as chat:
            for _ in chat:
                client.chat.completions.create(**CHAT)

    with pytest.raises(openai.BadRequestError):
        use()
    assert [operation.outcome for operation in recorded.operations] == ["error", "abandoned"]


async def test_a_cancelled_task_cancels_its_span(wire: OpenAiWire, recorded: Recorded) -> None:
    def hang(exchange: Exchange) -> None:
        exchange.start()
        exchange.send(chunks("a")[0])
        time.sleep(1)

    async def read() -> None:
        async for _ in await begun(client):
            pass

    wire.script(always=hang)
    client = client_of(wire, "AsyncOpenAI")
    task = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorded.operation.outcome == "cancelled"
    assert recorded.operation.span.status.status_code is StatusCode.UNSET


async def test_a_call_that_is_cancelled_before_its_answer(wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: time.sleep(0.5))
    task = asyncio.create_task(got(client_of(wire, "AsyncOpenAI").chat.completions.create(**CHAT)))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorded.operation.outcome == "cancelled"


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_span_is_current_while_its_request_is_made_and_at_no_other_time(
    kind: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, kind)
    seen: list[Any] = []

    def note(request: Any) -> None:
        seen.append(trace.get_current_span().get_span_context().span_id)

    async def note_async(request: Any) -> None:
        note(request)

    client._client.event_hooks = {"request": [note if kind == "OpenAI" else note_async]}
    with aotel.step("outer"):
        outer = trace.get_current_span()
        stream = await begun(client)
        assert trace.get_current_span() is outer
        async for _ in each(stream):
            assert trace.get_current_span() is outer
        with aotel.step("sibling"):
            pass
    sibling = recorded.named("sibling").span.parent
    call = recorded.named("chat m")
    assert seen == [call.context.span_id]
    assert sibling is not None
    assert sibling.span_id == outer.get_span_context().span_id


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_stream_that_is_open_while_patches_go_is_recorded_to_its_end(
    kind: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    client = client_of(wire, kind)
    stream = await begun(client)
    await one_of(stream)
    uninstrument("openai")
    said = [chunk async for chunk in each(stream)]
    assert all(chunk.choices for chunk in said)
    await exhausted(client)
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30
    instrument("openai")
    await exhausted(client)
    assert len(recorded.operations) == 2


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_collection_under_a_lock_hangs_nobody(wire: OpenAiWire, recorded: Recorded) -> None:
    # The lock that every end of a span takes here; whoever holds it may have the collector run.
    lock = threading.Lock()
    at_end = recorded._spans.add

    def add(span: Any) -> None:
        assert lock.acquire(timeout=5), "the span was ended by the collector"
        lock.release()
        at_end(span)

    recorded._spans.add = add  # type: ignore[method-assign]
    client = client_of(wire)
    for whole in (False, True):
        chats = [client.chat.completions.create(**CHAT, stream=True) for _ in range(3)]
        for chat in chats:
            for chunk in chat:
                if not whole or chunk.choices[0].finish_reason:
                    break
        ring: list[Any] = [chats]
        ring.append(ring)
        del chats, chat, ring
        with lock:
            gc.collect()
    assert len(recorded.spans) == 6


def test_what_was_said_before_a_break_is_kept(wire: OpenAiWire, recorded: Recorded) -> None:
    def slow(exchange: Exchange) -> None:
        stream(exchange, response_events(response("Hello world")), pause=0.01)

    wire.script(always=slow)
    answer = client_of(wire).responses.create(model="m", input="hi", stream=True)
    for event in answer:
        if event.type == "response.output_text.done":
            break
    answer.close()
    operation = recorded.operation
    assert operation.outcome == "abandoned"
    assert "Hello world" in operation.attributes["gen_ai.output.messages"]
    assert operation.attributes["gen_ai.response.id"] == "resp_1"


@pytest.mark.parametrize("event", ["response.completed", "response.incomplete"])
def test_a_stream_closed_at_its_last_event_is_whole(event: str, wire: OpenAiWire, recorded: Recorded) -> None:
    whole = response("Hello", status=event.partition(".")[2])
    wire.script(always=lambda exchange: stream(exchange, response_events(whole)))
    answer = client_of(wire).responses.create(model="m", input="hi", stream=True)
    for each_event in answer:
        if each_event.type == event:
            break
    answer.close()
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30


def test_a_long_stream_takes_little_memory(wire: OpenAiWire, recorded: Recorded) -> None:
    first, *_, last = chunks("x" * 20)
    piece = sse({**first, "choices": [{"index": 0, "delta": {"content": "word " * 20}, "finish_reason": None}]}) * 500

    def long(exchange: Exchange) -> None:
        exchange.start()
        for _ in range(200):
            exchange.write(piece)
        exchange.send(last, {**last, "choices": [], "usage": CHAT_USAGE}, "[DONE]")
        exchange.end()

    wire.script(always=long)
    create = client_of(wire).chat.completions.with_streaming_response.create
    size = 0
    with create(**CHAT, stream=True) as answer:
        for data in answer.iter_bytes():
            size += len(data)
            held = [body().__self__ for _, body in OPEN._streams.values()]  # type: ignore[union-attr]
            assert sum(map(len, held[0]._pieces)) < 14 * 2**20
    operation = recorded.operation
    assert size > 25 * 2**20
    assert operation.attributes["aot.stream.count"] == 100_002
    assert operation.attributes["gen_ai.usage.input_tokens"] == 30
    assert operation.attributes["gen_ai.response.finish_reasons"] == ("stop",)
