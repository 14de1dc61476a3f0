"""The calls that each library can make of the local servers: plain, streamed, failing, sent again, two at a time, …

Every text has a secret in it, and a marker that says whether it is a prompt, an answer or an error. The servers count
what they say in their modules: 19 tokens in and 10 out (OpenAI's), 24 and 10 (Anthropic's), embeddings 8.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import anthropic
import openai

from tests.servers import anthropic_api, openai_api

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Calls = dict[str, Callable[[], Any]]

SECRET = "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5t" * 2  # nobody's: it has the shape of a real one
SAID = f"quokka-asked {SECRET}"
ANSWERED = f"wombat-answered {SECRET}"
FAILED = f"numbat-failed {SECRET}"
MODEL = "model-1"
ARGUMENTS = json.dumps({"note": ANSWERED})
SCHEMA = {"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"]}
TOOL: Any = {
    "type": "function",
    "function": {"name": "keep_note", "description": "Keeps a note.", "parameters": SCHEMA},
}


def messages(text: str = SAID) -> Any:
    return [{"role": "system", "content": f"Be brief. {SAID}"}, {"role": "user", "content": text}]


def script(request: Any) -> openai_api.Script:
    """Return a call of the tool, where there is one that has not been called yet; else the text."""
    body = request.body
    asked = body.get("messages") or body.get("input") or []
    answered = isinstance(asked, list) and any(message.get("role") == "tool" for message in asked)
    if body.get("tools") and not answered:
        return openai_api.Script(tool_calls=[openai_api.Call("keep_note", ARGUMENTS)])
    return openai_api.Script(content=ANSWERED)


def anthropic_script(request: Any) -> anthropic_api.Script:
    if request.body.get("tools"):
        use = {"type": "tool_use", "id": "toolu_0", "name": "keep_note", "input": {"note": ANSWERED}}
        return anthropic_api.Script([use], "tool_use")
    return anthropic_api.Script([{"type": "text", "text": ANSWERED}])


def two_in_threads(call: Callable[[], object]) -> None:
    """Make the same call twice at one time."""
    with ThreadPoolExecutor(2) as threads:
        for made in [threads.submit(call) for _ in range(2)]:
            made.result()


async def two_in_tasks(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Make the same call twice at one time."""
    await asyncio.gather(call(), call())


def refused() -> Any:
    return openai_api.error_reply(400, f"I do not like {FAILED}", "invalid_request_error")


@contextlib.contextmanager
def openai_server() -> Iterator[openai_api.OpenAIServer]:
    with openai_api.OpenAIServer(script=script) as server:
        yield server


@contextlib.contextmanager
def openai_calls() -> Iterator[Calls]:
    with openai_server() as server:
        options: dict[str, Any] = {"api_key": "k", "base_url": f"{server.url}/v1", "max_retries": 0}
        client, later = openai.OpenAI(**options), openai.AsyncOpenAI(**options)
        create = client.chat.completions.create
        usage: Any = {"include_usage": True}

        def failing() -> None:
            server.next(refused())
            with contextlib.suppress(openai.BadRequestError):
                create(model=MODEL, messages=messages())

        def streamed_unasked() -> None:
            list(create(model=MODEL, messages=messages(), stream=True))

        async def plain_async() -> None:
            await later.chat.completions.create(model=MODEL, messages=messages())

        async def streamed_async() -> None:
            stream = later.chat.completions.create(model=MODEL, messages=messages(), stream=True, stream_options=usage)
            async for _ in await stream:
                pass

        def one_while_another_is_read() -> None:
            stream = create(model=MODEL, messages=messages(), stream=True, stream_options=usage)
            next(stream)
            create(model=MODEL, messages=messages())
            list(stream)

        def retried() -> None:
            server.next(openai_api.rate_limited(), openai_api.server_error())
            client.with_options(max_retries=2).chat.completions.create(model=MODEL, messages=messages())

        yield {
            "plain": lambda: _none(create(model=MODEL, messages=messages())),
            "retried": retried,
            "two_in_threads": lambda: two_in_threads(lambda: create(model=MODEL, messages=messages())),
            "two_in_tasks": lambda: two_in_tasks(plain_async),
            "streamed": lambda: _none(
                list(create(model=MODEL, messages=messages(), stream=True, stream_options=usage))
            ),
            "streamed_unasked": streamed_unasked,
            "plain_async": plain_async,
            "streamed_async": streamed_async,
            "one_while_another_is_read": one_while_another_is_read,
            "tool": lambda: _none(create(model=MODEL, messages=messages(), tools=[TOOL], temperature=0.5)),
            "failing": failing,
            "responses": lambda: _none(client.responses.create(model=MODEL, input=SAID, instructions=SAID)),
            "responses_streamed": lambda: _none(list(client.responses.create(model=MODEL, input=SAID, stream=True))),
            "embedding": lambda: _none(client.embeddings.create(model=MODEL, input=[SAID])),
        }


