"""Retries, fallbacks and routers: each attempt that reaches a provider is a span, and no token is counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat
from tests.instrumentation.litellm.functions import MESSAGES, called
from tests.instrumentation.litellm.wire import TEXT

if TYPE_CHECKING:
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded


def outcomes(recorded: Recorded) -> list[tuple[str, str]]:
    return [(call.attributes["gen_ai.request.model"], call.outcome) for call in recorded.operations]


def tokens(recorded: Recorded) -> int:
    return sum(call.attributes.get("gen_ai.usage.input_tokens", 0) for call in recorded.operations)


@pytest.mark.parametrize("name", ["completion", "acompletion"])
async def test_each_retry_is_a_span(name: str, litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    pytest.importorskip("tenacity")
    server.failures["broken"] = 2  # the first attempt is sent twice by the SDK below
    answer = await called(litellm, name, "openai/broken", MESSAGES, num_retries=1, **server.openai)
    assert answer.choices[0].message.content == TEXT
    assert outcomes(recorded) == [("broken", "error"), ("broken", "ok")]
    assert len(server.requests) == 3
    assert tokens(recorded) == 11


@pytest.mark.parametrize("name", ["completion", "acompletion"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_each_fallback_is_a_span(
    name: str, stream: bool, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    if stream and name == "completion":
        pytest.skip("litellm makes an asynchronous stream in a loop of its own, which nobody can read")

    @coat("step")
    async def agent() -> None:
        options = {"max_retries": 0, "stream": stream, **server.openai}
        await called(litellm, name, "openai/broken", MESSAGES, fallbacks=["openai/gpt-4o-mini"], **options)

    await agent()
    first, second, step = recorded.operations
    assert [first.outcome, second.outcome] == ["error", "ok"]
    assert second.attributes["gen_ai.request.model"] == "gpt-4o-mini"
    for call in (first, second):
        assert call.span.parent is not None
        assert call.span.parent.span_id == step.context.span_id
    assert second.attributes["gen_ai.usage.input_tokens"] == 11


def router(litellm: Any, server: ProviderServer, **options: Any) -> Any:
    deployments = [
        {"model_name": name, "litellm_params": {"model": f"openai/{model}", "max_retries": 0, **server.openai}}
        for name, model in (("first", "broken"), ("second", "gpt-4o-mini"), ("limited", "limited"))
    ]
    return litellm.Router(model_list=deployments, fallbacks=[{"first": ["second"]}], **options)


@pytest.mark.parametrize("name", ["completion", "acompletion"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_router_and_its_fallback(
    name: str, stream: bool, litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    routed = router(litellm, server, num_retries=0)
    await called(routed, name, "first", MESSAGES, **({"stream": True} if stream else {}))
    assert outcomes(recorded) == [("broken", "error"), ("gpt-4o-mini", "ok")]
    assert tokens(recorded) == 11
    assert recorded.operations[-1].attributes["output.value"] == TEXT


async def test_retries_of_a_router_are_spans_each(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    server.failures["broken"] = 1
    routed = router(litellm, server, num_retries=2, retry_after=0)
    await routed.acompletion("first", MESSAGES)
    assert outcomes(recorded) == [("broken", "error"), ("broken", "ok")]
    assert len(server.requests) == 2


async def test_router_without_a_deployment_reaches_nobody(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    with pytest.raises(litellm.BadRequestError):
        await router(litellm, server).acompletion("unknown", MESSAGES)
    assert recorded.spans == []


async def test_router_embeds(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    routed = router(litellm, server)
    await routed.aembedding("second", ["a", "b"])
    routed.embedding("second", ["a", "b"])
    assert tokens(recorded) == 8
