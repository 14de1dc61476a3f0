"""What AOTEL_KEEP=errors may hold is bounded, whatever runs there are."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.kept import FAILED, Kept, keeping

if TYPE_CHECKING:
    from opentelemetry.trace import Span

LIMIT = 1 << 20


def open_run(kept: Kept, name: str, children: int = 1) -> Span:
    root = kept.start(name)
    for number in range(children):
        kept.start(f"{name}.{number}", root, text="x" * 1000).end()
    return root


def test_a_flood_of_good_runs_leaves_nothing() -> None:
    with keeping(limit=LIMIT) as kept:
        kept.run("warm")
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(10_000):
            kept.run(str(number), children=1)
            if number % 1000 == 0:
                assert kept.status.bytes == 0
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert (kept.status.bytes, kept.status.waiting, kept.status.given_up) == (0, 0, 0)
        assert kept.status.forgotten == 10_001
        assert after - before < 5 << 20  # the last runs, by their traces
        assert kept.names == []


def test_an_endless_run_stays_within_bounds(caplog: pytest.LogCaptureFixture) -> None:
    with keeping(limit=LIMIT) as kept:
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        root = open_run(kept, "endless", children=5_000)
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept.status.bytes <= LIMIT
        assert after - before < 3 * LIMIT
        assert (kept.status.given_up, kept.status.waiting) == (1, 0)
        assert kept.names == []
        assert caplog.text.count("AOTEL_KEEP_MAX_BYTES") == 1
        root.end()
        assert (kept.status.bytes, kept.status.forgotten) == (0, 0)


def test_a_run_that_was_given_up_and_fails_is_exported_from_there_on() -> None:
    with keeping(limit=LIMIT) as kept:
        root = open_run(kept, "endless", children=1_000)
        outer = kept.start("outer", root)
        inner = kept.start("inner", outer)
        inner.set_status(FAILED)
        inner.end()
        outer.end()
        root.end()
        assert kept.names == ["endless", "inner", "outer"]
        assert (kept.status.given_up, kept.status.incomplete, kept.status.exported) == (1, 1, 1)


def test_the_oldest_run_is_given_up_first_and_wholly(caplog: pytest.LogCaptureFixture) -> None:
    with keeping(limit=LIMIT) as kept:
        runs = [open_run(kept, str(number), children=20) for number in range(40)]
        assert kept.status.bytes <= LIMIT
        gone = kept.status.given_up
        assert 0 < gone < 40
        assert kept.status.waiting == 40 - gone
        for root in runs:
            root.set_status(FAILED)
            root.end()
        counted = {str(number): kept.names.count(str(number)) for number in range(40)}
        assert set(counted.values()) == {1}  # the root itself, in which they failed
        whole = {name.split(".")[0] for name in kept.names if "." in name}
        assert whole == {str(number) for number in range(gone, 40)}
        assert len(kept.names) == 40 + 20 * (40 - gone)
        assert kept.status.bytes == 0
        assert caplog.text.count("AOTEL_KEEP_MAX_BYTES") == 1


def test_one_span_that_is_larger_than_all_there_is() -> None:
    with keeping(limit=LIMIT) as kept:
        root = kept.start("root")
        kept.start("huge", root, text="x" * (2 * LIMIT)).end()
        assert (kept.status.bytes, kept.status.given_up) == (0, 1)
        kept.run("bad", fails=True)
        assert kept.names == ["bad", "bad.0", "bad.1"]
        root.end()


@pytest.mark.parametrize("size", [10, 1_000, 10_000])
def test_the_estimate_is_near_what_is_held(size: int) -> None:
    with keeping() as kept:
        root = kept.start("root")
        kept.start("warm", root, text="warm").end()
        gc.collect()
        estimated = kept.status.bytes
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(300):
            kept.start("span", root, text=f"{number:0{size}}", **{"gen_ai.operation.name": "chat"}).end()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert held / 2 < kept.status.bytes - estimated < held * 2
        root.end()
