"""An agent at work: runs with three operations each, until it is told to stop or has made enough of them.

usage: load.py RUNS PAUSE [STOP [EVENTS]]

RUNS is how many it makes at most, PAUSE the seconds between them, STOP a file that ends it when it appears. EVENTS are
`error:N` and `slow:N:SECONDS`, for the run of number N. At its end it prints what became of its envelopes.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from pathlib import Path

import aotel

MOST = 20_000
PATIENCE = 60.0  # seconds from the last run until everything is delivered


@aotel.coat("tool")
def look_up(number: int) -> str:
    return f"entry {number}"


@aotel.coat("tool")
def divide(number: int) -> float:
    return number / 0


@aotel.coat("tool")
def wait(seconds: float) -> None:
    time.sleep(seconds)


@aotel.run
def work(number: int, event: str) -> None:
    look_up(number)
    look_up(-number)
    if event == "error":
        with contextlib.suppress(ZeroDivisionError):
            divide(number)
    elif event.startswith("slow:"):
        wait(float(event.partition(":")[2]))


def main(runs: str, pause: str, stop: str = "", *events: str) -> None:
    aotel.configure()
    planned = {}
    for event in events:
        kind, when, *rest = event.split(":")
        planned[int(when)] = ":".join((kind, *rest))
    for number in range(min(int(runs), MOST)):
        work(number, planned.get(number, ""))
        if stop and Path(stop).exists():
            break
        time.sleep(float(pause))
    ends = time.monotonic() + PATIENCE
    while not aotel.flush(PATIENCE) or kept():
        if time.monotonic() > ends:
            break
        time.sleep(0.5)
    status = aotel.status()
    print(json.dumps({"dropped": status.dropped, "refused": status.refused, "kept": kept()}))


def kept() -> int:
    """Return how many envelopes wait for a receiver that did not take them."""
    return sum(exporter.waiting for exporter in aotel.status().exporters)


if __name__ == "__main__":
    main(*sys.argv[1:])