@contextlib.contextmanager
def anthropic_calls() -> Iterator[Calls]:
    with anthropic_api.AnthropicServer(script=anthropic_script) as server:
        options: dict[str, Any] = {"api_key": "k", "base_url": server.url, "max_retries": 0}
        client, later = anthropic.Anthropic(**options), anthropic.AsyncAnthropic(**options)
        asked: dict[str, Any] = {"model": MODEL, "max_tokens": 64, "system": f"Be brief. {SAID}"}
        asked["messages"] = [{"role": "user", "content": SAID}]
        tool: Any = {"name": "keep_note", "description": "Keeps a note.", "input_schema": SCHEMA}

        def helped() -> None:
            with client.messages.stream(**asked) as stream:
                list(stream)

        async def helped_async() -> None:
            async with later.messages.stream(**asked) as stream:
                async for _ in stream:
                    pass

        async def plain_async() -> None:
            await later.messages.create(**asked)

        async def streamed_async() -> None:
            async for _ in await later.messages.create(**asked, stream=True):
                pass

        def failing() -> None:
            server.next(anthropic_api.error_reply(400, "invalid_request_error", f"I do not like {FAILED}"))
            with contextlib.suppress(anthropic.BadRequestError):
                client.messages.create(**asked)

        def one_while_another_is_read() -> None:
            stream = client.messages.create(**asked, stream=True)
            next(iter(stream))
            client.messages.create(**asked)
            list(stream)

        def retried() -> None:
            server.next(anthropic_api.rate_limited(), anthropic_api.overloaded())
            client.with_options(max_retries=2).messages.create(**asked)

        yield {
            "plain": lambda: _none(client.messages.create(**asked)),
            "retried": retried,
            "two_in_threads": lambda: two_in_threads(lambda: client.messages.create(**asked)),
            "two_in_tasks": lambda: two_in_tasks(plain_async),
            "streamed": lambda: _none(list(client.messages.create(**asked, stream=True))),
            "helped": helped,
            "plain_async": plain_async,
            "streamed_async": streamed_async,
            "helped_async": helped_async,
            "one_while_another_is_read": one_while_another_is_read,
            "tool": lambda: _none(client.messages.create(**asked, tools=[tool])),
            "failing": failing,
        }


@contextlib.contextmanager
def litellm_calls() -> Iterator[Calls]:
    import litellm

    litellm.suppress_debug_info = True
    with openai_server() as server:
        asked: dict[str, Any] = {"model": f"openai/{MODEL}", "api_key": "k", "api_base": f"{server.url}/v1"}
        asked |= {"max_retries": 0}
        streaming: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

        def failing() -> None:
            server.next(refused())
            with contextlib.suppress(openai.BadRequestError):  # of which litellm's own is one
                litellm.completion(messages=messages(), **asked)

        async def plain_async() -> None:
            await litellm.acompletion(messages=messages(), **asked)

        yield {
            "plain": lambda: _none(litellm.completion(messages=messages(), **asked)),
            "streamed": lambda: _none(list(litellm.completion(messages=messages(), **streaming, **asked))),
            "plain_async": plain_async,
            "tool": lambda: _none(litellm.completion(messages=messages(), tools=[TOOL], **asked)),
            "failing": failing,
            "embedding": lambda: _none(litellm.embedding(input=[SAID], **asked)),
        }


@contextlib.contextmanager
def langchain_calls() -> Iterator[Calls]:
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    def keep_note(note: str) -> str:
        """Keep a note."""
        raise RuntimeError(FAILED)

    kept = tool(keep_note)
    with openai_server() as server:
        settings: dict[str, Any] = {"model": MODEL, "api_key": "k", "base_url": f"{server.url}/v1", "max_retries": 0}
        chat = ChatOpenAI(**settings, stream_usage=True)
        asked: Any = [("system", f"Be brief. {SAID}"), ("user", SAID)]

        def tool_fails() -> None:
            asks_for = chat.bind_tools([kept]).invoke(asked).tool_calls
            with contextlib.suppress(RuntimeError):
                kept.invoke(asks_for[0])

        def failing() -> None:
            server.next(refused())
            with contextlib.suppress(openai.BadRequestError):
                chat.invoke(asked)

        async def plain_async() -> None:
            await chat.ainvoke(asked)

        yield {
            "plain": lambda: _none(chat.invoke(asked)),
            "streamed": lambda: _none(list(chat.stream(asked))),
            "plain_async": plain_async,
            "tool": tool_fails,
            "failing": failing,
        }


@contextlib.contextmanager
def pydantic_ai_calls() -> Iterator[Calls]:
    from pydantic_ai import Agent
    from pydantic_ai.exceptions import ModelHTTPError
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    with openai_server() as server:
        client: Any = openai.AsyncOpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0)
        model = OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client))
        agent = Agent(model, name="helper", instructions=f"Be brief. {SAID}")
        with_tool = Agent(model, name="helper", instructions=f"Be brief. {SAID}")

        @with_tool.tool_plain
        def keep_note(note: str) -> str:
            raise RuntimeError(FAILED)

        async def plain() -> None:
            await agent.run(SAID)

        async def streamed() -> None:
            async with agent.run_stream(SAID) as stream:
                async for _ in stream.stream_text():
                    pass

        async def tool_fails() -> None:
            with contextlib.suppress(RuntimeError):
                await with_tool.run(SAID)

        async def failing() -> None:
            server.next(refused())
            with contextlib.suppress(ModelHTTPError):
                await agent.run(SAID)

        yield {"plain": plain, "streamed": streamed, "tool": tool_fails, "failing": failing}


def _none(_: object) -> None:
    """Let a call's answer go."""


LIBRARIES: dict[str, Callable[[], contextlib.AbstractContextManager[Calls]]] = {
    "openai": openai_calls,
    "anthropic": anthropic_calls,
    "litellm": litellm_calls,
    "langchain": langchain_calls,
    "pydantic-ai": pydantic_ai_calls,
}
