"""Receivers of envelopes that refuse: for good, for a key, for the size, or for a while."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import pytest

from tests.export.records import envelope, envelopes, said
from tests.export.test_otlp import FAILURE, SUCCESS, Receiver, bodies, both, exporter_to
from tests.servers import OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    "make",
    [lambda: OtlpReceiver(statuses=["INVALID_ARGUMENT"]), lambda: OtlpHttpReceiver(statuses=[400])],
    ids=["INVALID_ARGUMENT", "400"],
)
def test_refusal_is_counted_and_not_repeated(caplog: pytest.LogCaptureFixture, make: Callable[[], Receiver]) -> None:
    caplog.set_level(logging.INFO, logger="aotel")
    with make() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export(envelopes(2)) is FAILURE
        assert exporter.export(envelopes(2, first=2)) is SUCCESS
        exporter.shutdown()
        assert bodies(receiver) == [each.log_record.body for each in envelopes(2, first=2)]
    assert (exporter.counts.refused, exporter.counts.sent) == (2, 2)
    assert len(said(caplog, logging.INFO)) == 2


@pytest.mark.parametrize(
    ("receiver_type", "status"),
    [
        (OtlpReceiver, "PERMISSION_DENIED"),
        (OtlpHttpReceiver, 401),
    ],
    ids=["PERMISSION_DENIED", "401"],
)
def test_key_that_is_not_accepted_is_tried_a_few_times(
    caplog: pytest.LogCaptureFixture, receiver_type: type[Receiver], status: str | int
) -> None:
    with receiver_type(statuses=[status] * 2) as receiver:  # type: ignore[list-item]  # each type has its own
        exporter = exporter_to(receiver, timeout=5)
        results = [exporter.export(envelopes(2, first=2 * number)) for number in range(3)]
        exporter.shutdown()
        assert results == [SUCCESS] * 3
        assert bodies(receiver) == [each.log_record.body for each in envelopes(6)]
    with receiver_type(statuses=[status] * 100) as receiver:  # type: ignore[list-item]
        exporter = exporter_to(receiver, timeout=5)
        for number in range(20):
            exporter.export([envelope(number)])
        exporter.shutdown()
        assert receiver.requests == 8
    assert (exporter.counts.refused, exporter.counts.sent) == (20, 0)
    first, second = said(caplog)
    assert all("check OTEL_EXPORTER_OTLP_HEADERS" in each for each in (first, second))


@both
def test_requests_larger_than_the_receiver_takes_are_split(
    receiver_type: type[Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    with receiver_type(limit=100_000) as receiver:
        exporter = exporter_to(receiver, timeout=10)
        batch = [*envelopes(3), envelope(3, "x" * 120_000), *(envelope(seq, "x" * 20_000) for seq in range(4, 20))]
        assert exporter.export(batch) is FAILURE
        assert exporter.export([envelope(20, "x" * 120_000), envelope(21)]) is FAILURE
        exporter.shutdown()
        expected = [each.log_record.body for each in [*batch[:3], *batch[4:], envelope(21)]]
        assert bodies(receiver) == expected
        assert max(receiver.sizes) <= 100_000
    assert (exporter.counts.sent, exporter.counts.refused) == (20, 2)
    (message,) = said(caplog)
    assert "it is too large, with 1203" in message


@both
def test_wait_that_is_asked_for_is_kept(receiver_type: type[Receiver], caplog: pytest.LogCaptureFixture) -> None:
    limited = ["RESOURCE_EXHAUSTED"] if receiver_type is OtlpReceiver else [429]
    with receiver_type(statuses=limited, retry_after=2) as receiver:  # type: ignore[arg-type]
        exporter = exporter_to(receiver)
        assert exporter.export(envelopes(2)) is SUCCESS
        while not exporter.force_flush():
            time.sleep(0.05)
        exporter.shutdown()
        assert bodies(receiver) == [each.log_record.body for each in envelopes(2)]
        first, second = receiver.times
        assert second - first > 1.9
    assert len(said(caplog)) == 1
