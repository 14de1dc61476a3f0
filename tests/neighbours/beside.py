"""Programs beside other people's SDKs, in the environment that has these: what they get, and which envelopes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.envelope_schema import assert_paired, read_envelopes
from tests.neighbours.running import PROGRAMS, ROOT, TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

VENV = ROOT / ".venv-neighbours"


@dataclass
class Beside:
    """A program that ended well."""

    found: dict[str, Any]
    """What it printed."""
    stderr: str
    envelopes: list[dict[str, Any]]

    @property
    def said(self) -> list[str]:
        """The lines on standard error, but OpenTelemetry's word on the configurator that was not chosen."""
        return [line for line in self.stderr.splitlines() if not line.startswith("Configuration of ")]

    @property
    def theirs(self) -> list[dict[str, Any]]:
        """The spans that the other SDK's exporter got."""
        spans: list[dict[str, Any]] = self.found["theirs"]
        return spans

    def named(self, name: str) -> dict[str, Any]:
        """Return the only span of a name that the other SDK's exporter got."""
        (found,) = [span for span in self.theirs if span["name"] == name]
        return found

    @property
    def kinds(self) -> list[str]:
        """The kind of each envelope."""
        return [envelope["kind"] for envelope in self.envelopes]

    @property
    def everything(self) -> str:
        """All that left the program."""
        return "\n".join([*(span["whole"] for span in self.theirs), *map(json.dumps, self.envelopes)])


def run_beside(
    program: str, order: str, directory: Path, *, instrumented: bool = False, environment: dict[str, str] | None = None
) -> Beside:
    """Run a program of `programs`.

    Args:
        program: its file.
        order: who is set up, from the first to the last, and further words for the program.
        directory: for its envelopes.
        instrumented: whether it runs under `opentelemetry-instrument`.
        environment: more variables.
    """
    python = VENV / "bin" / "python"
    if not python.exists():
        pytest.fail(f"{VENV.name} is missing: `make test` sets it up, as does `.ci/neighbours {VENV.name}`")
    written = directory / "envelopes.jsonl"
    written.unlink(missing_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    ended = subprocess.run(
        [
            *([str(python.with_name("opentelemetry-instrument"))] if instrumented else []),
            str(python),
            str(PROGRAMS / program),
            *order.split(";"),
        ],
        env={
            **kept,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
            "AOTEL_ENVELOPES": f"file:{written}",
            "OTEL_PYTHON_DISTRO": "aotel",  # there is another one, too
            "OTEL_PYTHON_CONFIGURATOR": "aotel",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
            **{name: value for name, value in (environment or {}).items() if value},
        },
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "aotel failed" not in ended.stderr, ended.stderr
    envelopes = read_envelopes(written)
    assert_paired(envelopes)
    return Beside(json.loads(ended.stdout.splitlines()[-1]), ended.stderr, envelopes)


def needs_python(minor: int) -> None:
    """Skip where the environment's Python is older than 3.`minor`."""
    settings = VENV / "pyvenv.cfg"
    version = re.search(r"^version = 3\.(\d+)", settings.read_text(), re.MULTILINE) if settings.exists() else None
    if version is not None and int(version[1]) < minor:
        pytest.skip(f"needs Python 3.{minor}, and {VENV.name} has 3.{version[1]}")
