"""Generators under `coat`: the whole protocol passes through, and the span lasts from the first step to the end."""

from __future__ import annotations

import gc
import inspect
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from opentelemetry import context as otel_context
from opentelemetry import trace

from aotel import coat, set_result, step, tie
from tests.recording import recording
from tests.tracing.generator_scripts import Body, Consumer, bodies, consume, consumers, generator

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tests.recording import Recorded

coated_generator = coat("tool", generator)


def test_protocol_is_that_of_the_undecorated_twin() -> None:
    with recording() as recorded:

        @given(bodies, consumers)
        def compare(body: Body, consumer: Consumer) -> None:
            recorded.clear()
            assert consume(coated_generator, body, consumer) == consume(generator, body, consumer)
            # An operation begins with a first step: close() and throw() before it run nothing.
            first = next((how for how, _ in consumer), "close")
            started = consumer_starts(consumer)
            assert len(recorded.operations) == (1 if started else 0), first

        compare()


def consumer_starts(consumer: Consumer) -> bool:
    """Say whether a consumer runs the body at all: no value can be sent first, and a throw or close ends it."""
    for how, _ in consumer:
        if how == "next":
            return True
        if how in {"throw", "close"}:
            return False
    return False


@coat("tool")
def numbers(count: int = 3) -> Generator[int, object, str]:
    """Count."""
    yield from range(count)
    return "done"


def test_exhausted_generator_ends_with_count_and_return_value(recorded: Recorded) -> None:
    assert list(numbers()) == [0, 1, 2]
    operation = recorded.operation
    assert operation.outcome == "ok"
    assert operation.end["payload"]["result_preview"] == "{'yields': 3, 'return': 'done'}"


def test_return_value_reaches_yield_from(recorded: Recorded) -> None:
    def outer() -> Generator[int, object, None]:
        assert (yield from numbers()) == "done"

    assert list(outer()) == [0, 1, 2]
    assert recorded.operation.outcome == "ok"


def test_early_break_ends_as_abandoned(recorded: Recorded) -> None:
    for number in numbers():
        if number == 1:
            break
    gc.collect()
    operation = recorded.operation
    assert operation.outcome == "abandoned"
    assert operation.end["payload"]["error_type"] == "GeneratorExit"


def test_closed_generator_ends_as_abandoned(recorded: Recorded) -> None:
    subject = numbers()
    next(subject)
    subject.close()
    assert recorded.operation.outcome == "abandoned"
    subject.close()
    assert list(subject) == []
    assert len(recorded.operations) == 1


