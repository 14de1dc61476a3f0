"""Every client of the SDK, and every way to call a model with one: tables that the tests go through."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import anthropic

from tests.instrumentation.either import each, entered, got

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MODEL = "claude-sonnet-9"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
}
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Kind(NamedTuple):
    """A class of clients: how one is made, and who serves its models."""

    name: str
    options: dict[str, Any]
    provider: str

    def client(self, url: str, **options: Any) -> Any:
        """Return a client of a server; `close_all` closes it."""
        client = getattr(anthropic, self.name)(base_url=url, **{"max_retries": 0, **self.options, **options})
        _open.append(client)
        return client


_open: list[Any] = []


async def close_all() -> None:
    """Close the clients that were made."""
    while _open:
        await got(_open.pop().close())


_KEY = {"api_key": "none"}
_AWS = {"aws_access_key": "none", "aws_secret_key": "none", "aws_region": "us-east-1"}
_GOOGLE = {"access_token": "none", "project_id": "project", "region": "us-east5"}

KINDS = (
    Kind("Anthropic", _KEY, "anthropic"),
    Kind("AsyncAnthropic", _KEY, "anthropic"),
    Kind("AnthropicBedrock", _AWS, "aws.bedrock"),
    Kind("AsyncAnthropicBedrock", _AWS, "aws.bedrock"),
    Kind("AnthropicVertex", _GOOGLE, "gcp.vertex_ai"),
    Kind("AsyncAnthropicVertex", _GOOGLE, "gcp.vertex_ai"),
)


async def create(messages: Any) -> list[Any]:
    return [await got(messages.create(**REQUEST))]


async def create_stream(messages: Any) -> list[Any]:
    stream = await got(messages.create(**REQUEST, stream=True))
    return [stream, *[event async for event in each(stream)]]


async def create_raw(messages: Any) -> list[Any]:
    raw = await got(messages.with_raw_response.create(**REQUEST))
    return [raw, await got(raw.parse()), raw.headers["content-type"]]


async def create_raw_stream(messages: Any) -> list[Any]:
    raw = await got(messages.with_raw_response.create(**REQUEST, stream=True))
    stream = await got(raw.parse())
    return [raw, stream, *[event async for event in each(stream)]]


async def create_streaming(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        response = await entered(stack, messages.with_streaming_response.create(**REQUEST))
        return [response, await got(response.parse())]


async def create_streaming_lines(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        response = await entered(stack, messages.with_streaming_response.create(**REQUEST))
        return [response, *[line async for line in each(response.iter_lines())]]


async def create_streaming_stream(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        response = await entered(stack, messages.with_streaming_response.create(**REQUEST, stream=True))
        stream = await got(response.parse())
        return [response, stream, *[event async for event in each(stream)]]


async def stream_events(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, messages.stream(**REQUEST))
        found = [event async for event in each(stream)]
        return [stream, *found, await got(stream.get_final_message())]


async def stream_text(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, messages.stream(**REQUEST))
        found = [text async for text in each(stream.text_stream)]
        return [*found, await got(stream.get_final_text())]


async def stream_final(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, messages.stream(**REQUEST))
        return [stream, await got(stream.get_final_message())]


async def stream_until_done(messages: Any) -> list[Any]:
    async with AsyncExitStack() as stack:
        stream = await entered(stack, messages.stream(**REQUEST))
        await got(stream.until_done())
        return [stream, await got(stream.get_final_text())]


async def parse(messages: Any) -> list[Any]:
    return [await got(messages.parse(**REQUEST, output_config={"format": {"type": "json_schema", "schema": _SCHEMA}}))]


async def parse_raw(messages: Any) -> list[Any]:
    raw = await got(messages.with_raw_response.parse(**REQUEST))
    return [raw, await got(raw.parse())]


WAYS: tuple[Callable[[Any], Awaitable[list[Any]]], ...] = (
    create,
    create_stream,
    create_raw,
    create_raw_stream,
    create_streaming,
    create_streaming_lines,
    create_streaming_stream,
    stream_events,
    stream_text,
    stream_final,
    stream_until_done,
    parse,
    parse_raw,
)


def has(messages: Any, way: Callable[..., Any]) -> bool:
    """Say whether the installed version has what a way calls."""
    name = way.__name__.partition("_")[0]
    target = messages.with_raw_response if way.__name__ == "parse_raw" else messages
    return hasattr(target, name)
