from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.view import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 ms"),
        (0.0003, "0.3 ms"),
        (0.0099, "9.9 ms"),
        (0.82, "820 ms"),
        (0.9996, "1.0 s"),
        (3.14, "3.1 s"),
        (59.96, "1m 00s"),
        (125, "2m 05s"),
        (3599.7, "1h 00m"),
        (3780, "1h 03m"),
        (400_000, "4d 15h"),
        (1e12, "11,574d"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert wording.duration(seconds) == words


@given(st.floats(0, 1e18))
def test_columns_are_never_too_narrow(amount: float) -> None:
    assert len(wording.duration(min(amount, 1e7))) <= 7
    assert len(wording.size(min(amount, 999e15))) <= 6
    assert len(wording.short(min(amount, 999e9))) <= 5


def test_sizes_counts_and_costs() -> None:
    assert [wording.size(n) for n in (0, 999, 4_200, 212e6, 1e9)] == ["0 B", "999 B", "4.2 kB", "212 MB", "1.0 GB"]
    assert [wording.short(n) for n in (87, 1_204, 34_000, 1.5e6)] == ["87", "1.2k", "34k", "1.5M"]
    assert [wording.cost(n) for n in (0.0042, 0.5, 1.25)] == ["$0.0042", "$0.5000", "$1.25"]
    assert [wording.several(n, "process", "processes") for n in (1, 2)] == ["1 process", "2 processes"]
    assert [wording.amount(n) for n in (1204.0, 2.5)] == ["1,204", "2.5"]


def test_a_time_outside_the_calendar_is_the_epoch() -> None:
    assert wording.moment(1e300) == "1970-01-01T00:00:00.000Z"
    assert wording.moment(1_764_000_000.123) == "2025-11-24T16:00:00.123Z"
