"""Callbacks of the program that make calls themselves: each is a call of its own, beside the one it is told of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aotel import coat
from tests.instrumentation.litellm.functions import MESSAGES, ROWS, called

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.instrumentation.litellm.functions import Row
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Ended, Recorded

JUDGE = "judge-1"


@pytest.fixture
def judge(server: ProviderServer) -> Callable[[], None]:
    openai = pytest.importorskip("openai")

    def ask() -> None:
        with openai.OpenAI(base_url=server.openai["api_base"], api_key="sk-judge", max_retries=0) as client:
            client.chat.completions.create(model=JUDGE, messages=MESSAGES)

    return ask


def logger(**hooks: Any) -> Any:
    """A logger of the program's, which litellm tells of calls."""
    from litellm.integrations.custom_logger import CustomLogger

    methods = {name: lambda *_, hook=hook, **__: hook() for name, hook in hooks.items()}
    return type("Judge", (CustomLogger,), methods)()


async def operations(recorded: Recorded, number: int) -> list[Ended]:
    for _ in range(500):
        if len(recorded.spans) >= number:
            break
        await asyncio.sleep(0.01)
    return recorded.operations


def assert_told_apart(calls: list[Ended], judged: int) -> None:
    """The call and those of its callbacks stand beside each other, each with its own tokens."""
    (step,) = [call for call in calls if call.attributes["aot.operation"] == "step"]
    models = [call for call in calls if call is not step]
    names = [call.attributes["gen_ai.request.model"] for call in models]
    assert names.count(JUDGE) == judged
    assert len(names) == judged + 1
    for call in models:
        assert call.span.parent is not None
        assert call.span.parent.span_id == step.context.span_id
        assert call.attributes["gen_ai.usage.input_tokens"] in {10, 11}
        assert call.attributes["openinference.span.kind"] == "LLM"


CHAT = {name: ROWS[name] for name in ("completion", "text_completion", "responses by completion")}


@pytest.mark.parametrize("row", CHAT.values(), ids=CHAT.keys())
@pytest.mark.parametrize("prefix", ["", "a"], ids=["sync", "async"])
async def test_callback_before_the_request(
    row: Row, prefix: str, litellm: Any, server: ProviderServer, recorded: Recorded, judge: Any
) -> None:
    litellm.callbacks.append(logger(log_pre_api_call=judge))

    @coat("step")
    async def agent() -> None:
        await called(litellm, prefix + row.function, **row.arguments, **row.options(server))

    await agent()
    judged = sum(request["model"] == JUDGE for request in server.requests)
    assert judged >= 1
    assert_told_apart(await operations(recorded, judged + 2), judged)


@pytest.mark.parametrize("row", CHAT.values(), ids=CHAT.keys())
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_callback_after_success(
    row: Row, stream: bool, litellm: Any, server: ProviderServer, recorded: Recorded, judge: Any
) -> None:
    calls: list[int] = []

    def succeeded() -> None:
        if not calls:  # of a stream, litellm tells of every chunk
            calls.append(1)
            judge()

    litellm.callbacks.append(logger(log_success_event=succeeded, log_stream_event=succeeded))

    @coat("step")
    async def agent() -> None:
        await called(litellm, row.function, **row.arguments, **row.options(server), stream=stream)
        for _ in range(500):
            if any(request["model"] == JUDGE for request in server.requests):
                break
            await asyncio.sleep(0.01)

    await agent()
    assert_told_apart(await operations(recorded, 3), 1)


async def test_custom_logger_in_the_queue(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    openai = pytest.importorskip("openai")
    done = asyncio.Event()

    async def succeeded() -> None:
        async with openai.AsyncOpenAI(base_url=server.openai["api_base"], api_key="sk-judge") as client:
            await client.chat.completions.create(model=JUDGE, messages=MESSAGES)
        done.set()

    litellm.callbacks.append(logger(async_log_success_event=succeeded))

    @coat("step")
    async def agent() -> None:
        await litellm.atext_completion(model="anthropic/claude-x", prompt="Say hello", **server.other)
        await asyncio.wait_for(done.wait(), 10)

    await agent()
    assert_told_apart(await operations(recorded, 3), 1)


async def test_callback_after_failure(litellm: Any, server: ProviderServer, recorded: Recorded, judge: Any) -> None:
    litellm.callbacks.append(logger(log_failure_event=judge))
    with pytest.raises(litellm.RateLimitError):
        litellm.completion("openai/limited", MESSAGES, max_retries=0, **server.openai)
    calls = await operations(recorded, 2)
    assert [(call.attributes["gen_ai.request.model"], call.outcome) for call in calls] == [
        ("limited", "error"),
        (JUDGE, "ok"),
    ]


async def test_provider_of_the_program_makes_the_request_of_the_call(
    litellm: Any, server: ProviderServer, recorded: Recorded, judge: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(litellm.CustomLLM):  # type: ignore[misc]
        def completion(self, *_: Any, **__: Any) -> Any:
            judge()
            return litellm.completion("openai/gpt-4o-mini", MESSAGES, mock_response="Mine")

    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "own", "custom_handler": Own()}])
    litellm.completion("own/model-1", MESSAGES)
    call = recorded.operation
    assert call.attributes["gen_ai.provider.name"] == "own"
    assert call.attributes["output.value"] == "Mine"
