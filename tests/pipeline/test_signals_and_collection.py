"""The way into the queue takes no lock: a signal handler or the collector may come in the middle of another one's."""

from __future__ import annotations

import gc
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import aotel
from aotel.pipeline.worker import Worker
from aotel.testing import record_envelopes

if TYPE_CHECKING:
    from collections.abc import Iterator


@aotel.coat("tool")
def leaf(number: int) -> int:
    return number


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_calls_from_a_signal_handler_hang_nobody() -> None:
    handled: list[int] = []
    former = signal.signal(signal.SIGALRM, lambda *_: handled.append(leaf(-1)))
    try:
        with record_envelopes() as recorded:
            signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
            calls = 300
            for _ in range(calls):
                leaf(1)
                time.sleep(0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            aotel.flush(50)
            ends = [envelope for envelope in recorded.envelopes if envelope["kind"] == "agent.tool.result"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    assert handled
    assert len(ends) == calls + len(handled)


def test_a_put_inside_a_put_is_taken() -> None:
    done: list[Any] = []
    worker = Worker(done.extend)

    class Interrupting:
        """Stands for whatever the interpreter runs in the middle of a put."""

        def __radd__(self, other: int) -> int:
            worker.put("inner")
            return other

    worker.put("outer", Interrupting())  # type: ignore[arg-type]
    assert worker.flush(5)
    assert set(done) == {"inner", "outer"}
    worker.shutdown(5)


def test_generators_that_the_collector_finds_end_their_spans() -> None:
    @aotel.coat("tool")
    def endless() -> Iterator[int]:
        while True:
            yield 1

    with record_envelopes() as recorded:
        for _ in range(50):
            cycle: list[Any] = [endless()]
            next(cycle[0])
            cycle.append(cycle)
        del cycle
        gc.collect()
        outcomes = [envelope["payload"].get("outcome") for envelope in recorded.envelopes]
    assert outcomes.count("abandoned") == 50


def test_a_call_leaves_nothing_for_the_collector(tmp_path: Any) -> None:
    with record_envelopes(envelopes=None):
        leaf(1)
        gc.collect()
        gc.disable()
        try:
            for number in range(200):
                leaf(number)
            aotel.flush()
            assert gc.collect() < 100
        finally:
            gc.enable()


def test_shutdown_and_flush_after_it_return_at_once() -> None:
    worker = Worker(lambda items: None)
    worker.put(1)
    begin = time.monotonic()
    assert worker.shutdown(5)
    assert worker.flush(5)
    assert worker.shutdown(5)
    assert time.monotonic() - begin < 2
