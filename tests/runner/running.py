"""`aotel run` as a process of its own, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

AOTEL = (sys.executable, "-m", "aotel.cli", "run")


@dataclass(frozen=True)
class Record:
    """The record of one run.

    Attributes:
        path: its directory.
    """

    path: Path

    @property
    def info(self) -> dict[str, Any]:
        """What `run.json` says."""
        found: dict[str, Any] = json.loads((self.path / "run.json").read_text())
        return found

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in (self.path / "audit.jsonl").read_text().splitlines()]

    def details(self, action: str) -> list[dict[str, Any]]:
        """Return the details of all entries of an action."""
        return [json.loads(entry["detail"]) for entry in self.entries if entry["action"] == action]

    @property
    def envelopes(self) -> list[dict[str, Any]]:
        """The envelopes in the log."""
        return self.details("agent_coat")

    @property
    def exit(self) -> dict[str, Any]:
        """What the log says of the command's end."""
        (found,) = [each for each in self.details("process_exit") if each["source"] == "runner"]
        return found


@dataclass(frozen=True)
class Ran:
    """A run that is over.

    Attributes:
        status: the exit status; negative for a signal, as Python has it.
        stdout: what came out.
        stderr: what the view, and the command, said.
        runs: the directory of all runs.
    """

    status: int
    stdout: bytes
    stderr: str
    runs: Path

    @property
    def record(self) -> Record:
        """The one record there is."""
        (path,) = [path for path in self.runs.iterdir() if path.is_dir() and not path.is_symlink()]
        return Record(path)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a run: our own, without what would colour or size a view."""
    return {**os.environ, "COLUMNS": "200", **(more or {})}


def run(
    directory: Path,
    *arguments: str | Path,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    timeout: float = 45,
    view: str = "simple",
) -> Ran:
    """Run `aotel run` with some arguments in a directory, its runs in `runs` there; return what became of it."""
    runs = directory / "runs"
    done = subprocess.run(
        [*AOTEL, "--view", view, "--runs-dir", str(runs), *map(str, arguments)],
        cwd=directory,
        env=environment(env),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=timeout,
    )
    return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"), runs)


@contextlib.contextmanager
def started(
    directory: Path,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    view: str = "simple",
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `aotel run` likewise, and see to it that nothing of it is left after the block."""
    command = [*prefix, *AOTEL, "--view", view, "--runs-dir", str(directory / "runs"), *map(str, arguments)]
    process = subprocess.Popen(command, cwd=directory, env=environment(env), **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            tree: list[psutil.Process | subprocess.Popen[bytes]] = [
                *psutil.Process(process.pid).children(recursive=True),
                process,
            ]
            for each in tree:
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                    each.kill()
            process.wait(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def finished(process: subprocess.Popen[bytes], directory: Path, timeout: float = 30) -> Ran:
    """Wait for what `started` has started, and return what became of it."""
    stdout, stderr = process.communicate(timeout=timeout)
    return Ran(process.returncode, stdout or b"", (stderr or b"").decode(errors="replace"), directory / "runs")


def until(condition: Callable[[], object], what: str, seconds: float = 15) -> None:
    """Return as soon as a condition holds.

    Raises:
        TimeoutError: it doesn't hold after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def python(code: str) -> Sequence[str]:
    """Return the command that runs Python code."""
    return (sys.executable, "-c", code)


def is_alive(pid: int) -> bool:
    """Say whether a process runs, or is stopped; what has ended and was not waited for doesn't."""
    try:
        with Path(f"/proc/{pid}/stat").open("rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in {b"Z", b"X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
