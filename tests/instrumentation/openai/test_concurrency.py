"""Many calls at once: each has its own messages, under its own parent."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import aotel
from tests.instrumentation.either import each, got
from tests.instrumentation.openai.clients import client_of
from tests.recording import context_of

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded


def assert_not_mixed_up(recorded: Recorded, number: int) -> None:
    """Fail unless each call is under the step that made it, with what was said in it."""
    operations = recorded.operations
    steps = {each.context.span_id: each.span.name for each in operations if each.span.name.startswith("step ")}
    calls = [operation for operation in operations if operation.span.name == "chat m"]
    assert len(calls) == number
    assert len(steps) == number
    for call in calls:
        assert call.span.parent is not None
        tag = steps.pop(call.span.parent.span_id).removeprefix("step ")
        (asked,) = json.loads(call.attributes["gen_ai.input.messages"])
        (told,) = json.loads(call.attributes["gen_ai.output.messages"])
        assert asked["parts"][0]["content"] == f"I am {tag}"
        assert told["parts"][0]["content"] == f"echo I am {tag}"
        assert call.attributes["gen_ai.usage.input_tokens"] == 30


def asking(tag: int) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": f"I am {tag}"}], "stream": tag % 2 == 0}


async def test_two_hundred_tasks(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire, "AsyncOpenAI", timeout=30)

    async def call(tag: int) -> None:
        with aotel.step(f"step {tag}"):
            answer = await got(client.chat.completions.create(**asking(tag)))
            if tag % 2 == 0:
                said = [chunk async for chunk in each(answer)]
                assert "".join(chunk.choices[0].delta.content or "" for chunk in said) == f"echo I am {tag}"

    await asyncio.gather(*map(call, range(200)))
    assert_not_mixed_up(recorded, 200)


def test_thirty_two_threads(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire, timeout=30)

    def call(tag: int) -> None:
        with aotel.step(f"step {tag}"):
            answer = client.chat.completions.create(**asking(tag))
            if tag % 2 == 0:
                list(answer)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(call, range(128)))
    assert_not_mixed_up(recorded, 128)


def test_streams_that_are_read_by_turns(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    streams = []
    for tag in range(0, 20, 2):
        with aotel.step(f"step {tag}"):
            streams.append(client.chat.completions.create(**asking(tag)))
    for chunks in zip(*streams, strict=True):
        with aotel.step("between"):
            assert len(chunks) == 10
    for stream in streams:
        stream.close()
    assert_not_mixed_up(recorded, 10)


async def test_a_stream_that_another_task_reads(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire, "AsyncOpenAI")
    with aotel.step("step 0"):
        stream = await client.chat.completions.create(**asking(0))

    async def read() -> int:
        return len([chunk async for chunk in stream])

    assert await asyncio.create_task(read()) == 4
    step, call = recorded.operations
    assert call.span.parent is not None
    assert call.span.parent.span_id == context_of(step.span).span_id
