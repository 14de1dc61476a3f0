"""Async generators under `coat`: the whole protocol passes through, between steps and tasks nobody sees the span."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from opentelemetry import trace

from aotel import coat, step, tie
from tests.recording import recording
from tests.tracing.generator_scripts import Body, Consumer, async_generator, bodies, consume_async, consumers
from tests.tracing.test_generators import consumer_starts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator

    from tests.recording import Recorded

coated_generator = coat("tool", async_generator)


def test_protocol_is_that_of_the_undecorated_twin() -> None:
    with recording() as recorded:

        @given(bodies, consumers)
        def compare(body: Body, consumer: Consumer) -> None:
            recorded.clear()

            async def both() -> None:
                expected = await consume_async(async_generator, body, consumer)
                assert await consume_async(coated_generator, body, consumer) == expected

            asyncio.run(both())
            assert len(recorded.operations) == (1 if consumer_starts(consumer) else 0)

        compare()


@coat("tool")
async def numbers(count: int = 3) -> AsyncGenerator[int, object]:
    """Count, with pauses."""
    for number in range(count):
        await asyncio.sleep(0)
        yield number


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[Any]]:
    """What Python complains about behind everybody's back; nothing, at the end of the test."""
    found: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", found.append)
    yield found
    gc.collect()
    assert found == []
    assert [record.getMessage() for record in caplog.get_records("call")] == []


async def test_exhausted_generator_ends_with_its_count(recorded: Recorded) -> None:
    assert [number async for number in numbers()] == [0, 1, 2]
    assert recorded.operation.outcome == "ok"
    assert recorded.operation.end["payload"]["result_preview"] == "{'yields': 3}"


async def test_early_break_ends_as_abandoned(recorded: Recorded, noise: list[Any]) -> None:
    async for number in numbers():
        if number == 1:
            break
    gc.collect()
    for _ in range(3):  # the event loop closes it in a task of its own
        await asyncio.sleep(0)
    assert recorded.operation.outcome == "abandoned"


async def test_closed_generator_ends_as_abandoned(recorded: Recorded, noise: list[Any]) -> None:
    async with contextlib.aclosing(numbers()) as subject:
        await anext(subject)
    assert recorded.operation.outcome == "abandoned"
    await subject.aclose()
    assert [number async for number in subject] == []
    assert len(recorded.operations) == 1


@pytest.mark.parametrize("waits", [False, True])
def test_generator_that_is_open_when_the_loop_ends_is_abandoned(
    waits: bool, recorded: Recorded, noise: list[Any]
) -> None:
    closed: list[str] = []

    @coat("tool")
    async def watching() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            if waits:
                await asyncio.sleep(0)
            closed.append("body")

    kept: list[Any] = []

    async def main() -> None:
        subject = watching()
        kept.append(subject)
        assert await anext(subject) == 1

    asyncio.run(main())
    assert closed == ["body"]
    assert recorded.operation.outcome == "abandoned"


def test_generator_without_an_event_loop_is_ended_by_the_collector(recorded: Recorded, noise: list[Any]) -> None:
    @coat("tool")
    async def watching() -> AsyncIterator[int]:
        yield 1
        yield 2

    subject = watching()
    with pytest.raises(StopIteration) as stop:
        anext(subject).__await__().send(None)
    assert stop.value.value == 1
    del subject, stop
    gc.collect()
    assert recorded.operation.outcome == "abandoned"


async def test_unstarted_generator_makes_no_span_and_no_noise(recorded: Recorded, noise: list[Any]) -> None:
    await numbers().aclose()
    numbers()
    with pytest.raises(KeyError):
        await numbers().athrow(KeyError())
    gc.collect()
    assert recorded.operations == []


async def test_step_that_nobody_awaits_makes_no_span(recorded: Recorded) -> None:
    subject = numbers()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python 3.13 says so itself
        unawaited = subject.__anext__()
        del unawaited
    assert [number async for number in subject] == [0, 1, 2]
    assert len(recorded.operations) == 1


async def test_span_starts_at_the_first_step_with_the_parent_of_its_creation(recorded: Recorded) -> None:
    with step("creation"):
        subject = numbers()
    with step("consumption"):
        assert [number async for number in subject] == [0, 1, 2]
    creation, operation = recorded.named("creation"), recorded.named("numbers")
    assert operation.span.parent == creation.context
    assert (operation.span.start_time or 0) >= (creation.span.end_time or 0)


async def test_consumer_never_sees_the_span_as_current(recorded: Recorded) -> None:
    inside: list[int] = []
    outside: list[Any] = []

    @coat("tool")
    async def watching() -> AsyncIterator[int]:
        for number in range(3):
            inside.append(trace.get_current_span().get_span_context().span_id)
            await asyncio.sleep(0.001)
            inside.append(trace.get_current_span().get_span_context().span_id)
            yield number

    async def bystander() -> None:
        for _ in range(20):
            outside.append(trace.get_current_span())
            await asyncio.sleep(0)

    other = asyncio.create_task(bystander())
    with step("outer"):
        outer = trace.get_current_span()
        async for _ in watching():
            assert trace.get_current_span() is outer
            await asyncio.sleep(0)
            assert trace.get_current_span() is outer
    await other
    assert set(outside) == {trace.INVALID_SPAN}
    assert set(inside) == {recorded.named("watching").context.span_id}


async def test_tasks_made_between_steps_are_no_children(recorded: Recorded) -> None:
    async def task() -> None:
        with step("task"):
            await asyncio.sleep(0)

    async for _ in numbers(2):
        await asyncio.create_task(task())
    parents = [operation.span.parent for operation in recorded.operations if operation.span.name == "task"]
    assert parents == [None, None]


