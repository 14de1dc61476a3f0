from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

import pytest

from aotel.sensor.delivery import Delivery
from aotel.sensor.event import Event
from tests.sensor.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def opened(path: str, time_ns: int = 0) -> Event:
    return Event("file_open", (("path", path), ("mode", "read")), 0, 0, time_ns)


@pytest.fixture
def deliver() -> Iterator[Callable[..., Delivery]]:
    made: list[Delivery] = []

    def make(pod: Receiver, **options: float) -> Delivery:
        made.append(Delivery(pod.path, **{"interval": 0.02, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.stop(0.1)
        each._connection.close()


def test_what_is_noted_arrives_by_itself(pod: Receiver, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(pod)
    for number in range(3):
        delivery.note(opened(f"/{number}"))
        pod.wait_for(lambda receiver: receiver.of("file_open", path=f"/{number}"))  # noqa: B023 - called at once


def test_events_wait_for_a_pod_that_is_away_and_are_told_once(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver(listening=False) as pod, caplog.at_level(logging.INFO, "aotel"):
        delivery = deliver(pod)
        for number in range(2000):
            delivery.note(opened(f"/{number % 100}", number))
        assert not delivery.flush(0.3)
        assert not delivery.flush(0.3)
        pod.start()
        pod.wait_for(lambda receiver: len(receiver.events) == 100)
        delivery.note(opened("/later"))
        pod.wait_for(lambda receiver: receiver.of("file_open", path="/later"))
        assert sum(event["count"] for event in pod.events) == 2001
        assert delivery.lost == 0
    assert sum("no such file" in message.lower() for message in caplog.messages) == 1
    assert sum("works again" in message for message in caplog.messages) == 1


def test_what_is_too_much_is_dropped_counted_and_said_once(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver(listening=False) as pod:
        delivery = deliver(pod, limit=100)
        for number in range(1000):
            delivery.note(opened(f"/{number}"))
            if number % 50 == 0:
                delivery.flush(0.05)
        delivery.flush(0.2)
        lost = delivery.lost
        pod.start()
        assert delivery.flush(10)
        assert len(pod.events) == 1000 - lost
    assert lost >= 700
    assert sum("left out" in message for message in caplog.messages) == 1


def test_a_pod_that_does_not_know_activity_is_left_alone(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver(["refuse"] * 99) as pod:
        delivery = deliver(pod)
        for number in range(10):
            delivery.note(opened(f"/{number}"))
            delivery.flush(5)
        assert len(pod.requests) == 3
        assert delivery.lost == 10
    assert sum("takes no activity" in message for message in caplog.messages) == 1


def test_a_pod_that_asks_to_wait_is_obeyed(deliver: Callable[..., Delivery]) -> None:
    with Receiver(["wait", "wait"]) as pod:
        delivery = deliver(pod)
        begin = time.monotonic()
        delivery.note(opened("/x"))
        pod.wait_for(lambda receiver: receiver.events)
        assert time.monotonic() - begin > 0.2
        assert pod.requests == [1, 1, 1]


def test_what_was_not_answered_is_told_again(deliver: Callable[..., Delivery]) -> None:
    with Receiver(["close"]) as pod:
        delivery = deliver(pod)
        delivery.note(opened("/x"))
        pod.wait_for(lambda receiver: len(receiver.events) == 2)
        assert delivery.flush(5)


def test_many_events_go_in_requests_that_a_pod_can_take(pod: Receiver, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(pod)
    for number in range(3000):
        delivery.note(opened(f"/{number}/" + "é" * 3000))
    assert delivery.flush(30)
    assert len(pod.events) == 3000
    assert max(pod.requests) < 3000


def test_events_say_when_the_first_of_them_was(pod: Receiver, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(pod, interval=5)
    for number in range(3):
        delivery.note(opened("/x", (1_776_130_200 + number) * 10**9))
    assert delivery.flush(5)
    assert [(event["ts"], event["count"]) for event in pod.events] == [("2026-04-14T01:30:00.000Z", 3)]


def test_ids_are_written_as_envelopes_write_them(pod: Receiver, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(pod)
    delivery.note(opened("/x")._replace(trace_id=0xABC, span_id=0xDEF))
    delivery.flush(5)
    assert pod.events[0]["trace_id"] == "tr_" + "abc".rjust(32, "0")
    assert pod.events[0]["span_id"] == "sp_" + "def".rjust(16, "0")
    assert json.dumps(pod.events[0])
