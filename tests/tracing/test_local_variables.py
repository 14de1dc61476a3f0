"""Local variables of coated functions, captured at their return."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

import aotel
from aotel.testing import record_envelopes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

STEPWISE = pytest.mark.skipif(sys.version_info < (3, 12), reason="bodies that run in steps need sys.monitoring")


@aotel.coat("tool", auto_capture=True)
def total(first: int, password: str = "hunter2") -> int:
    _private = first
    doubled = first * 2
    config = {"api_key": "sk-abcdefghijklmnop", "retries": 3}
    return doubled + len(config) - len(config)


@aotel.coat("tool", auto_capture=True)
def fails(first: int) -> int:
    second = first
    raise ValueError(second)


@aotel.coat("tool")
def unasked(first: int) -> int:
    second = first
    return second


@aotel.coat(auto_capture=True)
async def slowly(number: int) -> int:
    doubled = number * 2
    await asyncio.sleep(0.01)
    more = doubled + 1
    return more


@aotel.coat(auto_capture=True)
def counts(limit: int) -> Iterator[int]:
    seen = 0
    for number in range(limit):
        seen += number
        yield number


@aotel.coat(auto_capture=True)
async def counts_slowly(limit: int) -> AsyncIterator[int]:
    seen = 0
    for number in range(limit):
        await asyncio.sleep(0)
        seen += number
        yield number


def ends(envelopes: list[dict[str, Any]]) -> list[tuple[dict[str, str], str]]:
    return [
        (envelope["payload"]["captured"], envelope["capture"]["mode"])
        for envelope in envelopes
        if "captured" in envelope["payload"]
    ]


def test_a_plain_functions_locals_are_in_its_end_envelope_without_private_and_secret_ones() -> None:
    with record_envelopes() as recorded:
        total(2)
    [(captured, mode)] = ends(recorded.envelopes)
    assert mode == "redacted"
    assert captured.keys() == {"first", "doubled", "config"}
    assert captured["doubled"] == "4"
    assert "sk-abc" not in str(captured)


def test_nothing_is_captured_unasked_or_of_a_function_that_raised() -> None:
    with record_envelopes() as recorded:
        unasked(1)
        with pytest.raises(ValueError, match="1"):
            fails(1)
    assert ends(recorded.envelopes) == [({}, "none")]


def test_the_environment_asks_for_every_plain_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_CAPTURE", "summary")
    with record_envelopes() as recorded:
        unasked(1)
    [(captured, mode)] = ends(recorded.envelopes)
    assert mode == "summary"
    assert captured.keys() == {"first", "second"}


def test_the_environment_can_switch_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOTEL_CAPTURE", "none")
    with record_envelopes() as recorded:
        total(2)
    assert ends(recorded.envelopes) == [({}, "none")]


@STEPWISE
async def test_async_functions_at_the_same_time_do_not_mix() -> None:
    with record_envelopes() as recorded:
        await asyncio.gather(slowly(1), slowly(2))
    assert [captured for captured, _ in ends(recorded.envelopes)] == [
        {"number": "1", "doubled": "2", "more": "3"},
        {"number": "2", "doubled": "4", "more": "5"},
    ]


@STEPWISE
async def test_generators_of_both_kinds_are_captured_at_their_end() -> None:
    with record_envelopes() as recorded:
        assert list(counts(3)) == [0, 1, 2]
        assert [number async for number in counts_slowly(3)] == [0, 1, 2]
    assert [captured for captured, _ in ends(recorded.envelopes)] == [{"limit": "3", "seen": "3", "number": "2"}] * 2


@STEPWISE
async def test_a_watched_coroutine_can_be_cancelled() -> None:
    with record_envelopes() as recorded:
        task = asyncio.ensure_future(slowly(1))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert recorded.envelopes[-1]["payload"]["outcome"] == "cancelled"


def test_recursion_shows_each_calls_own() -> None:
    @aotel.coat(auto_capture=True)
    def countdown(number: int) -> int:
        left = number - 1
        return countdown(left) if left else 0

    with record_envelopes() as recorded:
        countdown(2)
    assert [captured for captured, _ in ends(recorded.envelopes)] == [
        {"number": "1", "left": "0"},
        {"number": "2", "left": "1"},
    ]
