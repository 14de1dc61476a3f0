"""Durations and sizes as people write them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.errors import ConfigurationError
from aotel.runner.quantities import duration_in_words, in_words, seconds, size

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "expected"),
    [("30s", 30), ("5m", 300), ("1h30m", 5400), ("500ms", 0.5), ("2.5", 2.5), (" 1D ", 86_400), ("1m 30s", None)],
)
def test_durations(text: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(ConfigurationError):
            seconds(text)
    else:
        assert seconds(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "0", "0s", "-1s", "5 minutes", "s", "1e3", "nan", "inf", "999999h", "\N{ARABIC-INDIC DIGIT THREE}s", "1..2s"],
)
def test_what_is_no_duration_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100", 100),
        ("512MiB", 512 << 20),
        ("512 mib", 512 << 20),
        ("2G", 2 << 30),
        ("1.5k", 1536),
        ("1KB", 1000),
        ("3TB", 3 * 10**12),
        ("7b", 7),
    ],
)
def test_sizes(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "0", "-1", "lots", "5 megs", "1e9", "99999999999999999999T", "0.5"])
def test_what_is_no_size_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match="size"):
        size(text)


@given(st.text())
@pytest.mark.parametrize("read", [seconds, size])
def test_any_text_is_a_quantity_or_a_clear_error(read: Callable[[str], float], text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        assert read(text) > 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (300 << 20, "300 MiB"), (1.5 * 2**30, "1.5 GiB")],
)
def test_sizes_in_words(number: float, expected: str) -> None:
    assert in_words(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"), [(0.5, "0.5 s"), (59, "59 s"), (90, "1 min 30 s"), (5400, "1 h 30 min")]
)
def test_durations_in_words(number: float, expected: str) -> None:
    assert duration_in_words(number) == expected
