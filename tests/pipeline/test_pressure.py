"""More than the worker can send: what waits is bounded, and what matters most is kept longest."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

import aotel
from aotel.content import weight
from aotel.distro import recording_to
from aotel.distro.configuration import STATE
from aotel.pipeline import waiting as waiting_module
from aotel.pipeline.losses import Dropped, Losses
from aotel.pipeline.waiting import SIZE_LIMIT, FlushRequest, Waiting
from aotel.pipeline.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord

BEHIND = "come faster than they can be sent"
AGAIN = "are sent as they come again"


def losses() -> Losses:
    return Losses(lambda item: str(item[0]))


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if words in record.getMessage()]


def wait_until_said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    deadline = time.monotonic() + 10
    while not said(caplog, words) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(said(caplog, words)) == 1


def wait_for_silence(caplog: pytest.LogCaptureFixture) -> None:
    """Let the threads of earlier tests, which say something once each, come to their end."""
    for _ in range(50):
        before = len(caplog.records)
        time.sleep(0.2)
        if len(caplog.records) == before:
            return


def late_worker(done: list[Any]) -> Worker:
    worker = Worker(done.extend, losses=losses())
    worker._start = lambda: None  # type: ignore[method-assign]  # the thread is late
    return worker


@pytest.fixture
def ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "QUEUE_LIMIT", 10)


def test_starts_and_events_go_before_ends_and_the_order_stays(ten: None) -> None:
    done: list[Any] = []
    worker = late_worker(done)
    items = [(phase, number) for number in range(8) for phase in ("start", "emit", "error" if number % 2 else "end")]
    for item in items:
        worker.put(item)
    assert worker.queued == 10
    assert worker.losses.full == Dropped(start=7, emit=7)
    worker.flush(5)
    kept = [item for item in items if item[0] in ("end", "error")]
    assert done == [*kept[:-1], ("start", 7), ("emit", 7), kept[-1]]


def test_where_only_ends_are_left_the_oldest_go(ten: None) -> None:
    done: list[Any] = []
    worker = late_worker(done)
    for number in range(25):
        worker.put(("end" if number % 5 else "error", number))
    assert worker.queued == 10
    assert worker.losses.full == Dropped(end=12, error=3)
    worker.flush(5)
    assert [number for _, number in done] == list(range(15, 25))


def test_content_is_bounded_as_well_as_numbers() -> None:
    done: list[Any] = []
    worker = late_worker(done)
    for number in range(100):
        worker.put(("start", number))  # making room takes none of these for long
        worker.put(("end", number), SIZE_LIMIT // 20)
    assert worker.size <= SIZE_LIMIT + SIZE_LIMIT // 20
    assert worker.queued <= 42
    worker.flush(5)
    assert done[-1] == ("end", 99)
    assert worker.size == 0


def test_behind_is_said_once_and_so_is_having_caught_up(ten: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "aotel")
    wait_for_silence(caplog)
    worker = late_worker([])
    for _ in range(2):
        caplog.clear()
        for number in range(30):
            worker.put(("start", number))
            worker.put(("end", number))
        wait_until_said(caplog, BEHIND)
        assert not said(caplog, AGAIN)
        worker.flush(5)
        worker.flush(5)
        assert [record.getMessage().partition(": ")[2] for record in said(caplog, AGAIN)] == [
            f"envelopes {AGAIN}; dropped meanwhile: 30 start, 20 end"
        ]
    assert worker.losses.full == Dropped(start=60, end=40)


def test_what_comes_after_the_end_is_counted_apart() -> None:
    worker = late_worker([])
    worker.shutdown(5)
    worker.put(("start", 1))
    worker.put(("error", 1))
    assert worker.losses.full.total == 0
    assert worker.losses.late == Dropped(start=1, error=1)


def test_a_flush_that_is_dropped_with_the_ends_is_answered_with_no(ten: None) -> None:
    worker = late_worker([])
    worker._thread = threading.current_thread()  # which is alive, and does nothing
    answers: list[bool] = []
    flushing = threading.Thread(target=lambda: answers.append(worker.flush(20)))
    flushing.start()
    while not worker.queued:
        time.sleep(0.001)
    for number in range(12):
        worker.put(("end", number))
    flushing.join(10)
    assert answers == [False]
    assert worker.losses.full == Dropped(end=2)


class Flush(FlushRequest):
    def __init__(self, number: int) -> None:
        self.number = number
        self.answers: list[bool] = []

    def answered(self, *, complete: bool) -> None:
        self.answers.append(complete)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 12),
    st.lists(st.sampled_from(["start", "emit", "end", "error", "flush", "take"]), max_size=120),
)
def test_whatever_comes_and_goes_nothing_overtakes_and_everything_is_accounted_for(
    limit: int, steps: list[str]
) -> None:
    former, waiting_module.QUEUE_LIMIT = waiting_module.QUEUE_LIMIT, limit
    try:
        counted = losses()
        line = Waiting(counted)
        taken: list[Any] = []
        flushes: list[Flush] = []
        for number, step in enumerate(steps):
            if step == "take":
                taken += line.take(3)
                continue
            if len(line.line) >= line.room:
                line.make_room()
            if step == "flush":
                flushes.append(Flush(number))
            line.size_in += 1
            line.line.append((flushes[-1] if step == "flush" else (step, number), 1))
            assert len(line) <= limit
        while rest := line.take(3):
            taken += rest
    finally:
        waiting_module.QUEUE_LIMIT = former
    numbers = [item.number if isinstance(item, Flush) else item[1] for item in taken]
    assert numbers == sorted(numbers)
    unanswered = [flush for flush in flushes if not flush.answers]
    assert unanswered == [item for item in taken if isinstance(item, Flush)]
    assert len(taken) + counted.full.total + len(flushes) - len(unanswered) == len(steps) - steps.count("take")
    assert line.size == 0


def test_many_threads_that_put_while_one_takes_keep_the_order_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "QUEUE_LIMIT", 50)
    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    done: list[Any] = []
    worker = Worker(done.extend, losses=losses())

    def put(who: int) -> None:
        for number in range(2_000):
            worker.put(("start", who, number))
            worker.put(("end", who, number))

    try:
        threads = [threading.Thread(target=put, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert worker.flush(20)
    finally:
        sys.setswitchinterval(former)
    for who in range(4):
        mine = [(number, phase == "end") for phase, whose, number in done if whose == who]
        assert mine == sorted(mine)
    assert len(done) + worker.losses.full.total == 16_000
    worker.shutdown(5)


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals go to the main thread")
def test_a_signal_handler_that_puts_and_flushes_in_the_middle_of_making_room_hangs_nobody(ten: None) -> None:
    done: list[Any] = []
    worker = late_worker(done)
    handled: list[int] = []

    def handle(*_: object) -> None:
        handled.append(1)
        worker.put(("end", -len(handled)))
        if len(handled) % 10 == 0:
            worker.flush(1)

    former = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        deadline = time.monotonic() + 20
        number = 0
        while len(handled) < 50 and time.monotonic() < deadline:
            number += 1
            worker.put(("start", number))
            worker.put(("end", number))
        signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
    worker.flush(5)
    assert len(handled) >= 50
    assert len(done) + worker.losses.full.total == 2 * number + len(handled)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_starts_to_count_at_nothing(ten: None) -> None:
    worker = late_worker([])
    for number in range(30):
        worker.put(("end", number))
    assert worker.losses.full.total == 20
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if (worker.queued, worker.losses.full.total, worker.losses.going_on) == (0, 0, False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert worker.losses.full.total == 20


class Held(LogRecordExporter):
    """Waits at the first batch until it is let go."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.kinds: list[str] = []

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.released.wait(30)
        self.kinds += [str(record.log_record.event_name) for record in batch]
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        self.released.set()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self.released.is_set() and timeout_millis > 0


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    monkeypatch.setattr(waiting_module, "QUEUE_LIMIT", 100)
    exporter = Held()
    with recording_to(exporter, inline=False):
        yield exporter
        exporter.released.set()


