"""What a run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - a field's default is made of it
from typing import TYPE_CHECKING

from aotel.runner.artifacts import DEFAULT_LIMIT
from aotel.runner.directory import DEFAULT_RUNS

if TYPE_CHECKING:
    from aotel.pod.config import AgentConfig


@dataclass(frozen=True)
class RunOptions:
    """One run.

    Attributes:
        command: the program and its arguments.
        name: what the run is called; by default, after the program.
        agent: the agent whose identity the program has.
        agents: those that can be claimed; without any, the one that is named is there.
        packages: requirements to install for the run alone, before it.
        view: "rich", "simple", "json" or "off"; on standard error.
        level: the least that the view shows: "DEBUG", "INFO", "WARNING" or "ERROR".
        backends: where spans go besides the run's own pod, by their names in `aotel.backends`; none goes by the
            environment.
        allow_hosts: hosts that may be connected to; with none, all may.
        allow_paths: paths that may be opened; with none, all may.
        enforce: whether what is not allowed is blocked, in Python, and not only reported.
        timeout: seconds that the program may run.
        memory_limit: bytes of memory that its processes may have together.
        output: directory to collect files from.
        output_limit: bytes to collect at most.
        runs_dir: directory of all runs.
    """

    command: tuple[str, ...]
    name: str | None = None
    agent: str | None = None
    agents: tuple[AgentConfig, ...] = ()
    packages: tuple[str, ...] = ()
    view: str = "rich"
    level: str = "INFO"
    backends: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    allow_paths: tuple[str, ...] = ()
    enforce: bool = False
    timeout: float | None = None
    memory_limit: int | None = None
    output: Path | None = None
    output_limit: int = DEFAULT_LIMIT
    runs_dir: Path = field(default=DEFAULT_RUNS)
