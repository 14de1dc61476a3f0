"""Ends that are put off, since they come from where no lock is safe, are carried out where no worker does it too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel import coat
from aotel.calls import PORT
from aotel.distro.configuration import STATE
from tests.recording import recording

if TYPE_CHECKING:
    from collections.abc import Callable


def put_off(work: Callable[[], None]) -> None:
    assert PORT.later is not None
    PORT.later(work)


def test_without_a_worker_they_wait_for_the_next_span() -> None:
    done: list[int] = []
    with recording(inline=True):
        put_off(lambda: done.append(1))
        assert done == []
        coat("step", lambda: None)()
        assert done == [1]


def test_one_that_fails_keeps_no_other_from_being_carried_out() -> None:
    done: list[int] = []
    with recording(inline=True):
        put_off(lambda: done.append(int("nothing")))
        put_off(lambda: done.append(1))
        coat("step", lambda: None)()
    assert done == [1]


def test_they_are_bounded() -> None:
    with recording(inline=True):
        for _ in range(5_000):
            put_off(lambda: None)
        assert STATE.pipeline is not None
        assert len(STATE.pipeline._later) < 2_000
