"""Each public function, synchronous and not, in one piece and streamed: one call is one span, and is what it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat
from aotel.instrumentation import uninstrument
from tests.instrumentation.litellm.functions import MESSAGES, ROWS, called
from tests.instrumentation.litellm.wire import TEXT

if TYPE_CHECKING:
    from tests.instrumentation.litellm.functions import Row
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded


_MADE_UP = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
@pytest.mark.parametrize("by", ["position", "name"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_one_call_is_one_span(
    row: Row, prefix: str, by: str, stream: bool, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    if stream and not row.streams:
        pytest.skip("comes in one piece")
    args = tuple(row.arguments.values()) if by == "position" else ()
    kwargs = {} if by == "position" else dict(row.arguments)
    options = {**row.options(server), **({"stream": True} if stream else {})}

    @coat("step")
    async def agent() -> None:
        await called(litellm, prefix + row.function, *args, **kwargs, **options)

    await agent()
    call, step = recorded.operations
    assert call.span.parent is not None
    assert call.span.parent.span_id == step.context.span_id
    assert {name: call.attributes.get(name) for name in row.says} == row.says
    assert call.attributes["server.address"] == "127.0.0.1"
    assert call.attributes.get("gen_ai.request.stream") is (True if stream else None)
    assert call.outcome == "ok"
    assert len(server.requests) == 1
    if stream:
        assert call.attributes["aot.stream.count"] > 2
        assert call.attributes["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
async def test_what_a_call_returns_is_unchanged(
    row: Row, prefix: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    seen: list[Any] = []
    for on in (True, False):
        if not on:
            uninstrument("litellm", "openai")
        kwargs = {**row.arguments, **row.options(server)}
        whole = await called(litellm, prefix + row.function, **kwargs)
        said = whole.model_dump_json(exclude={"id", "created", "created_at", "completed_at"})
        seen.append((type(whole), _MADE_UP.sub("", said)))
        if row.streams:
            chunks = await called(litellm, prefix + row.function, **kwargs, stream=True)
            seen.append([(type(chunk), _shape(chunk)) for chunk in chunks])
    half = len(seen) // 2
    assert seen[:half] == seen[half:]


def _shape(chunk: Any) -> Any:
    """What a chunk says, without what is made up anew each time."""
    if not hasattr(chunk, "choices"):
        return chunk.type, getattr(chunk, "delta", None)
    said = chunk.model_dump(exclude={"id", "created"})
    usage = (getattr(chunk, "_hidden_params", None) or {}).get("usage")
    return said, None if usage is None else "usage"


async def test_types_of_streams(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    stream = litellm.completion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai)
    assert type(stream) is litellm.CustomStreamWrapper
    assert iter(stream) is stream
    list(stream)
    stream = await litellm.acompletion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai)
    assert type(stream) is litellm.CustomStreamWrapper
    assert [chunk async for chunk in stream]
    assert not [name for name in vars(stream) if "aotel" in name]


async def test_tools_and_parameters(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    tool = {"type": "function", "function": {"name": "look_up", "description": "Looks up", "parameters": {}}}
    litellm.completion(
        "openai/gpt-4o-mini", MESSAGES, tools=[tool], temperature=0.5, max_tokens=9, seed=3, stop=["x"], **server.openai
    )
    said = recorded.operation.attributes
    assert said["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert said["gen_ai.request.temperature"] == 0.5
    assert said["gen_ai.request.max_tokens"] == 9
    assert said["gen_ai.request.seed"] == 3
    assert said["gen_ai.request.stop_sequences"] == ("x",)
    assert said["gen_ai.response.id"] == "chatcmpl-1"
    assert said["gen_ai.response.model"] == "gpt-4o-mini-0613"
    assert said["aot.request_id"] == "req_1"
    assert "look_up" in said["gen_ai.tool.definitions"]
    assert said["llm.output_messages.0.message.tool_calls.0.tool_call.function.name"] == "look_up"


async def test_model_of_a_stream_is_the_one_that_answered(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    list(litellm.completion("openai/gpt-4o-mini", MESSAGES, stream=True, **server.openai))
    assert recorded.operation.attributes["gen_ai.response.model"].startswith("gpt-4o-mini")


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("azure/deployment-1", "azure.ai.openai", "deployment-1"),
        ("gemini/gemini-2.0-flash", "gcp.gemini", "gemini-2.0-flash"),
        ("vertex_ai/gemini-2.0-flash", "gcp.vertex_ai", "gemini-2.0-flash"),
        ("bedrock/anthropic.claude-v2", "aws.bedrock", "anthropic.claude-v2"),
        ("mistral/mistral-small", "mistral_ai", "mistral-small"),
        ("xai/grok-2", "x_ai", "grok-2"),
        ("openrouter/anthropic/claude-3", "openrouter", "anthropic/claude-3"),
        ("claude-sonnet-4-20250514", "anthropic", "claude-sonnet-4-20250514"),
        ("openai/responses/gpt-4o-mini", "openai", "gpt-4o-mini"),
    ],
)
async def test_names_of_providers(
    model: str, provider: str, name: str, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    litellm.completion(model, MESSAGES, mock_response="Mocked", api_base=server.root)
    said = recorded.operation.attributes
    assert (said["gen_ai.provider.name"], said["gen_ai.request.model"]) == (provider, name)
    assert said["output.value"] == "Mocked"
    assert "openai.api.type" not in said or provider in {"openai", "azure.ai.openai"}


async def test_provider_that_only_litellm_knows(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    base = "https://api.deepseek.com/v1"
    litellm.completion("made-up-model", MESSAGES, mock_response="Mocked", api_base=base)
    assert recorded.operation.attributes["gen_ai.provider.name"] == "deepseek"


async def test_completion_by_the_responses_api(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    for stream in (False, True):
        await called(litellm, "acompletion", "openai/responses/gpt-4o-mini", MESSAGES, stream=stream, **server.openai)
    whole, streamed = recorded.operations
    assert whole.attributes["output.value"] == streamed.attributes["output.value"] == TEXT
    assert whole.attributes["gen_ai.usage.input_tokens"] == 11
    if hasattr(litellm.CustomStreamWrapper, "close"):  # older versions lose it on this way
        assert streamed.attributes["gen_ai.usage.input_tokens"] == 11


async def test_calls_of_threads_of_a_batch_are_calls_each(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    litellm.batch_completion("openai/gpt-4o-mini", [MESSAGES, MESSAGES], **server.openai)
    assert [call.attributes["gen_ai.usage.input_tokens"] for call in recorded.operations] == [11, 11]
