"""Programs that run while a test looks at them, is cruel to them, and reads what arrived."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from tests.distro.programs import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

PATIENCE = 30.0
"""Seconds that anything here may take."""

WORK = """
    import os, signal, sys, threading, time
    import aotel

    @aotel.coat("tool")
    def work(name):
        return name

    def say(*what):
        print(*what, flush=True)
"""
"""The beginning of a program: `work(name)` is an operation that returns its name; `Running.read` hears what it says."""

LONG = {"OTEL_BSP_SCHEDULE_DELAY": "60000", "PYTHONWARNINGS": "ignore::DeprecationWarning"}
"""Variables: spans wait for a minute, unless somebody has them sent; forks beside threads are not warned of."""


class Running:
    """A program in a process of its own, and in a group of its own with its children; gone when its block ends.

    Args:
        command: what to run.
        directory: where.
        environment: its variables.
    """

    def __init__(self, command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
        self._written = directory / "stderr.txt"
        with self._written.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @property
    def stderr(self) -> str:
        """What it has written to standard error."""
        return self._written.read_text(errors="replace")

    def read(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                assert selector.select(max(deadline - time.monotonic(), 0)), f"it says nothing\n{self.stderr}"
                chunk = os.read(self.process.stdout.fileno(), 1 << 16)
                assert chunk, f"it has ended\n{self.stderr}"
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def send(self, number: int) -> None:
        """Send it a signal."""
        # A signal that comes as the program is about to wait is seen by Python's handler only when that wait is over.
        time.sleep(0.2)
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return its exit status, as `subprocess` counts, when it has ended."""
        return self.process.wait(PATIENCE)

    def children(self) -> list[psutil.Process]:
        """Return its child processes."""
        return psutil.Process(self.process.pid).children()


@dataclass
class Launcher:
    """Starts programs that export spans to a receiver.

    Args:
        directory: where they run.
        environment: variables for all of them.
    """

    directory: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, name: str, *sources: str) -> Path:
        """Write a program, given in parts of any indentation."""
        path = self.directory / name
        path.write_text("\n".join(textwrap.dedent(source) for source in sources))
        return path

    def variables(self, further: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the variables of a program."""
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        own = {
            "AOTEL_ENVELOPES": "none",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "langchain,openai,anthropic,litellm",  # they import frameworks
            "PYTHONPATH": os.pathsep.join((str(self.directory), str(ROOT / "src"))),
        }
        return {**clean, **own, **self.environment, **(further or {})}

    def python(self, *sources: str, options: Sequence[str] = (), **environment: str) -> Running:
        """Start a program.

        Args:
            *sources: its source, in parts of any indentation.
            options: of the interpreter.
            **environment: further variables.
        """
        program = self.write("program.py", *sources)
        return self.command([sys.executable, *options, str(program)], **environment)

    def command(self, command: Sequence[str], **environment: str) -> Running:
        """Start a command, with further variables."""
        return Running(command, self.directory, self.variables(environment))


def results(spans: Sequence[Any]) -> list[str]:
    """Return what the operations of `WORK` have returned, sorted."""
    return sorted(str(span.attributes["output.value"]) for span in spans if span.name == "work")


def kinds(envelopes: Sequence[Any]) -> dict[str, int]:
    """Return how many envelopes there are of each kind."""
    return dict(Counter(envelope["kind"] for envelope in envelopes))
