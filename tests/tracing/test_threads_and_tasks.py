"""One trace across calls, threads, executors and tasks; ids that nobody's `random.seed` repeats."""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from aotel import coat, configure, session, step
from tests.recording import context_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.recording import Recorded


@coat("tool")
def leaf(number: int = 0) -> int:
    return number


@coat("tool")
async def async_leaf(number: int = 0) -> int:
    await asyncio.sleep(0)
    return number


def in_a_thread() -> None:
    thread = threading.Thread(target=leaf)
    thread.start()
    thread.join()


def in_a_timer() -> None:
    timer = threading.Timer(0, leaf)
    timer.start()
    timer.join()


def in_a_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(leaf).result()


def mapped_in_a_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        list(pool.map(leaf, [1]))


def awaited() -> None:
    asyncio.run(async_leaf())


def in_to_thread() -> None:
    async def main() -> None:
        await asyncio.to_thread(leaf)

    asyncio.run(main())


def in_run_in_executor() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, leaf)

    asyncio.run(main())


def in_a_task() -> None:
    async def main() -> None:
        await asyncio.create_task(async_leaf())

    asyncio.run(main())


def in_a_callback() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_soon(leaf)
        await asyncio.sleep(0.001)

    asyncio.run(main())


def in_a_copied_context() -> None:
    contextvars.copy_context().run(leaf)


def parent_of(span: ReadableSpan) -> int:
    """Return the id of a span's parent."""
    assert span.parent is not None
    return span.parent.span_id


PLACES = [
    leaf,
    in_a_thread,
    in_a_timer,
    in_a_pool,
    mapped_in_a_pool,
    awaited,
    in_to_thread,
    in_run_in_executor,
    in_a_task,
    in_a_callback,
    in_a_copied_context,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_parent_is_kept(place: Callable[[], object], recorded: Recorded) -> None:
    with session("chat-7"), step("outer"):
        place()
    first, outer, around = recorded.operations
    assert first.span.parent == outer.context
    assert outer.span.parent == around.context
    assert first.attributes["session.id"] == "chat-7"
    assert len({operation.start["ids"]["trace_id"] for operation in recorded.operations}) == 1
    assert {operation.start["ids"]["run_id"] for operation in recorded.operations} == {around.start["ids"]["run_id"]}


def test_pool_that_outlives_a_span_takes_the_parent_of_each_task(recorded: Recorded) -> None:
    with ThreadPoolExecutor(1) as pool:
        for name in ("first", "second"):
            with step(name):
                pool.submit(leaf).result()
        pool.submit(leaf).result()
    operations = recorded.operations
    assert operations[0].span.parent == operations[1].context
    assert operations[2].span.parent == operations[3].context
    assert operations[4].span.parent is None


def test_siblings_in_threads_stay_apart(recorded: Recorded) -> None:
    ready = threading.Barrier(5, timeout=20)

    @coat("tool")
    def branch(number: int) -> tuple[int, int]:
        ready.wait()
        return trace.get_current_span().get_span_context().span_id, leaf(number)

    with step("root"), ThreadPoolExecutor(5) as pool:
        found = list(pool.map(branch, range(5)))
    assert [number for _, number in found] == list(range(5))
    root = recorded.named("root").context
    branches = [operation.span for operation in recorded.operations if operation.span.name == "branch"]
    leaves = [operation.span for operation in recorded.operations if operation.span.name == "leaf"]
    assert {parent_of(span) for span in branches} == {root.span_id}
    assert {parent_of(span) for span in leaves} == {context_of(span).span_id for span in branches}


async def test_gather_keeps_siblings_apart(recorded: Recorded) -> None:
    @coat("tool")
    async def branch(number: int) -> int:
        await asyncio.sleep(0.001 * (number % 3))
        return await async_leaf(number)

    with step("root"):
        assert await asyncio.gather(*(branch(number) for number in range(10))) == list(range(10))
    root = recorded.named("root").context
    branches = [operation.span for operation in recorded.operations if operation.span.name == "branch"]
    leaves = [operation.span for operation in recorded.operations if operation.span.name == "async_leaf"]
    assert {parent_of(span) for span in branches} == {root.span_id}
    assert {parent_of(span) for span in leaves} == {context_of(span).span_id for span in branches}


def test_calls_without_a_parent_are_traces_of_their_own(recorded: Recorded) -> None:
    leaf()
    leaf()
    first, second = recorded.operations
    assert first.start["ids"]["trace_id"] != second.start["ids"]["trace_id"]
    assert first.start["ids"]["parent_span_id"] == ""
    assert first.start["ids"]["run_id"] == f"run_{first.start['ids']['trace_id'][-16:]}"


def test_seeded_random_repeats_no_ids(recorded: Recorded) -> None:
    for _ in range(2):
        random.seed(42)
        for _ in range(50):
            leaf()
    assert len({operation.context.trace_id for operation in recorded.operations}) == 100
    assert len({operation.context.span_id for operation in recorded.operations}) == 100


def test_the_programs_own_random_numbers_are_left_alone(recorded: Recorded) -> None:
    random.seed(42)
    expected = [random.random() for _ in range(5)]
    random.seed(42)
    found: list[Any] = []
    for _ in range(5):
        leaf()
        found.append(random.random())
    assert found == expected


def test_remote_parent_counts_as_a_parent(recorded: Recorded) -> None:
    ids = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
    remote = trace.SpanContext(*ids, is_remote=True, trace_flags=trace.TraceFlags(1))
    with trace.use_span(trace.NonRecordingSpan(remote)):
        leaf()
    operation = recorded.operation
    assert operation.start["ids"]["trace_id"] == "tr_4bf92f3577b34da6a3ce929d0e0e4736"
    assert operation.start["ids"]["parent_span_id"] == "sp_00f067aa0ba902b7"
    assert operation.start["ids"]["run_id"] == "run_a3ce929d0e0e4736"


def test_parent_from_the_environment_of_a_child_process(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    configure()
    with step("outer"):
        leaf()
    inner, outer = recorded.operations
    assert outer.start["ids"]["parent_span_id"] == "sp_00f067aa0ba902b7"
    assert outer.start["ids"]["trace_id"] == inner.start["ids"]["trace_id"] == "tr_4bf92f3577b34da6a3ce929d0e0e4736"
    assert inner.span.parent == outer.context
