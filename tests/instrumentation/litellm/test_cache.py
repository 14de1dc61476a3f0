"""Answers out of litellm's own cache: a span, since the program made a call, without tokens, which nobody produced."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentation.litellm.functions import ROWS, called

if TYPE_CHECKING:
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded


@pytest.fixture(autouse=True)
def _cache(litellm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from litellm.caching.caching import Cache

    try:
        import_module("litellm.llms.anthropic.messages.native.response_cache")
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith("litellm"):
            pytest.skip(f"the cache of this version needs {missing.name}: it is for the proxy")
    monkeypatch.setattr(litellm, "cache", Cache())


@pytest.mark.parametrize("function", ["completion", "text_completion", "embedding"])
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
async def test_hit_is_a_span_without_tokens(
    function: str, prefix: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    row = ROWS[function]
    for _ in range(2):
        await called(litellm, prefix + function, **row.arguments, **server.openai)
        await asyncio.sleep(0.3)  # answers are put into the cache in the background
    assert len(server.requests) == 1
    miss, hit = recorded.operations
    assert miss.attributes["gen_ai.usage.input_tokens"] > 0
    assert not [name for name in hit.attributes if "usage" in name or "token_count" in name]
    assert hit.attributes["gen_ai.request.model"] == miss.attributes["gen_ai.request.model"]
    assert hit.attributes["input.value"] == miss.attributes["input.value"]
    assert hit.attributes.get("output.value") == miss.attributes.get("output.value")


@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
async def test_streamed_hit(prefix: str, litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    row = ROWS["completion"]
    for _ in range(2):
        await called(litellm, prefix + "completion", **row.arguments, **server.openai, stream=True)
        await asyncio.sleep(0.3)
    assert len(server.requests) == 1
    _, hit = recorded.operations
    assert hit.attributes["output.value"] == row.says["output.value"]
    assert hit.attributes["aot.stream.count"] > 0
    assert "gen_ai.usage.input_tokens" not in hit.attributes


async def test_embeddings_of_which_some_are_known(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    model = "openai/text-embedding-3-small"
    await litellm.aembedding(model=model, input=["a", "b"], **server.openai)
    await litellm.aembedding(model=model, input=["a", "b", "c"], **server.openai)
    first, second = recorded.operations
    assert first.attributes["gen_ai.usage.input_tokens"] == 4
    assert second.attributes["gen_ai.usage.input_tokens"] == 4
    assert second.attributes["input.value"].endswith("c")  # some versions hand all of them on, and ask for one
