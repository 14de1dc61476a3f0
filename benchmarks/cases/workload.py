"""What every case calls, and how a call is timed: one function, one clock, the same arguments for all."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ARGUMENTS = ("notes/agents.md", 3)
RESULT = {"path": "notes/agents.md", "lines": ["An agent is a loop.", "It calls tools.", "It stops."], "found": True}

WARM_UP = 500
CALLS = 2_000
SAMPLES = 9
SOCKET_CALLS = 2_000


def lookup(path: str, limit: int) -> dict[str, Any]:  # noqa: ARG001 - what it does is not what is measured
    """Stand for a tool: what it costs is next to nothing."""
    return RESULT


def main(cases: dict[str, Callable[[], tuple[Callable[..., Any], Callable[[], Any]]]]) -> None:
    """Measure the case that the command line names and print nanoseconds a call as JSON.

    Args:
        cases: by name, a function that sets up and returns what to call and what to flush with.
    """
    call, flush = cases[sys.argv[1]]()
    for _ in range(WARM_UP):
        call(*ARGUMENTS)
    flush()
    if "CPU" in os.environ:
        print(json.dumps(_cpu(call, flush)))
        return
    samples = []
    for _ in range(SAMPLES):
        begin = time.perf_counter_ns()
        for _ in range(CALLS):
            call(*ARGUMENTS)
        samples.append((time.perf_counter_ns() - begin) / CALLS)
        flush()
    print(json.dumps(samples))


def _cpu(call: Callable[..., Any], flush: Callable[[], Any]) -> list[float]:
    begin = time.process_time_ns()
    for _ in range(SOCKET_CALLS):
        call(*ARGUMENTS)
    flush()
    return [(time.process_time_ns() - begin) / SOCKET_CALLS]
