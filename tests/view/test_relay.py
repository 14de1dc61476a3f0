from __future__ import annotations

import os
import threading
import time

import pytest

from aotel.view import Event, Kind, Level
from aotel.view.relay import Relay


def event(number: int) -> Event:
    return Event(Kind.LIFECYCLE, Level.INFO, float(number), str(number), {})


def test_events_come_in_order_from_another_thread() -> None:
    seen: list[str] = []
    threads: set[int] = set()

    def act(events: list[Event], left_out: int) -> None:
        seen.extend(each.text for each in events)
        threads.add(threading.get_ident())

    relay = Relay(act)
    for number in range(3_000):
        relay.put(event(number))
    assert relay.close(lambda: seen.append("end"), 5)
    assert seen == [*map(str, range(3_000)), "end"]
    assert threading.get_ident() not in threads


def test_nobody_waits_for_a_view_that_is_stuck_and_what_is_lost_is_counted() -> None:
    go_on, entered = threading.Event(), threading.Event()
    seen: list[Event] = []
    lost: list[int] = []

    def act(events: list[Event], left_out: int) -> None:
        entered.set()
        go_on.wait(20)
        seen.extend(events)
        lost.append(left_out)

    relay = Relay(act, limit=100)
    relay.put(event(0))
    assert entered.wait(5)
    begin = time.monotonic()
    for number in range(1, 5_001):
        relay.put(event(number))
    assert time.monotonic() - begin < 2
    assert not relay.drain(0.05)
    assert not relay.close(lambda: None, 0.05)
    go_on.set()
    until = time.monotonic() + 5
    while len(seen) < 101 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(seen) + sum(lost) == 5_001
    assert seen[-1].text == "5000"


def test_what_fails_does_not_end_it() -> None:
    seen: list[str] = []

    def act(events: list[Event], left_out: int) -> None:
        seen.extend(each.text for each in events)
        raise RuntimeError("a renderer's mistake")

    relay = Relay(act)
    for number in range(3):
        relay.put(event(number))
        assert relay.drain(5)
    assert relay.close(lambda: None, 5)
    assert seen == ["0", "1", "2"]


def test_with_an_interval_events_come_in_batches() -> None:
    calls: list[int] = []
    relay = Relay(lambda events, _: calls.append(len(events)), interval=0.1)
    begin = time.monotonic()
    while time.monotonic() - begin < 0.55:
        relay.put(event(0))
        time.sleep(0.001)
    assert relay.close(lambda: None, 5)
    assert 2 <= len(calls) <= 9
    assert sum(calls) > 100


def test_after_the_end_nothing_is_taken() -> None:
    seen: list[Event] = []
    relay = Relay(lambda events, _: seen.extend(events))
    assert relay.close(lambda: None, 1)
    relay.put(event(0))
    assert relay.close(lambda: pytest.fail("closed twice"), 1)
    assert seen == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of a fork beside threads, which is what is tested
def test_a_forked_child_shows_nothing_and_waits_for_nothing() -> None:
    seen: list[Event] = []
    relay = Relay(lambda events, _: seen.extend(events))
    relay.put(event(0))
    assert relay.drain(5)
    child = os.fork()
    if child == 0:
        relay.put(event(1))
        os._exit(0 if relay.close(lambda: None, 30) and len(seen) == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert relay.close(lambda: None, 5)
