"""A collector for tests: the one that `.ci/collector` builds, as a process that can be killed and started again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tests.e2e.phoenix import free_ports
from tests.examples.collector_files import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / ".collector" / "build" / "aotel-collector"
STARTING = 60.0  # seconds that a slow machine may take
ENDING = 20.0
LIFETIME = 300  # seconds after which it is ended, whatever becomes of the tests
ARRIVAL = 60.0  # seconds that a test waits for something to come through

_OPEN = build_opener(ProxyHandler({})).open  # no proxy leads to the loopback
_SAMPLE = re.compile(r"^(\w+?)(?:_total|__spans|__requests)*\{(.*)\} (\S+)$", re.MULTILINE)


class Collector:
    """A collector on free ports of the loopback.

    Args:
        directory: where it keeps its queues and its output.
        files: what it is started with: names of files in examples/collector, or paths.
        variables: of its environment.
    """

    def __init__(self, directory: Path, files: tuple[str, ...], variables: Mapping[str, str]) -> None:
        directory.mkdir()
        self._directory = directory
        self._health, self._metrics = free_ports(2)
        self._files = files
        self._variables = {
            "COLLECTOR_STATE": str(directory / "state"),
            "HEALTH_PORT": str(self._health),
            "SELF_METRICS_PORT": str(self._metrics),
            **variables,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, also after `kill`, with what it left behind; return once it takes requests."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_bounded(), *command(self._files)],
                env={"PATH": os.environ.get("PATH", ""), **self._variables},
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ends = time.monotonic() + STARTING
        while not self._answers():
            if time.monotonic() > ends or self._process.poll() is not None:
                self.kill()
                raise RuntimeError(f"the collector did not start:\n{self.log[-4000:]}")
            time.sleep(0.1)

    def kill(self) -> None:
        """End it without notice, as `kill -9` does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of one of its own metrics over all series that have these labels; 0 if there is none."""
        with _OPEN(f"http://127.0.0.1:{self._metrics}/metrics", timeout=10) as answer:
            exposed = answer.read().decode()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = _SAMPLE.findall(exposed)
        return sum(
            float(value) for series, given, value in found if series == name and all(label in given for label in wanted)
        )

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for each in (number, signal.SIGKILL):
            try:
                os.killpg(process.pid, each)
                process.wait(ENDING)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
            break
        process.wait(ENDING)

    def _answers(self) -> bool:
        try:
            with _OPEN(f"http://127.0.0.1:{self._health}/", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    @property
    def _log(self) -> Path:
        return self._directory / "collector.log"


def command(files: tuple[str, ...], *words: str) -> list[str]:
    """Return a command of the collector, over some of the example files."""
    paths = [FOLDER / name if not name.startswith("/") else Path(name) for name in files]
    return [str(COMMAND), *words, *(f"--config={path}" for path in paths)]


def until(condition: Callable[[], bool], what: str, timeout: float = ARRIVAL) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it is not so after `timeout` seconds.
    """
    ends = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < ends, f"after {timeout:.0f} s it is not so that {what}"
        time.sleep(0.1)


def _bounded() -> list[str]:
    found = shutil.which("timeout")
    return [found, "--signal=KILL", str(LIFETIME)] if found else []
