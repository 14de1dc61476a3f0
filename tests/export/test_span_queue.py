"""The queue behind a receiver of spans: bounded, its own in each process, and given up where there is no hope."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from aotel.export import otlp_span_exporter
from aotel.export.span_queue import SpanQueue
from tests.export.records import in_child, said, span
from tests.servers import BlackHole, OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.sdk.trace import ReadableSpan


@pytest.fixture
def queue_to() -> Iterator[Callable[..., SpanQueue]]:
    made: list[SpanQueue] = []

    def _queue_to(receiver: OtlpReceiver | BlackHole, **bounds: int) -> SpanQueue:
        made.append(SpanQueue(otlp_span_exporter("grpc", endpoint=receiver.endpoint, timeout=0.3), **bounds))
        return made[-1]

    yield _queue_to
    for queue in made:
        queue.shutdown()


def spans(number: int) -> list[ReadableSpan]:
    return [span(str(each)) for each in range(number)]


def names(receiver: OtlpReceiver) -> list[str]:
    return [each.name for each in receiver.spans]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_more_than_a_receiver_takes_in_time_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver() as receiver:
        receiver.gate.clear()
        exporter = otlp_span_exporter("grpc", endpoint=receiver.endpoint, timeout=30)
        queue = SpanQueue(exporter, max_spans=10, max_request=5)
        everything = spans(60)
        queue.export(everything[:5])
        receiver.wait_for_requests(1)
        for start in range(5, 60, 5):
            queue.export(everything[start : start + 5])
        receiver.gate.set()
        assert queue.flush(20)
        assert names(receiver) == [*map(str, range(5)), *map(str, range(50, 60))]
        queue.shutdown()
    (message,) = said(caplog)
    assert "faster than the receiver of spans takes them" in message


def test_a_child_leaves_what_waits_to_its_parent(queue_to: Callable[..., SpanQueue]) -> None:
    with OtlpReceiver() as receiver:
        receiver.failing = "UNAVAILABLE"
        queue = queue_to(receiver)
        queue.export([span("of the parent")])
        wait_until(lambda: queue.exporter.down)

        def child() -> None:
            assert queue.flush(0)
            queue.export([span("of the child")])
            receiver_is_back = queue.flush(15)
            assert receiver_is_back
            assert queue.finish(1) == 0

        receiver.failing = None
        assert in_child(child) == 0
        assert queue.flush(20)
        assert sorted(names(receiver)) == ["of the child", "of the parent"]


def test_a_receiver_without_hope_is_left_alone_after_some_attempts(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver(statuses=["UNAUTHENTICATED"] * 100) as receiver:
        exporter = otlp_span_exporter("grpc", endpoint=receiver.endpoint, timeout=2)
        taken = [(each, 100) for each in spans(3)]
        for _ in range(8):
            assert not exporter.off
            assert exporter.deliver(taken) == taken
        assert exporter.off
        assert exporter.deliver(taken) == []
        assert receiver.requests == 8
        exporter.shutdown()
    (message,) = said(caplog)
    assert "check OTEL_EXPORTER_OTLP_HEADERS" in message


def test_a_hurry_does_not_use_up_the_attempts(queue_to: Callable[..., SpanQueue]) -> None:
    with OtlpReceiver(statuses=["PERMISSION_DENIED"] * 100) as receiver:
        queue = queue_to(receiver)
        queue.export(spans(3))
        wait_until(lambda: queue.exporter.hopeless)
        for _ in range(50):
            assert not queue.flush(5)
        assert receiver.requests <= 3


def test_an_address_that_takes_no_spans_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpHttpReceiver(statuses=[404]) as receiver:
        exporter = otlp_span_exporter("http/protobuf", endpoint=f"{receiver.endpoint}/v1/traces", timeout=2)
        queue = SpanQueue(exporter)
        queue.export(spans(3))
        receiver.wait_for_spans(3)
        queue.shutdown()
    (message,) = said(caplog)
    assert "check the endpoint" in message


def test_a_refused_request_is_left_out_and_the_next_goes_through(
    queue_to: Callable[..., SpanQueue], caplog: pytest.LogCaptureFixture
) -> None:
    with OtlpReceiver(statuses=["INVALID_ARGUMENT"]) as receiver:
        queue = queue_to(receiver, max_request=2)
        queue.export(spans(4))
        assert queue.flush(20)
        assert names(receiver) == ["2", "3"]
    first, second = said(caplog)
    assert "the spans that it was sent are lost" in first
    assert second.endswith("works again; 2 were lost meanwhile")


def test_the_end_says_how_much_is_lost_and_takes_no_longer_than_it_may() -> None:
    with BlackHole() as hole:
        queue = SpanQueue(otlp_span_exporter("grpc", endpoint=hole.endpoint, timeout=30), max_request=2)
        queue.export(spans(7))
        assert queue.finish(0.5) == 7
        assert queue.finish(30) == 0
        assert queue.export(spans(1)) is SpanExportResult.FAILURE
