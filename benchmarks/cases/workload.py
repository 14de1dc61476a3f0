"""What every case calls, and how a call is timed: one function, one clock, the same arguments for all."""

from __future__ import annotations

import json
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


def lookup(path: str, limit: int) -> dict[str, Any]:  # noqa: ARG001 - what it does is not what is measured
    """Stand for a tool: what it costs is next to nothing."""
    return RESULT


def main(cases: dict[str, Callable[[], tuple[Callable[..., Any], Callable[[], Any]]]]) -> None:
    """Measure the case that the command line names and print nanoseconds a call as JSON.

    "caller" is wall time of the calling thread; "cpu" is processor time of all threads until everything is delivered.

    Args:
        cases: by name, a function that sets up and returns what to call and what to flush with.
    """
    call, flush = cases[sys.argv[1]]()
    _run(call, WARM_UP)
    flush()
    caller, cpu = [], []
    for _ in range(SAMPLES):
        begin, used = time.perf_counter_ns(), time.process_time_ns()
        _run(call, CALLS)
        caller.append((time.perf_counter_ns() - begin) / CALLS)
        flush()
        cpu.append((time.process_time_ns() - used) / CALLS)
    print(json.dumps({"caller": caller, "cpu": cpu}))


def _run(call: Callable[..., Any], times: int) -> None:
    for _ in range(times):
        call(*ARGUMENTS)
