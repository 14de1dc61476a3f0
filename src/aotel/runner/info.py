"""`run.json`: what was run, when, under which limits, and how it ended."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aotel import settings
from aotel._version import __version__
from aotel.content import ContentPolicy
from aotel.envelopes.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aotel.runner.child import Exit
    from aotel.runner.options import RunOptions

FORMAT: Final = 1
_LONGEST: Final = 300  # characters of an argument
_MOST: Final = 100
_HIDDEN: Final = "<redacted>"


@dataclass
class Info:
    """All that `run.json` says; completed as the run goes on.

    Attributes:
        options: what was asked for.
        name: what the run is called.
        pod_id: its pod.
        state: "starting", "running", "finished", or "failed" if the command could not be run.
    """

    options: RunOptions
    name: str
    pod_id: str
    state: str = "starting"
    pid: int | None = None
    exit: Exit | None = None
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    artifacts: dict[str, int] | None = None
    left_running: list[int] = field(default_factory=list)
    cgroup: bool = False
    _began: int = field(default_factory=time.time_ns)
    _ended: int | None = None

    def end(self, state: str) -> None:
        """Note that the run is over."""
        self.state = state
        self._ended = time.time_ns()

    def content(self) -> dict[str, Any]:
        """Return what to write; what is not known is left out."""
        options = self.options
        limits = {
            "timeout_seconds": options.timeout,
            "memory_bytes": options.memory_limit,
            "memory_kept_by": None if options.memory_limit is None else ("kernel" if self.cgroup else "watching"),
            "output_bytes": None if options.output is None else options.output_limit,
        }
        policy = {
            "allow_hosts": list(options.allow_hosts) or None,
            "allow_paths": list(options.allow_paths) or None,
            "enforce": options.enforce or None,
        }
        ended = None if self.exit is None else {"code": self.exit.code, "signal": self.exit.signal_name}
        return _known(
            {
                "format": FORMAT,
                "name": self.name,
                "state": self.state,
                "command": presentable(options.command),
                "directory": os.getcwd(),  # noqa: PTH109 - a string is what is written
                "pod_id": self.pod_id,
                "agent": options.agent,
                "packages": list(options.packages) or None,
                "output": None if options.output is None else str(options.output),
                "backends": list(options.backends) or None,
                "limits": _known(limits) or None,
                "policy": _known(policy) or None,
                "started": timestamp(self._began),
                "ended": None if self._ended is None else timestamp(self._ended),
                "duration_ms": None if self._ended is None else round((self._ended - self._began) / 1e6, 3),
                "pid": self.pid,
                "exit": None if ended is None else _known({**ended, "status": self.status, "reason": self.reason}),
                "message": self.message,
                "artifacts": self.artifacts,
                "left_running": self.left_running or None,
                "versions": {"aotel": __version__, "python": platform.python_version(), "system": platform.platform()},
            }
        )


def _known(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}


def presentable(command: Sequence[str]) -> list[str]:
    """Return a command as it may be written down: without secrets, and cut."""
    redactor = ContentPolicy.build(settings.load()).redactor
    shown: list[str] = []
    secret = False
    for argument in command[:_MOST]:
        text = redactor.text(argument)
        shown.append(_HIDDEN if secret else text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
        # `--token VALUE`; `--token=VALUE` is an assignment, which the redactor knows.
        secret = argument.startswith("-") and "=" not in argument and redactor.is_secret_name(argument.lstrip("-"))
    return [*shown, "…"] if len(command) > _MOST else shown
