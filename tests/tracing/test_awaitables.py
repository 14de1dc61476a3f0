"""Plain functions that return something to wait for: the span ends when it does, and a Future stays the same object."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import types
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import coat, step

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator, Iterator

    from tests.recording import Recorded


async def work(result: object = "done", seconds: float = 0.0) -> object:
    await asyncio.sleep(seconds)
    return result


@coat("tool")
def returns_coroutine(result: object = "done") -> Coroutine[Any, Any, object]:
    return work(result)


@coat("tool")
def returns_task(result: object = "done", seconds: float = 0.0) -> asyncio.Task[object]:
    return asyncio.ensure_future(work(result, seconds))


async def test_span_lasts_until_the_coroutine_ends(recorded: Recorded) -> None:
    @coat("tool")
    def slow() -> Coroutine[Any, Any, object]:
        return work("done", 0.02)

    assert await slow() == "done"
    operation = recorded.operation
    assert operation.end["payload"]["duration_ms"] >= 15
    assert operation.end["payload"]["result_preview"] == "'done'"


async def test_span_is_current_while_the_coroutine_runs_and_not_before(recorded: Recorded) -> None:
    inside: list[Any] = []

    async def watching() -> None:
        inside.append(trace.get_current_span().get_span_context())

    @coat("tool")
    def returning() -> Coroutine[Any, Any, None]:
        return watching()

    coroutine = returning()
    assert trace.get_current_span() is trace.INVALID_SPAN
    with step("elsewhere"):
        await coroutine
    assert inside == [recorded.named("returning").context]


def test_coroutine_that_is_never_awaited_ends_as_abandoned(recorded: Recorded) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        twin = work()
        del twin
        expected = [(warning.category, str(warning.message)) for warning in caught]
        caught.clear()
        coroutine = returns_coroutine()
        del coroutine
        found = [(warning.category, str(warning.message)) for warning in caught]
        caught.clear()  # a warning holds the coroutine it is about
    assert recorded.operation.outcome == "abandoned"
    assert found == expected == [(RuntimeWarning, "coroutine 'work' was never awaited")]


def test_closed_coroutine_ends_as_abandoned_without_a_warning(recorded: Recorded) -> None:
    returns_coroutine().close()
    gc.collect()
    assert recorded.operation.outcome == "abandoned"


async def test_task_is_the_same_object(recorded: Recorded) -> None:
    made: list[asyncio.Task[object]] = []

    @coat("tool")
    def returning() -> asyncio.Task[object]:
        made.append(asyncio.ensure_future(work()))
        return made[0]

    task = returning()
    assert task is made[0]
    assert recorded.spans == []
    assert await task == "done"
    assert recorded.operation.end["payload"]["result_preview"] == "'done'"


@pytest.mark.parametrize(("ending", "outcome"), [("result", "ok"), ("exception", "error"), ("cancel", "cancelled")])
async def test_future_ends_the_span_by_callback(ending: str, outcome: str, recorded: Recorded) -> None:
    @coat("tool")
    def returning() -> asyncio.Future[str]:
        return asyncio.get_running_loop().create_future()

    future = returning()
    assert recorded.spans == []
    if ending == "result":
        future.set_result("done")
    elif ending == "exception":
        future.set_exception(LookupError("gone"))
    else:
        future.cancel()
    await asyncio.gather(future, return_exceptions=True)
    await asyncio.sleep(0)
    assert recorded.operation.outcome == outcome


async def test_exception_that_nobody_retrieves_is_still_reported_by_asyncio(
    recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    @coat("tool")
    def returning() -> asyncio.Future[str]:
        return asyncio.get_running_loop().create_future()

    future = returning()
    future.set_exception(LookupError("gone"))
    await asyncio.sleep(0)
    del future
    gc.collect()
    assert recorded.operation.outcome == "error"
    assert "Future exception was never retrieved" in caplog.text


async def test_future_that_is_done_already_ends_its_span(recorded: Recorded) -> None:
    @coat("tool")
    def returning() -> asyncio.Future[str]:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        future.set_result("done")
        return future

    assert await returning() == "done"
    await asyncio.sleep(0)
    assert recorded.operation.outcome == "ok"


async def test_task_inside_is_a_child_of_the_span(recorded: Recorded) -> None:
    @coat("tool")
    async def child() -> None:
        await asyncio.sleep(0)

    @coat("tool")
    def parent() -> asyncio.Task[None]:
        return asyncio.ensure_future(child())

    await parent()
    await asyncio.sleep(0)
    assert recorded.named("child").span.parent == recorded.named("parent").context


def test_future_of_an_executor_is_the_same_object(recorded: Recorded) -> None:
    made: list[concurrent.futures.Future[int]] = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:

        @coat("tool")
        def submit() -> concurrent.futures.Future[int]:
            made.append(pool.submit(int, "3"))
            return made[0]

        future = submit()
        assert future is made[0]
        assert future.result() == 3
    assert recorded.operation.outcome == "ok"


def test_awaitable_of_another_kind_passes_untouched(recorded: Recorded) -> None:
    class Later:
        def __await__(self) -> Generator[Any, Any, str]:
            yield from asyncio.sleep(0).__await__()
            return "done"

    later = Later()

    @coat("tool")
    def returning() -> Later:
        return later

    async def main() -> object:
        result = returning()
        assert result is later
        return await result

    assert asyncio.run(main()) == "done"
    assert recorded.operation.outcome == "ok"


def test_coroutines_of_generators_are_awaited_too(recorded: Recorded) -> None:
    @types.coroutine
    def old_style() -> Any:
        yield from asyncio.sleep(0).__await__()
        return "done"

    coated = coat("tool", old_style)

    async def main() -> object:
        return await coated()

    assert asyncio.run(main()) == "done"
    assert recorded.operation.outcome == "ok"


@pytest.mark.parametrize("make", [lambda: iter([1, 2]), lambda: (n for n in (1, 2)), lambda: map(int, "12")])
def test_returned_iterators_are_never_consumed(make: Any, recorded: Recorded) -> None:
    made: list[Iterator[int]] = []

    @coat("tool")
    def returning() -> Iterator[int]:
        made.append(make())
        return made[0]

    result = returning()
    assert result is made[0]
    assert recorded.operation.outcome == "ok"
    assert list(result) == [1, 2]


async def test_returned_async_generators_are_never_consumed(recorded: Recorded) -> None:
    async def numbers() -> Any:
        yield 1

    @coat("tool")
    def returning() -> Any:
        return numbers()

    result = returning()
    assert recorded.operation.outcome == "ok"
    assert [number async for number in result] == [1]


async def test_gather_keeps_siblings_apart(recorded: Recorded) -> None:
    @coat("tool")
    async def leaf() -> int:
        await asyncio.sleep(0)
        return trace.get_current_span().get_span_context().span_id

    @coat("tool")
    async def branch() -> tuple[int, int]:
        me = trace.get_current_span().get_span_context().span_id
        await asyncio.sleep(0)
        inner = await leaf()
        assert trace.get_current_span().get_span_context().span_id == me
        return me, inner

    with step("root"):
        pairs = await asyncio.gather(*(branch() for _ in range(10)))
    assert len({span_id for pair in pairs for span_id in pair}) == 20
    by_id = {operation.context.span_id: operation for operation in recorded.operations}
    root = recorded.named("root").context.span_id
    for me, inner in pairs:
        assert (by_id[inner].start["ids"]["parent_span_id"]) == f"sp_{me:016x}"
        assert (by_id[me].start["ids"]["parent_span_id"]) == f"sp_{root:016x}"
    assert len({operation.context.trace_id for operation in recorded.operations}) == 1
