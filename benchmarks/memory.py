"""Whether memory stays flat: a million spans with both their envelopes, with the receivers up and with nobody there.

Each case runs in a process of its own, which makes a warm-up (until queues and caches are as full as they get), then
the rest, and looks at its resident memory ten times on the way. Exit status 1 if it grows by more than `BOUND`.

`python benchmarks/memory.py --spans 1000000 CASE ...`; cases: pod-up, pod-down, otlp-up, otlp-down.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
CASES = ("pod-up", "pod-down", "otlp-up", "otlp-down")
BOUND = 24 * 2**20
"""Bytes that resident memory may grow by after the warm-up, however many spans come: what pages and arenas do."""
LOOKS = 10
NOBODY = "http://127.0.0.1:9"  # the discard port, where nobody listens


class Seen(NamedTuple):
    """What a case came to: resident memory after the warm-up and at each look, in bytes, and what became of it all."""

    warm: int
    looks: list[int]
    counts: str

    @property
    def growth(self) -> int:
        """The most that it was above that while spans came; negative where it only fell.

        The flush at the end writes out all that waits, which takes as much again, however many spans there were.
        """
        return max(self.looks[:-1]) - self.warm


def main(arguments: list[str] | None = None) -> int:
    """Run cases, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--queue", type=int, help="how many envelopes wait at most: fewer spans fill it then")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        child(options.spans, options.queue)
        return 0
    print("| case | after the warm-up, MiB | most after it, MiB | last, MiB | growth, MiB |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    flat = True
    for case in options.cases:
        seen = run(case, options.spans, options.queue)
        numbers = (seen.warm, max(seen.looks), seen.looks[-1], seen.growth)
        print(f"| {case} | {' | '.join(f'{number / 2**20:.1f}' for number in numbers)} |", flush=True)
        print(f"{case}: {seen.counts}", file=sys.stderr)
        flat = flat and seen.growth <= BOUND
    return 0 if flat else 1


def run(case: str, spans: int, queue: int | None) -> Seen:
    """Run a case in a fresh process.

    Args:
        case: one of `CASES`.
        spans: how many spans it makes in all.
        queue: how many envelopes wait at most, if not as many as usual.
    """
    fewer = [] if queue is None else ["--queue", str(queue)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AOTEL_", "ENVPOD_"))}
    with _receivers(case) as variables:
        done = subprocess.run(
            [sys.executable, __file__, "--child", "--spans", str(spans), *fewer],
            env={**clean, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # where envelopes go while the pod is away
            check=True,
            timeout=3600,
        )
    return Seen(*json.loads(done.stdout.splitlines()[-1]))


@contextlib.contextmanager
def _receivers(case: str) -> Iterator[dict[str, str]]:
    """Run what a case sends to, in processes of their own, and yield the variables that name it."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        endpoint = stack.enter_context(_serving("otlp_receiver.py")) if case.endswith("up") else NOBODY
        if case.startswith("otlp"):
            yield {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "AOTEL_ENVELOPES": "otlp"}
            return
        path = f"{folder}/queue.sock"
        if case == "pod-up":
            stack.enter_context(_serving("receiver.py", path))
        yield {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "AOTEL_ENVELOPES": "pod",
            "ENVPOD_POD_ID": "bench",
            "ENVPOD_SOCKET": path,
        }


@contextlib.contextmanager
def _serving(program: str, *arguments: str) -> Iterator[str]:
    """Run a server that ends with its standard input, and yield the first line it prints."""
    server = subprocess.Popen(
        [sys.executable, HERE / program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        yield server.stdout.readline().strip()
    finally:
        server.communicate(timeout=30)


def child(spans: int, queue: int | None) -> None:
    """Make spans, and print resident memory as JSON."""
    import aotel
    from aotel.pipeline import waiting

    if queue is not None:
        waiting.QUEUE_LIMIT = queue
    aotel.configure()

    @aotel.coat("tool")
    def search(query: str, limit: int) -> dict[str, object]:
        return {"query": query, "hits": ["an agent is a loop"] * limit}

    memory = psutil.Process().memory_info
    warm_up = spans // 4  # by then as much waits as ever can, whatever the speed of the worker
    for number in range(warm_up):
        search(f"question {number}", 3)
    warm = memory().rss
    looks: list[int] = []
    step = (spans - warm_up) // LOOKS
    for turn in range(LOOKS):
        for number in range(step):
            search(f"question {turn} {number}", 3)
        looks.append(memory().rss)
    begin = time.monotonic()
    aotel.flush(10)
    seconds = time.monotonic() - begin
    looks.append(memory().rss)
    found = aotel.status()
    counts = (
        f"sent {found.sent}, dropped {found.dropped} ({found.dropped_by_kind}), diverted {found.diverted}, waiting "
        f"{found.waiting}; spans: {[(each.sent, each.dropped) for each in found.span_exporters]}; "
        f"flushed in {seconds:.1f} s"
    )
    print(json.dumps([warm, looks, counts]))


if __name__ == "__main__":
    raise SystemExit(main())
