from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.sensor.sample import Sample
from aotel.sensor.thresholds import OVER, RECOVERED, Threshold, Thresholds


def test_a_crossing_is_told_once_and_its_end_once() -> None:
    level = Threshold()
    told = [level.crossed(percent) for percent in (50, 89.9, 90, 95, 85, 90, 80, 79.9, 85, 90)]
    assert told == [None, None, OVER, None, None, None, None, RECOVERED, None, OVER]


@given(st.lists(st.none() | st.floats(0, 200)))
def test_warnings_and_recoveries_alternate(values: list[float | None]) -> None:
    level = Threshold()
    told = [state for value in values if (state := level.crossed(value)) is not None]
    assert told == [(OVER, RECOVERED)[index % 2] for index in range(len(told))]


def test_what_is_not_known_crosses_nothing() -> None:
    thresholds = Thresholds()
    assert thresholds.sample(Sample(1)) == []
    assert thresholds.sample(Sample(1, memory_bytes=100)) == []
    assert thresholds.sample(Sample(1, memory_limit_bytes=100)) == []


def test_a_sample_warns_of_each_resource_by_itself() -> None:
    thresholds = Thresholds()
    high = Sample(1, 99.0, 2.0, 95 << 20, 100 << 20, disk_used_percent=97.0)
    warnings = thresholds.sample(high)
    assert [(each.resource, each.state) for each in warnings] == [("cpu", OVER), ("memory", OVER), ("disk", OVER)]
    assert [each.message for each in warnings] == [
        "cpu is at 99 % of 2 cores",
        "memory is at 95 % of 100.0 MiB",
        "disk is at 97 % of its size",
    ]
    assert warnings[1].detail() == {
        "resource": "memory",
        "percent": 95.0,
        "state": "over",
        "message": "memory is at 95 % of 100.0 MiB",
        "limit": 100 << 20,
    }
    assert "limit" not in warnings[2].detail()
    assert thresholds.sample(high) == []
    (back,) = thresholds.sample(Sample(1, 99.0, 2.0, 10 << 20, 100 << 20))
    assert (back.resource, back.state, back.message) == ("memory", RECOVERED, "memory is back at 10 % of 100.0 MiB")


def test_time_warns_at_nine_tenths_and_output_a_little_later() -> None:
    thresholds = Thresholds()
    assert thresholds.time(89, 100) is None
    warning = thresholds.time(91, 100)
    assert warning is not None
    assert (warning.message, warning.limit) == ("time is at 91 % of 100 s", 100)
    assert thresholds.time(99, 100) is None
    assert thresholds.output(94, 100) is None
    warning = thresholds.output(96, 100)
    assert warning is not None
    assert warning.message == "output is at 96 % of 100 B"
    assert thresholds.output(5, 0) is None


@pytest.mark.parametrize(
    ("size", "text"), [(1023, "1023 B"), (1024, "1.0 KiB"), (5 << 30, "5.0 GiB"), (3 << 50, "3072.0 TiB")]
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    warning = Thresholds().output(size, size)
    assert warning is not None
    assert warning.message.endswith(text)
