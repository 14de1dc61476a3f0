"""Two messages an outage, and waits that grow."""

from __future__ import annotations

import io
import logging
import random
import time
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from aotel.export import Backoff
from aotel.export.health import Health, say
from tests.export.records import said

if TYPE_CHECKING:
    import pytest


def health(**options: object) -> Health:
    return Health("the pod", consequence="envelopes wait", **options)  # type: ignore[arg-type]


def test_outage_is_one_warning_and_its_end_one_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = health()
    for reason in ("first", "second", "third"):
        watched.failed(reason)
    watched.worked()
    watched.worked()
    watched.failed("fourth")
    assert said(caplog, logging.INFO) == [
        "aotel: the pod: first; envelopes wait",
        "aotel: the pod works again",
        "aotel: the pod: fourth; envelopes wait",
    ]


def test_tolerated_failures_are_not_told(caplog: pytest.LogCaptureFixture) -> None:
    watched = health(tolerated=1)
    watched.failed("once")
    watched.worked()
    watched.failed("once more")
    assert (watched.down, watched.due) == (False, True)
    watched.failed("twice in a row")
    assert watched.down
    assert len(said(caplog)) == 1


def test_failure_for_sure_is_not_tolerated() -> None:
    watched = health(tolerated=1)
    watched.failed("rate limited for ever", for_sure=True)
    assert watched.down


def test_down_destination_is_due_after_its_wait() -> None:
    watched = health(backoff=Backoff(first=0.05))
    watched.failed("away")
    assert not watched.due
    time.sleep(0.1)
    assert watched.due


@given(st.integers(0, 10_000), st.floats(0.001, 10), st.floats(0.001, 100))
def test_waits_grow_up_to_the_longest(attempt: int, first: float, longest: float) -> None:
    wait = Backoff(first, longest).wait(attempt)
    assert 0 < wait <= longest
    assert wait <= first * 1.2 * 2.0 ** min(attempt, 32)


def test_waits_do_not_touch_the_programs_random_numbers() -> None:
    random.seed(42)
    expected = random.random()
    random.seed(42)
    Backoff().wait(3)
    assert random.random() == expected


def test_logging_to_a_closed_stderr_does_not_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    handler = logging.StreamHandler(closed)
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)
    logger = logging.getLogger("aotel.export.health")
    logger.addHandler(handler)
    try:
        say(logging.WARNING, "nobody hears this")
    finally:
        logger.removeHandler(handler)