async def test_each_step_may_be_taken_by_another_task(recorded: Recorded, noise: list[Any]) -> None:
    subject = numbers(3)

    async def one_step() -> int:
        return await anext(subject)

    assert [await asyncio.create_task(one_step()) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(StopAsyncIteration):
        await asyncio.create_task(one_step())
    assert recorded.operation.outcome == "ok"


async def test_many_generators_at_once_keep_apart(recorded: Recorded) -> None:
    @coat("tool")
    async def watching() -> AsyncIterator[int]:
        for _ in range(5):
            await asyncio.sleep(0)
            yield trace.get_current_span().get_span_context().span_id

    async def consumer() -> set[int]:
        return {span_id async for span_id in watching()}

    found = await asyncio.gather(*(consumer() for _ in range(20)))
    assert all(len(ids) == 1 for ids in found)
    assert len(set.union(*found)) == len(recorded.operations) == 20


@pytest.mark.parametrize("when", ["in a step", "between steps"])
async def test_cancelled_consumer_ends_the_span(when: str, recorded: Recorded, noise: list[Any]) -> None:
    @coat("tool")
    async def slow() -> AsyncIterator[int]:
        yield 1
        if when == "in a step":
            await asyncio.sleep(60)
        yield 2

    async def consumer() -> None:
        async for _ in slow():
            if when == "between steps":
                await asyncio.sleep(60)

    task = asyncio.create_task(consumer())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    await asyncio.sleep(0.01)
    assert recorded.operation.outcome == ("cancelled" if when == "in a step" else "abandoned")


async def test_timeout_in_a_step_is_the_consumers(recorded: Recorded, noise: list[Any]) -> None:
    @coat("tool")
    async def slow() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(60)
        yield 2

    subject = slow()
    assert await anext(subject) == 1
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(anext(subject), 0.01)
    assert [number async for number in subject] == []
    assert recorded.operation.outcome == "cancelled"


async def test_body_that_goes_on_after_a_cancelled_step_keeps_its_span(recorded: Recorded) -> None:
    @coat("tool")
    async def patient() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            yield "cancelled"
        yield "went on"

    subject = patient()

    async def first() -> str:
        return await anext(subject)

    task = asyncio.create_task(first())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "cancelled"
    assert await anext(subject) == "went on"
    with pytest.raises(StopAsyncIteration):
        await anext(subject)
    assert recorded.operation.outcome == "ok"


def tangle(make: Any, which: str) -> Coroutine[Any, Any, list[tuple[str, str]]]:
    """Take a step, or close, while another step is under way; return what was said to it."""

    async def main() -> list[tuple[str, str]]:
        subject = make()
        said = []
        under_way = asyncio.ensure_future(anext(subject))
        await asyncio.sleep(0)
        try:
            await (subject.aclose() if which == "aclose" else anext(subject))
        except RuntimeError as error:
            said.append(("RuntimeError", str(error)))
        said.append(("first", str(await under_way)))
        await subject.aclose()
        return said

    return main()


@pytest.mark.parametrize("which", ["aclose", "anext"])
def test_second_step_at_once_is_refused_as_python_refuses_it(which: str, recorded: Recorded, noise: list[Any]) -> None:
    async def body() -> AsyncIterator[int]:
        await asyncio.sleep(0.01)
        yield 1
        yield 2

    expected = asyncio.run(tangle(body, which))
    assert asyncio.run(tangle(coat("tool", body), which)) == expected
    assert recorded.operation.outcome == "abandoned"


async def test_body_that_yields_after_close_is_told_off(recorded: Recorded) -> None:
    @coat("tool")
    async def stubborn() -> AsyncGenerator[int, None]:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    subject = stubborn()
    await anext(subject)
    with pytest.raises(RuntimeError, match="async generator ignored GeneratorExit"):
        await subject.aclose()
    assert recorded.operation.outcome == "abandoned"


async def test_nested_async_generators_nest_their_spans(recorded: Recorded) -> None:
    @coat("tool")
    async def tree(depth: int) -> AsyncIterator[int]:
        yield depth
        if depth:
            async for value in tree(depth - 1):
                yield value

    assert [value async for value in tree(2)] == [2, 1, 0]
    inner, middle, outer = recorded.operations
    assert inner.span.parent == middle.context
    assert middle.span.parent == outer.context


async def test_abandoned_nest_is_closed_from_the_outside_in(recorded: Recorded, noise: list[Any]) -> None:
    @coat("tool")
    async def tree(depth: int) -> AsyncIterator[int]:
        yield depth
        async for value in tree(depth + 1):
            yield value

    async for value in tree(0):
        if value == 5:
            break
    gc.collect()
    await asyncio.sleep(0.01)
    assert [operation.outcome for operation in recorded.operations] == ["abandoned"] * 6


async def test_events_are_tied_in_any_step(recorded: Recorded) -> None:
    @coat("tool")
    async def talking() -> AsyncIterator[int]:
        tie("first")
        yield 1
        tie("second")

    async for _ in talking():
        tie("from the consumer")
    assert [envelope["payload"]["tag"] for envelope in recorded.operation.between] == ["first", "second"]


async def test_asynccontextmanager_over_coat(recorded: Recorded) -> None:
    @contextlib.asynccontextmanager
    @coat("tool")
    async def connection(name: str) -> AsyncIterator[str]:
        try:
            yield name
        except KeyError:
            tie("recovered")

    async with connection("db") as name:
        assert name == "db"
        assert trace.get_current_span() is trace.INVALID_SPAN
        raise KeyError
    assert recorded.operation.outcome == "ok"
    assert [event.name for event in recorded.operation.span.events] == ["recovered"]