def test_deleted_generator_ends_as_abandoned_without_noise(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    noise: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", noise.append)
    left = []

    @coat("tool")
    def watching() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            left.append(trace.get_current_span().get_span_context().span_id)

    subject = watching()
    next(subject)
    del subject
    gc.collect()
    assert recorded.operation.outcome == "abandoned"
    assert left == [recorded.operation.context.span_id]
    assert noise == []


def test_generator_in_a_cycle_is_ended_by_the_collector(recorded: Recorded) -> None:
    class Holder:
        pass

    holder: Any = Holder()
    holder.subject, holder.holder = numbers(), holder
    next(holder.subject)
    del holder
    gc.collect()
    assert recorded.operation.outcome == "abandoned"


def test_unstarted_generator_makes_no_span(recorded: Recorded) -> None:
    subject = numbers()
    subject.close()
    numbers()
    with pytest.raises(KeyError):
        numbers().throw(KeyError())
    gc.collect()
    assert recorded.operations == []


def test_span_starts_at_the_first_step_with_the_parent_of_its_creation(recorded: Recorded) -> None:
    with step("creation"):
        subject = numbers()
    with step("consumption"):
        before = perf_counter_ns()
        assert list(subject) == [0, 1, 2]
    took = perf_counter_ns() - before
    creation, consumption, operation = (recorded.named(name) for name in ("creation", "consumption", "numbers"))
    assert operation.span.parent == creation.context
    assert (operation.span.start_time or 0) >= (creation.span.end_time or 0)
    assert (operation.span.start_time or 0) >= (consumption.span.start_time or 0)
    assert operation.end["payload"]["duration_ms"] <= took / 1e6 + 0.001


def test_consumer_never_sees_the_span_as_current(recorded: Recorded) -> None:
    inside: list[Any] = []

    @coat("tool")
    def watching() -> Iterator[int]:
        for number in range(3):
            inside.append(trace.get_current_span().get_span_context())
            yield number

    with step("outer"):
        outer = trace.get_current_span()
        subject = watching()
        for _ in subject:
            assert trace.get_current_span() is outer
            with step("between"):
                pass
        assert trace.get_current_span() is outer
    assert {found.span_id for found in inside} == {recorded.named("watching").context.span_id}
    parents = [found.span.parent for found in recorded.operations if found.span.name == "between"]
    assert parents == [recorded.named("outer").context] * 3


def test_interleaved_generators_keep_to_themselves(recorded: Recorded) -> None:
    @coat("tool")
    def watching(name: str) -> Iterator[Any]:
        for _ in range(3):
            yield name, trace.get_current_span().get_span_context().span_id

    pairs = list(itertools.chain(*zip(watching("first"), watching("second"), strict=True)))
    assert len({span_id for name, span_id in pairs if name == "first"}) == 1
    assert len({span_id for name, span_id in pairs if name == "second"}) == 1
    assert len(set(pairs)) == 2
    assert [operation.outcome for operation in recorded.operations] == ["ok", "ok"]


def test_nested_generators_nest_their_spans(recorded: Recorded) -> None:
    @coat("tool")
    def tree(depth: int) -> Iterator[int]:
        yield depth
        if depth:
            yield from tree(depth - 1)

    assert list(tree(2)) == [2, 1, 0]
    inner, middle, outer = recorded.operations
    assert inner.span.parent == middle.context
    assert middle.span.parent == outer.context


def test_body_keeps_its_own_context_variables(recorded: Recorded) -> None:
    key = otel_context.create_key("test")

    @coat("tool")
    def watching() -> Iterator[Any]:
        yield otel_context.get_value(key)
        yield otel_context.get_value(key)

    token = otel_context.attach(otel_context.set_value(key, "at creation"))
    subject: Any = watching()
    assert next(subject) == "at creation"
    otel_context.detach(token)
    assert next(subject) == "at creation"
    subject.close()
    assert recorded.operation.outcome == "abandoned"


def test_exception_thrown_in_reaches_the_body_with_its_traceback(recorded: Recorded) -> None:
    error = KeyError("thrown")
    subject = numbers()
    next(subject)
    with pytest.raises(KeyError) as caught:
        subject.throw(error)
    assert caught.value is error
    assert error.__context__ is None
    names = [frame.name for frame in caught.traceback]
    assert names[-1] == "numbers"
    assert recorded.operation.outcome == "error"


def test_body_that_yields_after_close_is_told_off(recorded: Recorded) -> None:
    @coat("tool")
    def stubborn() -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    subject: Any = stubborn()
    next(subject)
    with pytest.raises(RuntimeError, match="generator ignored GeneratorExit"):
        subject.close()
    assert recorded.operation.outcome == "abandoned"


def test_value_returned_from_close_is_handed_on(recorded: Recorded) -> None:
    def body() -> Generator[int, None, str]:
        try:
            yield 1
        except GeneratorExit:
            return "closed"
        return "exhausted"

    twin, subject = body(), coat("tool", body)()
    next(twin)
    next(subject)
    assert subject.close() == twin.close()  # type: ignore[func-returns-value]
    (operation,) = recorded.operations
    assert operation.outcome == "ok"


def test_body_that_runs_itself_is_refused(recorded: Recorded) -> None:
    subject: Any = None

    @coat("tool")
    def biting() -> Iterator[int]:
        yield next(subject)

    subject = biting()
    with pytest.raises(ValueError, match="generator already executing"):
        next(subject)
    assert recorded.operation.outcome == "error"


def test_exhausted_generator_stays_exhausted(recorded: Recorded) -> None:
    subject = numbers(1)
    assert list(subject) == [0]
    with pytest.raises(StopIteration):
        next(subject)
    with pytest.raises(KeyError):
        subject.throw(KeyError())
    assert inspect.getgeneratorstate(subject) == inspect.GEN_CLOSED
    assert len(recorded.operations) == 1


def test_result_can_be_set_and_events_tied_in_any_step(recorded: Recorded) -> None:
    @coat("tool")
    def talking() -> Iterator[int]:
        tie("first")
        yield 1
        set_result("mine")
        tie("second")

    for _ in talking():
        tie("from the consumer")  # outside any span: nowhere
    operation = recorded.operation
    assert [envelope["payload"]["tag"] for envelope in operation.between] == ["first", "second"]
    assert operation.end["payload"]["result_preview"] == "'mine'"


def test_generator_of_a_hundred_thousand_items_is_not_collected(recorded: Recorded) -> None:
    assert sum(1 for _ in numbers(100_000)) == 100_000
    assert "'yields': 100000" in recorded.operation.end["payload"]["result_preview"]


def test_generator_expression_as_a_result_is_not_consumed(recorded: Recorded) -> None:
    @coat("tool")
    def lazy() -> Iterator[int]:
        return (number for number in [1, 2, 3])

    result = lazy()
    assert recorded.operation.outcome == "ok"
    assert list(result) == [1, 2, 3]


def test_wrong_arguments_are_refused_at_the_call(recorded: Recorded) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        numbers(amount=3)  # type: ignore[call-arg]
    assert recorded.operations == []


def test_thread_may_finish_what_another_began(recorded: Recorded) -> None:
    subject = numbers()
    next(subject)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, subject).result() == [1, 2]
    assert recorded.operation.outcome == "ok"
