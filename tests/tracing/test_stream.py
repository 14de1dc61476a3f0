"""`stream`: something that arrives piece by piece, with what its pace was."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aotel import stream
from aotel.calls import Pace
from tests.recording import recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.recording import Recorded


def test_pace_of_the_events(recorded: Recorded) -> None:
    with stream("tokens", model="m") as tokens:
        for piece in ("a", "bc", "dé"):
            tokens.event("token", piece)
    operation = recorded.operation
    assert operation.attributes["aot.stream.count"] == 3
    assert operation.attributes["aot.stream.bytes"] == 6
    for name in ("time_to_first_event_ms", "gap.p50_ms", "gap.p95_ms", "gap.max_ms"):
        assert operation.attributes[f"aot.stream.{name}"] >= 0
    assert operation.attributes["aot.operation"] == "stream"
    assert operation.attributes["aot.attributes.model"] == "m"
    assert [event.name for event in operation.span.events] == ["token"] * 3
    assert [(event.attributes or {})["aot.data"] for event in operation.span.events] == ['"a"', '"bc"', '"dé"']


def test_stream_without_events(recorded: Recorded) -> None:
    with stream("tokens"):
        pass
    attributes = recorded.operation.attributes
    assert attributes["aot.stream.count"] == attributes["aot.stream.bytes"] == 0
    assert "aot.stream.gap.max_ms" not in attributes
    assert "aot.stream.time_to_first_event_ms" not in attributes


def test_a_hundred_thousand_events(recorded: Recorded) -> None:
    with stream("tokens") as tokens:
        for number in range(100_000):
            tokens.event("token", number)
    operation = recorded.operation
    assert operation.attributes["aot.stream.count"] == 100_000
    events = operation.span.events
    assert [(event.attributes or {})["aot.data"] for event in events] == [
        str(number) for number in (*range(32), *range(99_968, 100_000))
    ]
    assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)
    assert operation.between == []


def test_all_events_as_envelopes_in_their_order(recorded: Recorded) -> None:
    with stream("tokens", envelopes=True) as tokens:
        for number in range(1000):
            tokens.event("token", number)
    operation = recorded.operation
    assert [envelope["payload"] for envelope in operation.between] == [
        {"tag": "token", "data": number} for number in range(1000)
    ]
    assert len(operation.span.events) == 64


def test_events_from_many_threads_are_all_counted(recorded: Recorded) -> None:
    def send(tokens: stream) -> None:
        for _ in range(200):
            tokens.event("token", "x")

    with stream("tokens", envelopes=True) as tokens:
        threads = [threading.Thread(target=send, args=(tokens,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert recorded.operation.attributes["aot.stream.count"] == 1000
    assert recorded.operation.attributes["aot.stream.bytes"] == 1000
    assert len(recorded.operation.between) == 1000


def test_iterable_passes_through(recorded: Recorded) -> None:
    source = [object(), object()]
    with stream("tokens") as tokens:
        assert list(tokens.wrap(source)) == source
    assert recorded.operation.attributes["aot.stream.count"] == 2
    assert [event.name for event in recorded.operation.span.events] == ["item", "item"]


async def test_async_iterable_passes_through(recorded: Recorded) -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(3):
            await asyncio.sleep(0)
            yield number

    async with stream("tokens") as tokens:
        assert [number async for number in tokens.wrap(source())] == [0, 1, 2]
    assert recorded.operation.attributes["aot.stream.count"] == 3


def test_wrapped_iterable_is_lazy_and_its_exception_passes(recorded: Recorded) -> None:
    taken = []
    error = ConnectionError("gone")

    def source() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number
            if number == 2:
                raise error

    def follow() -> None:
        with stream("tokens") as tokens:
            wrapped = iter(tokens.wrap(source()))
            assert taken == []
            next(wrapped)
            assert taken == [0]
            list(wrapped)

    with pytest.raises(ConnectionError) as caught:
        follow()
    assert caught.value is error
    operation = recorded.operation
    assert operation.outcome == "error"
    assert operation.attributes["aot.stream.count"] == 3


def test_events_outside_the_block_are_ignored(recorded: Recorded) -> None:
    tokens = stream("tokens")
    tokens.event("token", "before")
    with tokens:
        tokens.event("token", "inside")
    tokens.event("token", "after")
    assert recorded.operation.attributes["aot.stream.count"] == 1


def test_stream_may_be_entered_again(recorded: Recorded) -> None:
    tokens = stream("tokens")
    for count in (1, 2):
        with tokens:
            for _ in range(count):
                tokens.event("token")
    assert [operation.attributes["aot.stream.count"] for operation in recorded.operations] == [1, 2]


def test_data_is_a_snapshot(recorded: Recorded) -> None:
    data = {"text": "then"}
    with stream("tokens") as tokens:
        tokens.event("token", data)
        data["text"] = "later"
    assert (recorded.operation.span.events[0].attributes or {})["aot.data"] == '{"text":"then"}'


def test_in_mode_none_no_content_is_written() -> None:
    with recording(capture="none") as recorded:
        with stream("tokens", envelopes=True, goal="benign-token") as tokens:
            tokens.event("token", "benign-token")
        operation = recorded.operation
    assert "benign-token" not in repr(operation.between) + operation.span.to_json()
    assert operation.attributes["aot.stream.bytes"] == len("benign-token")


def test_operation_of_a_stream_can_be_named(recorded: Recorded) -> None:
    with stream("tokens", "llm") as tokens:
        tokens.event("token", "x")
    assert recorded.operation.start["kind"] == "agent.llm.request"


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((None,), TypeError, "name is a string"),
        ((7,), TypeError, "name is a string"),
        (("",), ValueError, "name must not be an empty string"),
        (("s", 7), TypeError, "op is an Op, a string or None"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple[Any, ...], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        stream(*arguments)


@pytest.mark.parametrize("name", [None, 7, b"token"])
def test_bad_name_of_an_event_is_named(name: Any, recorded: Recorded) -> None:
    with stream("tokens") as tokens, pytest.raises(TypeError, match="name is a string"):
        tokens.event(name)
    assert recorded.operation.attributes["aot.stream.count"] == 0


def test_what_cannot_be_iterated_is_refused(recorded: Recorded) -> None:
    with stream("tokens") as tokens, pytest.raises(TypeError, match="iterable"):
        list(tokens.wrap(7))  # type: ignore[call-overload]
    assert recorded.operation.outcome == "ok"


def test_percentiles_of_known_gaps() -> None:
    pace = Pace()
    now = 1_000_000
    pace.add(now, 5)
    for gap in range(1, 101):
        now += gap * 1_000_000
        pace.add(now, 5)
    assert pace.attributes(0) == {
        "aot.stream.count": 101,
        "aot.stream.bytes": 505,
        "aot.stream.time_to_first_event_ms": 1.0,
        "aot.stream.gap.p50_ms": pytest.approx(50, abs=1),
        "aot.stream.gap.p95_ms": pytest.approx(95, abs=1),
        "aot.stream.gap.max_ms": 100.0,
    }


def test_longest_gap_survives_sampling_in_bounded_memory() -> None:
    pace = Pace()
    now = 0
    for number in range(200_000):
        now += 5_000_000 if number != 150_001 else 90_000_000
        pace.add(now, 0)
    found = pace.attributes(0)
    assert found["aot.stream.gap.max_ms"] == 90.0
    assert found["aot.stream.gap.p50_ms"] == found["aot.stream.gap.p95_ms"] == 5.0
    assert len(pace._gaps) <= 65_536
