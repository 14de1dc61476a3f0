"""Every client of the SDK, and every way to call a model with one: tables that the tests go through."""

from __future__ import annotations

import inspect
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import openai
import pydantic

from tests.instrumentation.either import each, entered, got

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.instrumentation.openai.wire import OpenAiWire


class Mine(openai.OpenAI):
    """A client that a program derives."""


class MineAsync(openai.AsyncAzureOpenAI):
    """Another one, whose name does not say what it is."""


CLIENTS: dict[str, type[Any]] = {
    "OpenAI": openai.OpenAI,
    "AsyncOpenAI": openai.AsyncOpenAI,
    "AzureOpenAI": openai.AzureOpenAI,
    "AsyncAzureOpenAI": openai.AsyncAzureOpenAI,
    "Mine": Mine,
    "MineAsync": MineAsync,
}
SYNC_AND_ASYNC = ("OpenAI", "AsyncOpenAI")

_open: list[Any] = []


def client_of(wire: OpenAiWire, kind: str = "OpenAI", **options: Any) -> Any:
    """Return a client of a server; `close_all` closes it."""
    options = {"api_key": "sk-none", "max_retries": 0, **options}
    if issubclass(CLIENTS[kind], (openai.AzureOpenAI, openai.AsyncAzureOpenAI)):
        where = {"azure_endpoint": wire.url.removesuffix("/v1"), "api_version": "2025-03-01-preview"}
    else:
        where = {"base_url": wire.url}
    client = CLIENTS[kind](**{**where, **options})
    _open.append(client)
    return client


async def close_all() -> None:
    """Close the clients that were made."""
    while _open:
        await got(_open.pop().close())


class Word(pydantic.BaseModel):
    """What a parsed answer is."""

    word: str


class Api(NamedTuple):
    """A call, by the attributes that lead to it on a client.

    Args:
        path: as a person writes it.
        arguments: for it.
        operation: the GenAI operation name of its span.
        streams: whether it takes `stream=True`; None where it always has it, in the arguments.
    """

    path: str
    arguments: dict[str, Any]
    operation: str = "chat"
    streams: bool | None = True

    def on(self, client: Any, view: str = "") -> Callable[..., Any]:
        """Return the method of a client, through one of its views.

        Raises:
            AttributeError: this version has no such call.
        """
        found = client
        *parents, name = self.path.split(".")
        for parent in parents:
            found = getattr(found, parent)
        method: Callable[..., Any] = getattr(getattr(found, view) if view else found, name)
        return method

    def is_known(self) -> bool:
        """Say whether this version of the SDK has the call."""
        try:
            parameters = inspect.signature(self.on(openai.OpenAI(api_key="none"))).parameters
        except AttributeError:
            return False
        return all(name in parameters for name in self.arguments)


CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
RESPONSE: dict[str, Any] = {"model": "m", "input": "hi"}
CHAT_API = Api("chat.completions.create", CHAT)
RESPONSES_API = Api("responses.create", RESPONSE)

APIS = tuple(
    api
    for api in (
        CHAT_API,
        Api("chat.completions.parse", {**CHAT, "response_format": Word}, streams=False),
        Api("beta.chat.completions.parse", {**CHAT, "response_format": Word}, streams=False),
        RESPONSES_API,
        Api("responses.parse", {**RESPONSE, "text_format": Word}, streams=False),
        Api("responses.retrieve", {"response_id": "resp_1", "stream": True}, streams=None),
        Api("completions.create", {"model": "m", "prompt": "hi"}, "text_completion"),
        Api("embeddings.create", {"model": "m", "input": ["hi", "ho"]}, "embeddings", streams=False),
    )
    if api.is_known()
)
HELPERS = tuple(
    api
    for api in (
        Api("chat.completions.stream", CHAT),
        Api("beta.chat.completions.stream", CHAT),
        Api("responses.stream", RESPONSE),
    )
    if api.is_known()
)


async def plainly(client: Any, api: Api) -> list[Any]:
    return [await got(api.on(client)(**api.arguments))]


async def streamed(client: Any, api: Api) -> list[Any]:
    stream = await got(api.on(client)(**{**api.arguments, "stream": True}))
    return [stream, *[item async for item in each(stream)]]


async def raw(client: Any, api: Api) -> list[Any]:
    answer = await got(api.on(client, "with_raw_response")(**api.arguments))
    parsed = await got(answer.parse())
    assert await got(answer.parse()) is parsed
    return [answer, parsed, answer.headers["x-request-id"]]


async def raw_stream(client: Any, api: Api) -> list[Any]:
    answer = await got(api.on(client, "with_raw_response")(**{**api.arguments, "stream": True}))
    stream = await got(answer.parse())
    return [answer, stream, *[item async for item in each(stream)]]


async def open_response(client: Any, api: Api) -> list[Any]:
    async with AsyncExitStack() as stack:
        answer = await entered(stack, api.on(client, "with_streaming_response")(**api.arguments))
        parsed = await got(answer.parse())
        assert await got(answer.parse()) is parsed
        return [answer, parsed, await got(answer.text()), await got(answer.json())]


async def open_stream(client: Any, api: Api) -> list[Any]:
    async with AsyncExitStack() as stack:
        view = api.on(client, "with_streaming_response")
        answer = await entered(stack, view(**{**api.arguments, "stream": True}))
        stream = await got(answer.parse())
        return [answer, stream, *[item async for item in each(stream)]]


def _reading(method: str) -> Callable[[Any, Api], Awaitable[list[Any]]]:
    async def read(client: Any, api: Api) -> list[Any]:
        async with AsyncExitStack() as stack:
            view = api.on(client, "with_streaming_response")
            answer = await entered(stack, view(**{**api.arguments, "stream": True}))
            pieces = [piece async for piece in each(getattr(answer, method)())]
            # Bytes come in whatever pieces; what they amount to is what counts.
            return [answer, pieces if method == "iter_lines" else type(pieces[0])().join(pieces)]

    return read


async def raw_bytes(client: Any, api: Api) -> list[Any]:
    async with AsyncExitStack() as stack:
        view = api.on(client, "with_streaming_response")
        answer = await entered(stack, view(**{**api.arguments, "stream": True}))
        response = answer.http_response
        pieces = response.aiter_raw() if isinstance(client, openai.AsyncOpenAI) else response.iter_raw()
        return [b"".join([piece async for piece in each(pieces)])]


WAYS: dict[str, Callable[[Any, Api], Awaitable[list[Any]]]] = {
    "plain": plainly,
    "raw": raw,
    "open": open_response,
    "stream": streamed,
    "raw stream": raw_stream,
    "open stream": open_stream,
    "open lines": _reading("iter_lines"),
    "open bytes": _reading("iter_bytes"),
    "open text": _reading("iter_text"),
    "open raw": raw_bytes,
}
STREAMED = tuple(way for way in WAYS if way not in {"plain", "raw", "open"})


def ways_of(api: Api) -> list[str]:
    """Return the ways in which a call can be made."""
    if api.streams is None:
        return list(STREAMED)
    return [way for way in WAYS if api.streams or way not in STREAMED]


def shown(values: list[Any]) -> list[Any]:
    """Return the types of what a program got, and what it says."""
    return [(type(value), _said(value)) for value in values]


def _said(value: Any) -> Any:
    return repr(value) if isinstance(value, (str, bytes, list, dict, pydantic.BaseModel)) else None
