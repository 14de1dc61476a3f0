"""Programs that send what they do through the collectors, and write the same envelopes to a file, to be compared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.running import environment
from tests.e2e_collector.collector import until

if TYPE_CHECKING:
    from typing_extensions import Self

    from tests.e2e_collector.fleet import Envelope

PROGRAM = Path(__file__).parent / "programs" / "load.py"
RUNS = 15_000  # at most, ten minutes of them
PAUSE = 0.04  # seconds between two
TIMEOUT = 120.0  # seconds from the order to stop until a program has delivered everything


def variables(endpoint: str, **more: str) -> dict[str, str]:
    """Return what points a program to the collector of its host, as docs/scaling.md says."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "AOTEL_BACKEND": "otlp",
        "AOTEL_ENVELOPES": "otlp,file:truth.jsonl",
        "OTEL_BSP_SCHEDULE_DELAY": "500",  # ms: spans are on their way when something is killed
        "OTEL_SERVICE_NAME": "agent-at-work",
        "OTEL_RESOURCE_ATTRIBUTES": "tenant.id=acme",
        **more,
    }


def truth(directory: Path) -> list[Envelope]:
    """Return the envelopes that a program has written to its file so far."""
    path = directory / "truth.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


class AgentAtWork:
    """A program that goes on with its runs until a `with` block ends, or `finish` is called.

    Args:
        directory: where it runs.
        endpoint: where it sends.
    """

    def __init__(self, directory: Path, endpoint: str) -> None:
        self._directory = directory
        self._stop = directory / "stop"
        self._environment = environment(**variables(endpoint))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(RUNS), str(PAUSE), str(self._stop)],
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def truth(self) -> list[Envelope]:
        """Return the envelopes that it has written so far."""
        return truth(self._directory)

    def go_on(self, envelopes: int) -> None:
        """Return once it has made that many more."""
        aim = len(self.truth()) + envelopes
        until(lambda: len(self.truth()) >= aim or self._process.poll() is not None, "the program goes on")
        assert self._process.poll() is None, self._process.communicate()

    def finish(self) -> dict[str, Any]:
        """Have it come to its end; return what it says became of its envelopes."""
        self._stop.touch()
        printed, complaints = self._process.communicate(timeout=TIMEOUT)
        assert self._process.returncode == 0, complaints
        found: dict[str, Any] = json.loads(printed)
        return found
