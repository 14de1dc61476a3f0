"""`stream_options.include_usage`: asked for where the program does not ask, without anybody noticing."""

from __future__ import annotations

import copy
import threading
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.instrumentation.either import each, entered, got
from tests.instrumentation.openai.clients import CHAT, SYNC_AND_ASYNC, client_of
from tests.instrumentation.openai.wire import chunks, stream
from tests.servers.openai_api import OpenAIServer

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import Exchange, OpenAiWire
    from tests.recording import Recorded

ASKED = {"stream_options": {"include_usage": True}}
TEXT: dict[str, Any] = {"model": "m", "prompt": "hi"}


async def chunks_of(client: Any, **more: Any) -> list[Any]:
    stream = await got(client.chat.completions.create(**{**CHAT, "stream": True, **more}))
    return [chunk async for chunk in each(stream)]


def asked(wire: OpenAiWire) -> Any:
    """Return the option of the last request."""
    return wire.requests[-1].body.get("stream_options")


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {"include_obfuscation": False}}, {"include_obfuscation": False, "include_usage": True}),
        ({"extra_body": {"stream_options": {"more": 1}}}, {"more": 1, "include_usage": True}),
    ],
    ids=["nothing", "none", "another option", "another one in extra_body"],
)
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_what_the_program_does_not_ask_for_it_does_not_see(
    kind: str, more: dict[str, Any], sent: Any, wire: OpenAiWire, recorded: Recorded
) -> None:
    given = copy.deepcopy(more)
    said = await chunks_of(client_of(wire, kind), **more)
    assert asked(wire) == sent
    assert len(said) == 4
    assert all(chunk.choices and "usage" not in chunk.model_fields_set for chunk in said)
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30
    assert more == given


@pytest.mark.parametrize("more", [ASKED, {"extra_body": ASKED}], ids=["as an argument", "in extra_body"])
@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_what_the_program_asks_for_it_sees(
    kind: str, more: dict[str, Any], wire: OpenAiWire, recorded: Recorded
) -> None:
    said = await chunks_of(client_of(wire, kind), **more)
    assert asked(wire) == {"include_usage": True}
    assert said[-1].usage.prompt_tokens == 30
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30


@pytest.mark.parametrize("more", [{"include_usage": False}], ids=["no"])
async def test_a_no_is_a_no(more: dict[str, Any], wire: OpenAiWire, recorded: Recorded) -> None:
    await chunks_of(client_of(wire), stream_options=more)
    assert asked(wire) == more
    assert "gen_ai.usage.input_tokens" not in recorded.operation.attributes


def test_nothing_is_asked_for_where_nothing_is_streamed(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    client.chat.completions.create(**CHAT)
    assert asked(wire) is None
    list(client.responses.create(model="m", input="hi", stream=True))
    assert asked(wire) is None
    list(client.completions.create(**TEXT, stream=True))
    assert asked(wire) == {"include_usage": True}
    assert len(recorded.operations) == 3


@pytest.mark.parametrize(
    ("version", "takes"), [("2024-06-01", False), ("2024-10-21", True), ("2025-03-01-preview", True), ("preview", True)]
)
def test_old_versions_of_azure_are_not_asked(version: str, takes: bool, wire: OpenAiWire, recorded: Recorded) -> None:
    where: dict[str, Any] = {"azure_endpoint": wire.url.removesuffix("/v1"), "api_version": version, "api_key": "none"}
    with openai.AzureOpenAI(**where) as client:
        list(client.chat.completions.create(**CHAT, stream=True))
    assert (asked(wire) is not None) is takes


def refuse_options(exchange: Exchange) -> None:
    """Answer as a server that knows no `stream_options`."""
    if "stream_options" in exchange.request.body:
        exchange.answer({"error": {"message": "Unrecognized request argument supplied: stream_options"}}, 400)
    else:
        stream(exchange, [*chunks("Hello"), "[DONE]"])


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_server_that_refuses_is_asked_again_and_remembered(
    kind: str, wire: OpenAiWire, recorded: Recorded
) -> None:
    wire.script(always=refuse_options)
    client = client_of(wire, kind)
    for _ in range(2):
        assert len(await chunks_of(client)) == 4
    assert ["stream_options" in request.body for request in wire.requests] == [True, False, False]
    assert [operation.outcome for operation in recorded.operations] == ["ok", "ok"]
    # What the program itself asks for is refused as before.
    with pytest.raises(openai.BadRequestError):
        await chunks_of(client, **ASKED)


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_a_strict_server_is_one_that_refuses(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    with OpenAIServer(strict=True) as strict:
        client = client_of(wire, kind, base_url=f"{strict.url}/v1")
        said = await chunks_of(client)
        assert len(await chunks_of(client)) == len(said)
        assert len(strict.requests) == 3
        # Another server on the same host is another server.
        await chunks_of(client_of(wire, kind))
        assert asked(wire) == {"include_usage": True}
    first, second, _ = recorded.operations
    assert said[-1].usage.prompt_tokens == 19
    assert first.attributes["gen_ai.usage.input_tokens"] == second.attributes["gen_ai.usage.input_tokens"] == 19


@pytest.mark.parametrize("status", [400, 422, 500])
def test_other_errors_are_not_asked_about_again(status: int, wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer({"error": {"message": "no such model"}}, status))
    with pytest.raises(openai.APIStatusError):
        list(client_of(wire).chat.completions.create(**CHAT, stream=True))
    assert len(wire.requests) == 1
    assert recorded.operation.outcome == "error"


def test_a_second_refusal_is_the_program_s(wire: OpenAiWire, recorded: Recorded) -> None:
    wire.script(
        refuse_options, lambda exchange: exchange.answer({"error": {"message": "no credit", "code": "quota"}}, 429)
    )
    with pytest.raises(openai.RateLimitError) as raised:
        list(client_of(wire).chat.completions.create(**CHAT, stream=True))
    context = raised.value.__context__
    assert "stream_options" not in f"{context} {context and context.__context__}"
    assert recorded.operation.outcome == "error"
    assert recorded.operation.attributes["aot.error.category"] == "quota_exceeded"


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_lines_come_as_soon_as_their_event_is_complete(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    read = threading.Event()

    def in_step(exchange: Exchange) -> None:
        exchange.start()
        first, *others = chunks("Hello", usage=True)
        exchange.send(first)
        if read.wait(5):
            exchange.send(*others, "[DONE]")
        exchange.end()

    wire.script(always=in_step)
    create = client_of(wire, kind).chat.completions.with_streaming_response.create
    lines: list[str] = []
    async with AsyncExitStack() as stack:
        answer = await entered(stack, create(**CHAT, stream=True))
        async for line in each(answer.iter_lines()):
            read.set()
            lines += [line] if line else []
    assert len(lines) == 5
    assert lines[-1] == "data: [DONE]"
    assert "usage" not in "".join(lines)
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30
