"""Under a processor that calls its processors in threads of its own, spans are what they are under any other."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, TracerProvider
from opentelemetry.trace import Status, StatusCode, Tracer

import aotel
from tests.recording import Recorded, recording

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
CHAT: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "model-1"}
USAGE = {"gen_ai.usage.input_tokens": 7}


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    concurrent = TracerProvider(active_span_processor=ConcurrentMultiSpanProcessor(2))
    yield concurrent
    concurrent.shutdown()


@pytest.fixture
def recorded(provider: TracerProvider) -> Iterator[Recorded]:
    with recording(tracer_provider=provider) as found:
        yield found


@pytest.fixture
def tracer(provider: TracerProvider, recorded: Recorded) -> Tracer:
    return provider.get_tracer("instrumentor")


@aotel.coat("tool")
def search(query: str) -> list[str]:
    aotel.tie("found", {"documents": 1})
    return ["found", query]


@aotel.coat("agent")
def agent(query: str) -> list[str]:
    return search(query)


def test_calls_of_ours_are_whole(recorded: Recorded) -> None:
    with aotel.session("s-1"):
        agent(SECRET)
    outer, inner, around = recorded.named("agent"), recorded.named("search"), recorded.named("session")
    assert inner.span.parent is not None
    assert inner.span.parent.span_id == outer.context.span_id
    assert outer.start["ids"]["parent_span_id"] == f"sp_{around.context.span_id:016x}"
    assert {operation.start["ids"]["session_id"] for operation in (outer, inner, around)} == {"s-1"}
    assert inner.attributes["session.id"] == "s-1"
    assert [envelope["kind"] for envelope in inner.between] == ["coat.emit"]
    assert "<redacted:" in inner.attributes["input.value"]
    assert inner.start["payload"]["preview"]["args"] == [f"'{inner.attributes['input.value'].split(chr(34))[3]}'"]
    assert SECRET not in repr([(operation.start, operation.end, operation.attributes) for operation in (inner, outer)])


def test_spans_of_others_have_their_session_and_their_parent(recorded: Recorded, tracer: Tracer) -> None:
    with aotel.session("s-1"), tracer.start_as_current_span("outer", attributes=CHAT) as outer:
        with tracer.start_as_current_span("inner", attributes=CHAT) as inner:
            inner.set_attributes(USAGE)
        outer.set_attributes(USAGE)
    found, counting = recorded.named("outer"), recorded.named("inner")
    assert (found.start["ids"]["session_id"], found.attributes["session.id"]) == ("s-1", "s-1")
    assert counting.attributes["llm.token_count.prompt"] == 7
    assert "llm.token_count.prompt" not in found.attributes


def test_events_status_and_name_are_clean(recorded: Recorded, tracer: Tracer) -> None:
    with tracer.start_as_current_span(f"chat {SECRET}", attributes=CHAT) as span:
        span.add_event("said", {"text": SECRET})
        span.set_status(Status(StatusCode.ERROR, f"no {SECRET}"))
    (left,) = recorded.spans
    assert SECRET not in left.to_json()
    assert left.to_json().count("<redacted:") >= 3


def test_parallel_tasks_and_threads_do_not_mix(recorded: Recorded) -> None:
    async def one(number: int) -> None:
        async with aotel.session(f"task-{number}"):
            await asyncio.sleep(0)
            agent(f"task-{number}")

    async def all_at_once() -> None:
        await asyncio.gather(*(one(number) for number in range(8)))

    def in_thread(number: int) -> None:
        with aotel.session(f"thread-{number}"):
            agent(f"thread-{number}")

    asyncio.run(all_at_once())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(in_thread, range(8)))
    searches = [operation for operation in recorded.operations if operation.span.name == "search"]
    assert len(searches) == 16
    for operation in searches:
        session = operation.start["ids"]["session_id"]
        assert operation.start["payload"]["preview"]["args"] == [repr(session)]
        assert operation.end["ids"]["session_id"] == operation.attributes["session.id"] == session
