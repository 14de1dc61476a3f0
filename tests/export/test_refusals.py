"""How long a receiver asks to be left alone, in each form that it may say so."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from aotel.export.refusals import asked_by_grpc, hear_http, seconds_asked


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, 0), ("120", 120), (" 1.5 ", 1.5), ("-3", 0), ("inf", 0), ("nan", 0), ("soon", 0), ("", 0)],
)
def test_seconds_are_taken_at_their_word_and_nonsense_is_none(value: str | None, seconds: float) -> None:
    assert seconds_asked(value) == seconds


def test_a_date_is_the_time_until_then() -> None:
    assert 3500 < seconds_asked(formatdate(time.time() + 3600, usegmt=True)) <= 3600
    assert seconds_asked("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    assert seconds_asked("Thu, 99 Jan 2970 00:00:00 GMT") == 0


class _Refusal(Exception):
    """An error with what gRPC sends at its end."""

    def __init__(self, *metadata: tuple[str, bytes]) -> None:
        super().__init__()
        self._metadata = metadata

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        return self._metadata


DELAY = b"\x0a\x0b\x08\x02\x10\x80\xca\xb5\xee\x01"  # RetryInfo, but for its last bytes


@pytest.mark.parametrize(
    "error",
    [
        None,
        ValueError("something else"),
        _Refusal(),
        _Refusal(("grpc-status-details-bin", b"\xff\xff")),
        _Refusal(("google.rpc.retryinfo-bin", DELAY)),
        _Refusal(("grpc-status-details-bin", b"")),
    ],
    ids=["none", "another", "silent", "broken", "cut off", "empty"],
)
def test_what_asks_for_nothing_is_no_wait(error: object) -> None:
    assert asked_by_grpc(error) == 0


def test_retry_info_is_read_where_the_stock_exporter_looks_too() -> None:
    assert asked_by_grpc(_Refusal(("google.rpc.retryinfo-bin", b"\x0a\x02\x08\x07"))) == 7


@pytest.mark.parametrize("exporter", [object(), type("Odd", (), {"_session": 3})(), None])
def test_an_exporter_that_is_none_over_http_is_left_alone(exporter: object) -> None:
    def note(seconds: float) -> None:
        raise AssertionError(seconds)

    hear_http(exporter, note)
