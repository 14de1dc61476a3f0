"""The thread that works envelopes off."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from aotel.pipeline import worker as worker_module
from aotel.pipeline.worker import BATCH, Worker

if TYPE_CHECKING:
    from collections.abc import Sequence


def hold(release: threading.Event) -> None:
    release.wait(20)


def write(descriptor: int, items: Sequence[bytes]) -> None:
    os.write(descriptor, b"".join(items))


def test_items_are_worked_off_in_order_and_in_small_batches() -> None:
    batches: list[list[Any]] = []
    worker = Worker(lambda items: batches.append(list(items)))
    for number in range(BATCH * 3):
        worker.put(number)
    assert worker.flush(5)
    assert [item for batch in batches for item in batch] == list(range(BATCH * 3))
    assert max(map(len, batches)) <= BATCH
    worker.shutdown(5)


def test_no_thread_runs_before_the_first_item_and_none_after_shutdown() -> None:
    worker = Worker(lambda items: None)
    assert worker._thread is None
    worker.put(1)
    thread = worker._thread
    assert thread is not None
    assert worker.shutdown(5)
    thread.join(5)
    assert not thread.is_alive()


def test_inline_items_are_worked_off_before_put_returns() -> None:
    done: list[Any] = []
    worker = Worker(done.extend, inline=True)
    worker.put(1)
    assert done == [1]
    assert worker._thread is None


def test_a_flush_waits_no_longer_than_it_may() -> None:
    release = threading.Event()
    worker = Worker(lambda items: hold(release))
    worker.put(1)
    begin = time.monotonic()
    assert not worker.flush(0.3)
    assert time.monotonic() - begin < 5
    release.set()
    assert worker.flush(5)
    worker.shutdown(5)


def test_what_is_kept_gets_another_chance_without_new_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "RETRY_INTERVAL", 0.05)
    kept, delivered = [True], threading.Event()

    def work(items: Any) -> None:
        if not items:
            kept[0] = False
            delivered.set()

    worker = Worker(work, is_waiting=lambda: kept[0])
    worker.put(1)
    assert delivered.wait(5)
    worker.shutdown(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_leaves_the_parents_items_and_works_off_its_own() -> None:
    reading, writing = os.pipe()
    worker = Worker(lambda items: write(writing, items))
    worker._start = lambda: None  # type: ignore[method-assign]  # what is put waits
    worker.put(b"parent ")
    del worker._start
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        worker.put(b"child ")
        worker.flush(5)
        os._exit(0)
    os.waitpid(child, 0)
    worker.flush(5)
    assert os.read(reading, 100) == b"child parent "
    os.close(reading)
    os.close(writing)
