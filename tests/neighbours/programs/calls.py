"""A program under several instrumentors, in the order in which they are named; prints the spans of every call.

Run by path, with the names as one argument, separated by commas, and those of the calls, if not all, as another.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import anthropic
import openai

from aotel import step
from aotel.testing import record_spans
from tests.neighbours.programs.instrumentors import switch_on
from tests.neighbours.programs.wire import serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

URL = serve()
MODEL = "model-1"
MESSAGES: Any = [{"role": "user", "content": "hi"}]
CALLS: dict[str, tuple[Callable[[], Any], int]] = {}
"""By name, what makes requests, and how many."""

client = openai.OpenAI(api_key="k", base_url=f"{URL}/v1")
async_client = openai.AsyncOpenAI(api_key="k", base_url=f"{URL}/v1")
claude = anthropic.Anthropic(api_key="k", base_url=URL)


def call(requests: int = 1) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def remember(fn: Callable[[], Any]) -> Callable[[], Any]:
        CALLS[fn.__name__] = (fn, requests)
        return fn

    return remember


def openai_calls() -> None:
    @call()
    def plain() -> None:
        client.chat.completions.create(model=MODEL, messages=MESSAGES)

    @call()
    def streamed() -> None:
        list(client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))

    @call()
    async def plain_async() -> None:
        await async_client.chat.completions.create(model=MODEL, messages=MESSAGES)

    @call()
    async def streamed_async() -> None:
        async for _ in await async_client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True):
            pass

    @call(2)
    async def parallel() -> None:
        await asyncio.gather(plain_async(), streamed_async())

    @call()
    def embedded() -> None:
        client.embeddings.create(model=MODEL, input="hi")


def anthropic_calls() -> None:
    asked: dict[str, Any] = {"model": MODEL, "messages": MESSAGES, "max_tokens": 9}

    @call()
    def claude_plain() -> None:
        claude.messages.create(**asked)

    @call()
    def claude_streamed() -> None:
        list(claude.messages.create(**asked, stream=True))


def litellm_calls() -> None:
    import litellm

    asked: dict[str, Any] = {"model": f"openai/{MODEL}", "messages": MESSAGES, "api_key": "k", "api_base": f"{URL}/v1"}

    @call()
    def litellm_plain() -> None:
        litellm.completion(**asked)

    @call()
    def litellm_streamed() -> None:
        list(litellm.completion(**asked, stream=True))


def langchain_calls() -> None:
    from langchain_core.messages import HumanMessage
    from langchain_core.runnables import RunnableLambda
    from langchain_openai import ChatOpenAI

    settings: dict[str, Any] = {"model": MODEL, "api_key": "k", "base_url": f"{URL}/v1", "stream_usage": True}
    chat = ChatOpenAI(**settings)

    @call()
    def chain_plain() -> None:
        chat.invoke("hi")

    @call()
    def chain_streamed() -> None:
        list(chat.stream("hi"))

    @call()
    async def chain_plain_async() -> None:
        await chat.ainvoke("hi")

    @call()
    async def chain_streamed_async() -> None:
        async for _ in chat.astream("hi"):
            pass

    @call(2)
    async def chain_parallel() -> None:
        await asyncio.gather(chat.ainvoke("a"), chat.ainvoke("b"))

    @call(2)
    def chain_in_threads() -> None:
        chat.batch(["a", "b"])

    @call(2)
    def chain_of_two_prompts() -> None:
        chat.generate([[HumanMessage("a")], [HumanMessage("b")]])

    @call(4)
    async def chain_beside_direct_calls() -> None:
        direct = async_client.chat.completions.create(model=MODEL, messages=MESSAGES)
        with step("all"):
            await asyncio.gather(chat.ainvoke("a"), direct, chain_streamed_async(), chat.ainvoke("b"))

    @call(2)
    def chain_with_both_inside() -> None:
        def both(text: str) -> Any:
            client.chat.completions.create(model=MODEL, messages=MESSAGES)
            return chat.invoke(text)

        RunnableLambda(both).invoke("hi")


def instrument(name: str) -> None:
    if name == "aotel":
        with record_spans():  # the first of them configures
            return
    switch_on(name)


def shown(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    assert span.instrumentation_scope is not None
    return {
        "name": span.name,
        "scope": span.instrumentation_scope.name,
        "id": span.context.span_id,
        "trace": span.context.trace_id,
        "parent": span.parent.span_id if span.parent is not None else None,
        "attributes": dict(span.attributes or {}),
    }


def main() -> None:
    order = sys.argv[1].split(",")
    chosen = sys.argv[2].split(",") if len(sys.argv) > 2 else []
    for name in order:
        instrument(name)
    openai_calls()
    anthropic_calls()
    if "openinference-litellm" in order:
        litellm_calls()
    if "openinference-langchain" in order:
        langchain_calls()
    loop = asyncio.new_event_loop()
    seen = {}
    for name, (fn, requests) in CALLS.items():
        if chosen and name not in chosen:
            continue
        with record_spans() as recorded:
            made = fn()
            if made is not None:
                loop.run_until_complete(made)
            seen[name] = {"requests": requests, "spans": [shown(span) for span in recorded.spans]}
    loop.run_until_complete(loop.shutdown_asyncgens())
    print(json.dumps(seen))


main()
