"""Measure what it costs a Python program to be run under `aotel run`, beside `opentelemetry-instrument`."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROUNDS = 11
PROGRAM = "import os, time; os.write(1, str(time.time_ns()).encode())"
"""Says when its first line runs."""
TIMEOUT = 60.0  # seconds
_NOWHERE = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
_OTHERS = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "openai,langchain,genai_openai,openai_v2,anthropic,litellm"}
"""Instrumentors that are here for tests; they import what they instrument."""


class Way(NamedTuple):
    """A way to run the program.

    Attributes:
        what: what the table calls it.
        command: what comes before `python`.
        variables: what the environment has besides.
    """

    what: str
    command: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


class Took(NamedTuple):
    """Milliseconds from the command's start to the program's first line, and to the command's end."""

    first_line: float
    whole: float


def ways() -> tuple[Way, ...]:
    """Return what is compared: nothing leaves the machine in any of them."""
    scripts = Path(sys.executable).parent
    instrument = (str(scripts / "opentelemetry-instrument"),)
    run = (str(scripts / "aotel"), "run", "--view", "off", "--backend", "pod", "--")
    return (
        Way("python"),
        Way("opentelemetry-instrument python", instrument, (("AOTEL_ENVELOPES", "none"), *_NOWHERE.items())),
        Way("aotel run -- python", run),
    )


def main() -> None:
    """Measure all ways in turns, and print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    found: dict[Way, list[Took]] = {way: [] for way in ways()}
    with tempfile.TemporaryDirectory() as directory:
        for number in range(rounds + 1):
            for way, samples in found.items():
                took = measure(way, directory)
                if number:  # the first fills the caches of the disk
                    samples.append(took)
    base = found[ways()[1]]
    print("| what | to the program's first line, ms | whole, ms | over `opentelemetry-instrument`, ms |")
    print("| --- | ---: | ---: | ---: |")
    for way, samples in found.items():
        whole = statistics.median(took.whole for took in samples)
        over = whole - statistics.median(took.whole for took in base)
        first = statistics.median(took.first_line for took in samples)
        print(f"| {way.what} | {first:.0f} | {whole:.0f} | {over:+.0f} |")


def measure(way: Way, directory: str) -> Took:
    """Run the program once."""
    command = [*way.command, sys.executable, "-c", PROGRAM]
    begin, began = time.perf_counter(), time.time_ns()
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **_OTHERS, **dict(way.variables)},
        stdout=subprocess.PIPE,
        timeout=TIMEOUT,
        check=True,
    )
    whole = time.perf_counter() - begin
    return Took((int(done.stdout) - began) / 1e6, whole * 1e3)


if __name__ == "__main__":
    main()
