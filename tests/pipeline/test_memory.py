"""Memory stays flat over many spans: the benchmark with fewer spans, and a queue that they fill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "memory.py"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("case", ["pod-up", "pod-down", "otlp-up", "otlp-down"])
def test_memory_is_flat_over_many_spans(case: str) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, "--spans", "40000", "--queue", "2000", case],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| {case} |" in done.stdout