@aotel.coat("tool")
def fails_at_times(number: int) -> int:
    aotel.tie("seen", {"number": number})
    if number % 2:
        raise ValueError(number)
    return number


def test_status_counts_by_kind_what_a_receiver_that_hangs_costs(held: Held) -> None:
    before = aotel.status().dropped_by_kind
    for number in range(300):
        with contextlib.suppress(ValueError):
            fails_at_times(number)
    lost = Dropped(*(now - then for now, then in zip(aotel.status().dropped_by_kind, before, strict=True)))
    assert aotel.status().queued <= 100
    assert lost.start > 200
    assert lost.emit > 200
    assert lost.end > 50
    assert lost.error > 50
    held.released.set()
    assert aotel.flush(20)
    assert len(held.kinds) + lost.total == 900
    ends = [kind for kind in held.kinds if kind in ("agent.tool.result", "coat.error")]
    assert len(ends) + lost.end + lost.error == 300
    assert STATE.pipeline is not None
    assert STATE.pipeline.queued_size == 0


def test_events_and_ends_weigh_what_they_hold(held: Held) -> None:
    assert weight({"a": ["xy", 1]}) > weight({"a": ["x", 1]}) > weight(None) > 0

    @aotel.coat("tool")
    def say(text: str) -> str:
        aotel.tie("said", {"text": text})
        return text

    say("x" * 10_000)
    assert STATE.pipeline is not None
    say("x" * 10_000)
    # The input, which the end keeps as well, the event, and the output; the worker has taken those of the first call.
    assert 39_000 <= STATE.pipeline.queued_size <= 81_000
