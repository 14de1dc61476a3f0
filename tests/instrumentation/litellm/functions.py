"""The public functions of litellm, each as a row: how it is called, and what its span has to say."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.instrumentation.litellm.wire import TEXT

if TYPE_CHECKING:
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Ended, Recorded

PROMPT = "Say hello"
MESSAGES = [{"role": "user", "content": PROMPT}]


class Row(NamedTuple):
    """One function with one provider.

    Args:
        function: its name, without the `a` of the asynchronous one.
        arguments: names and values, in the order of the function's parameters.
        is_openai: whether the provider speaks OpenAI's API.
        says: attributes of the span.
        streams: whether it can be streamed.
    """

    function: str
    arguments: dict[str, Any]
    is_openai: bool
    says: dict[str, Any]
    streams: bool = True

    def options(self, server: ProviderServer) -> dict[str, Any]:
        return server.openai if self.is_openai else server.other


_OPENAI = {
    "gen_ai.provider.name": "openai",
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.cache_read.input_tokens": 3,
    "gen_ai.usage.reasoning.output_tokens": 2,
    "gen_ai.response.finish_reasons": ("stop",),
    "output.value": TEXT,
    "input.value": PROMPT,
}
_ANTHROPIC = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "claude-x",
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.cache_read.input_tokens": 3,
    "gen_ai.usage.cache_write.input_tokens": 1,
    "gen_ai.response.finish_reasons": ("stop",),
    "output.value": TEXT,
    "input.value": PROMPT,
}
_CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"}
_TEXT = {"gen_ai.operation.name": "text_completion", "gen_ai.request.model": "gpt-3.5-turbo-instruct"}

ROWS = {
    "completion": Row("completion", {"model": "openai/gpt-4o-mini", "messages": MESSAGES}, True, {**_OPENAI, **_CHAT}),
    "completion without prefix": Row(
        "completion", {"model": "gpt-4o-mini", "messages": MESSAGES}, True, {**_OPENAI, **_CHAT}
    ),
    "completion of Anthropic": Row(
        "completion", {"model": "anthropic/claude-x", "messages": MESSAGES}, False, {**_ANTHROPIC}
    ),
    "text_completion": Row(
        "text_completion", {"prompt": PROMPT, "model": "openai/gpt-3.5-turbo-instruct"}, True, {**_OPENAI, **_TEXT}
    ),
    "text_completion of Anthropic": Row(
        "text_completion", {"prompt": PROMPT, "model": "anthropic/claude-x"}, False, _ANTHROPIC
    ),
    "responses": Row("responses", {"input": PROMPT, "model": "openai/gpt-4o-mini"}, True, {**_OPENAI, **_CHAT}),
    "responses by completion": Row(
        "responses",
        {"input": PROMPT, "model": "anthropic/claude-x"},
        False,
        {name: value for name, value in _ANTHROPIC.items() if "cache" not in name},
    ),
    "embedding": Row(
        "embedding",
        {"model": "openai/text-embedding-3-small", "input": ["a b", "c d"]},
        True,
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 4,
            "gen_ai.embeddings.dimension.count": 8,
            "embedding.embeddings.1.embedding.text": "c d",
        },
        streams=False,
    ),
    "rerank": Row(
        "rerank",
        {"model": "cohere/rerank-v3.5", "query": "which", "documents": ["first", {"text": "second"}]},
        False,
        {
            "gen_ai.provider.name": "cohere",
            "reranker.query": "which",
            "reranker.input_documents.0.document.content": "first",
            "reranker.output_documents.0.document.content": "second",
            "reranker.output_documents.0.document.score": 0.9,
        },
        streams=False,
    ),
}


async def called(litellm: Any, name: str, *args: Any, **kwargs: Any) -> Any:
    """Call a function of litellm, whichever kind it is; read a stream to its end."""
    result = getattr(litellm, name)(*args, **kwargs)
    if inspect.isawaitable(result):
        result = await result
    if hasattr(result, "__anext__") and name.startswith("a"):
        return [chunk async for chunk in result]
    return list(result) if hasattr(result, "__next__") else result


async def collected(recorded: Recorded) -> Ended:
    """Wait until a stream that nobody has any more is collected: litellm logs its chunks in a thread for a while."""
    for _ in range(100):
        # Versions before 1.80 remember the variables of the latest call.
        getattr(sys.modules["litellm"], "error_logs", {}).clear()
        gc.collect()
        if recorded.spans:
            break
        await asyncio.sleep(0.01)
    return recorded.operation
