"""Measure what a call costs, beside its peers: each in an environment of its own, interleaved in one run."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parent
ENVIRONMENTS = ROOT / ".venv-bench"
ROUNDS = 5
TIMEOUT = 300


class Case(NamedTuple):
    """One row of the table."""

    program: str
    name: str
    peer: str | None
    """The distribution that is installed beside aotel's dependencies; None runs in the project's own environment."""


BASELINE = Case("otel.py", "six attributes by hand", None)
CALLER = (
    BASELINE,
    *(Case("coat.py", f"coat, {mode}", None) for mode in ("redacted", "none", "hash", "summary", "raw")),
    Case("coat.py", "coat, unsampled", None),
    Case("coat.py", "coat, disabled", None),
    Case("openinference.py", "OpenInference @tracer.tool", "openinference-instrumentation"),
    Case("envpod.py", "envpod-coat, null", "envpod-coat"),
)
SOCKET_BASELINE = Case("envpod.py", "envpod-coat, pod socket", "envpod-coat")
SOCKET = (SOCKET_BASELINE, Case("coat.py", "coat, pod socket", None))


def main() -> None:
    """Run every case, print the tables and write them to `benchmarks/README.md`."""
    caller = measure(CALLER, {})
    with pod() as path:
        environment = {"CPU": "1", "ENVPOD_SOCKET": path, "ENVPOD_POD_ID": "bench"}
        delivered = measure(SOCKET, environment)
    page = "\n\n".join(
        [
            INTRODUCTION,
            machine(),
            table("Time in the caller", BASELINE, caller, "us a call"),
            table("CPU of all threads, delivered to a pod socket", SOCKET_BASELINE, delivered, "us a call"),
        ]
    )
    print(page)
    (HERE / "README.md").write_text(page + "\n")


def measure(cases: tuple[Case, ...], environment: dict[str, str]) -> dict[Case, float]:
    """Return the median ns a call of each case, over rounds in which the cases take turns."""
    samples: dict[Case, list[float]] = {case: [] for case in cases}
    for turn in range(ROUNDS):
        for case in cases:
            print(f"\rround {turn + 1} of {ROUNDS}: {case.name:<40}", end="", file=sys.stderr, flush=True)
            samples[case] += run(case, environment)
    print(file=sys.stderr)
    return {case: statistics.median(found) for case, found in samples.items()}


def run(case: Case, environment: dict[str, str]) -> list[float]:
    """Run one case in a fresh interpreter and return its samples, ns a call."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "AOTEL_", "ENVPOD_"))}
    done = subprocess.run(
        [python_for(case.peer), HERE / "cases" / case.program, case.name],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    if done.returncode != 0:
        sys.exit(f"{case.name} failed:\n{done.stderr}")
    samples: list[float] = json.loads(done.stdout.splitlines()[-1])
    return samples


def python_for(peer: str | None) -> str:
    """Return the interpreter of a peer's environment, made on first use with the same OpenTelemetry as ours."""
    if peer is None:
        return sys.executable
    home = ENVIRONMENTS / peer
    python = home / "bin" / "python"
    if not (home / ".ready").exists():
        uv = [sys.executable, "-m", "uv"]
        frozen = subprocess.run(
            [*uv, "pip", "freeze"], check=True, capture_output=True, text=True, timeout=TIMEOUT
        ).stdout
        same = [line for line in frozen.splitlines() if line.startswith(("opentelemetry-api", "opentelemetry-sdk"))]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, home], check=True, timeout=TIMEOUT)
        subprocess.run([*uv, "pip", "install", "-q", "--python", python, peer, *same], check=True, timeout=TIMEOUT)
        (home / ".ready").touch()
    return str(python)


@contextlib.contextmanager
def pod() -> Iterator[str]:
    """Run a pod socket in a process of its own and yield its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/queue.sock"
        server = subprocess.Popen(
            [sys.executable, HERE / "receiver.py", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert server.stdout is not None  # noqa: S101 - it is a pipe
            server.stdout.readline()
            yield path
        finally:
            server.communicate(timeout=10)


def table(title: str, baseline: Case, medians: dict[Case, float], unit: str) -> str:
    """Return a Markdown table: each case, its median and its ratio to the baseline."""
    rows = [f"## {title}", "", f"| what | {unit} | ratio |", "| --- | ---: | ---: |"]
    for case, median in medians.items():
        rows.append(f"| {case.name} | {median / 1000:.2f} | {median / medians[baseline]:.2f} |")
    return "\n".join(rows)


def machine() -> str:
    """Return a line that says what the numbers were taken on."""
    cores = os.cpu_count()
    system = f"{platform.system()} {platform.machine()}, {cores} cores"
    return f"Python {platform.python_version()}, {system}; medians of {ROUNDS} rounds."


INTRODUCTION = """# Benchmarks

`make bench` measures and writes this page. Each row runs in an interpreter of its own, peers in environments of their
own; rows take turns, so that a busy machine is busy for all of them. Ratios are to the first row."""


if __name__ == "__main__":
    main()
