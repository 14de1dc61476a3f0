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
ROUNDS = 3
_SAME = ("opentelemetry-api==", "opentelemetry-sdk==", "openai==")  # versions in all environments
TIMEOUT = 300


class Case(NamedTuple):
    """One row of the table."""

    program: str
    name: str
    peer: str | None
    """The distribution that is installed beside OpenTelemetry's; None runs in the project's own environment."""


DROPPED = (
    Case("otel.py", "six attributes by hand", None),
    *(Case("coat.py", f"coat, {mode}", None) for mode in ("redacted", "none", "hash", "summary", "raw")),
    Case("coat.py", "coat, unsampled", None),
    Case("coat.py", "coat, disabled", None),
    Case("openinference_tool.py", "OpenInference @tracer.tool", "openinference-instrumentation"),
    Case("envpod.py", "envpod-coat, null", "envpod-coat"),
)
DELIVERED = (
    Case("envpod.py", "envpod-coat, pod socket", "envpod-coat"),
    Case("coat.py", "coat, pod socket", None),
)


_OPENINFERENCE = "openinference-instrumentation-openai"
SDK_CALLS = {
    what: (
        Case("openai_calls.py", f"OpenInference, {what}", _OPENINFERENCE),
        Case("openai_calls.py", f"aotel, {what}", None),
    )
    for what in ("1 message", "20 messages", "200 messages", "chunk")
}


class Cost(NamedTuple):
    """Medians, in nanoseconds a call."""

    caller: float
    cpu: float


def main() -> None:
    """Run every case, print the tables and write them to `benchmarks/README.md`."""
    dropped = measure(DROPPED, {})
    with pod() as path:
        delivered = measure(DELIVERED, {"ENVPOD_SOCKET": path, "ENVPOD_POD_ID": "bench"})
    tables = [table("Exporters that drop", dropped), table("Delivered to a pod socket", delivered)]
    with model_server() as url:
        called = [measure(cases, {"OPENAI_BASE_URL": url}) for cases in SDK_CALLS.values()]
    page = "\n\n".join([INTRODUCTION, machine(), *tables, SDK_INTRODUCTION, *map(rows, called)])
    print(page)
    (HERE / "README.md").write_text(page + "\n")


def measure(cases: tuple[Case, ...], environment: dict[str, str]) -> dict[Case, Cost]:
    """Return what a call costs in each case, over rounds in which the cases take turns."""
    samples: dict[Case, list[dict[str, list[float]]]] = {case: [] for case in cases}
    for turn in range(ROUNDS):
        for case in cases:
            print(f"\rround {turn + 1} of {ROUNDS}: {case.name:<40}", end="", file=sys.stderr, flush=True)
            samples[case].append(run(case, environment))
    print(file=sys.stderr)
    return {case: Cost(_median(found, "caller"), _median(found, "cpu")) for case, found in samples.items()}


def _median(samples: list[dict[str, list[float]]], what: str) -> float:
    return statistics.median(value for sample in samples for value in sample[what])


def run(case: Case, environment: dict[str, str]) -> dict[str, list[float]]:
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
    samples: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
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
        same = [line for line in frozen.splitlines() if line.startswith(_SAME)]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, home], check=True, timeout=TIMEOUT)
        subprocess.run([*uv, "pip", "install", "-q", "--python", python, peer, *same], check=True, timeout=TIMEOUT)
        (home / ".ready").touch()
    return str(python)


@contextlib.contextmanager
def pod() -> Iterator[str]:
    """Run a pod socket in a process of its own and yield its path."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/queue.sock"
        with serving("receiver.py", path):
            yield path


@contextlib.contextmanager
def model_server() -> Iterator[str]:
    """Run a model in a process of its own and yield its URL."""
    with serving("model_server.py") as port:
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def serving(program: str, *arguments: str) -> Iterator[str]:
    """Run a server that ends with its standard input, and yield the first line it prints."""
    server = subprocess.Popen(
        [sys.executable, HERE / program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        yield server.stdout.readline().strip()
    finally:
        server.communicate(timeout=10)


def table(title: str, costs: dict[Case, Cost]) -> str:
    """Return a Markdown table under a title; see `rows`."""
    return f"## {title}\n\n{rows(costs)}"


def rows(costs: dict[Case, Cost]) -> str:
    """Return a Markdown table: each case, its medians in microseconds a call, and their ratios to the first row."""
    first = next(iter(costs.values()))
    lines = [
        "| what | caller, us a call | ratio | CPU of all threads, us a call | ratio |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for case, cost in costs.items():
        caller, cpu = (
            f"{cost.caller / 1000:.1f} | {cost.caller / first.caller:.2f}",
            f"{cost.cpu / 1000:.1f} | {cost.cpu / first.cpu:.2f}",
        )
        lines.append(f"| {case.name} | {caller} | {cpu} |")
    return "\n".join(lines)


def machine() -> str:
    """Return a line that says what the numbers were taken on."""
    cores = os.cpu_count()
    system = f"{platform.system()} {platform.machine()}, {cores} cores"
    return f"Python {platform.python_version()}, {system}; medians of {ROUNDS} rounds."


INTRODUCTION = """# Benchmarks

`make bench` measures and writes this page. Each row runs in an interpreter of its own, peers in environments of their
own; rows take turns, so that a busy machine is busy for all of them. Ratios are to the first row of a table.

"Caller" is the time that a call takes the thread that makes it: `@coat("tool")` on a function that does nothing, with
two arguments and a result of six values, spans batched and both envelopes queued. "CPU of all threads" is all the
processor time until the last span and envelope is delivered, the redaction and encoding on other threads included.

What else is measured here prints a table of its own: `pod_load.py` (how many envelopes a second a pod takes),
`sensor.py` (what the audit hook costs), `run_startup.py` (what it costs to be run under `aotel run`) and `memory.py`
(whether memory stays flat over a million spans, with the receivers up and with nobody there)."""


SDK_INTRODUCTION = """## Added to a call of OpenAI's SDK

What instrumentation adds to the same call of the bare SDK, to the same local server; bare and instrumented calls take
turns in one process. Messages have 500 characters, and all but the last were sent with the call before, as an agent's
loop does. "chunk" is one of 500 in a streamed answer. An exporter reads every attribute, and drops it."""


if __name__ == "__main__":
    main()
