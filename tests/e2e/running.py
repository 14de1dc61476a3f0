"""Programs that run to their end and send their spans to a Phoenix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.phoenix import Phoenix

ROOT = Path(__file__).resolve().parents[2]
AGENT = ROOT / "examples" / "docs_agent" / "agent.py"
PROGRAMS = Path(__file__).parent / "programs"
BIN = Path(sys.executable).parent
INSTRUMENT = (str(BIN / "opentelemetry-instrument"), sys.executable)
TIMEOUT = 100  # seconds for one program
OTHERS = "openai,langchain,genai_openai,openai_v2,anthropic,litellm"
"""Instrumentors that the tests' environment has besides ours: an installation of aotel alone has none of them."""


def run(directory: Path, *command: str | Path, project: str, phoenix: Phoenix, **variables: str) -> str:
    """Run a command to its end; return what it printed.

    Args:
        directory: where it runs.
        command: the command.
        project: what Phoenix is to file its spans under.
        phoenix: where they go, over gRPC if `variables` say nothing else.
        variables: of its environment, besides the few that every program needs.
    """
    return run_program(
        directory,
        *command,
        **{
            "OTEL_EXPORTER_OTLP_ENDPOINT": phoenix.grpc,
            "OTEL_METRICS_EXPORTER": "none",  # Phoenix takes spans, and nothing else
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={project}",
            **variables,
        },
    )


def run_program(directory: Path, *command: str | Path, **variables: str) -> str:
    """Run a command to its end; return what it printed.

    Args:
        directory: where it runs.
        command: the command.
        variables: of its environment, besides the few that every program needs.
    """
    ended = subprocess.run(
        [str(part) for part in command],
        cwd=directory,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "aotel failed" not in ended.stderr, ended.stderr
    return ended.stdout


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a program that runs the tree that the tests run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "src"),
        "NO_PROXY": "127.0.0.1",
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": OTHERS,
        **variables,
    }
