"""Programs that are watched: each in an interpreter of its own, because an audit hook stays for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from aotel.sensor import Policy

ROOT = Path(__file__).parents[2]
ALL = ("files", "network", "processes")

BLOCKED = """
import contextlib, io, os, pathlib, socket

def blocked(function, *args, **kwargs):
    try:
        result = function(*args, **kwargs)
    except PermissionError as error:
        assert "aotel's policy blocks" in str(error), error
        assert "no sandbox" in str(error)
        return
    raise SystemExit(f"{function} {args} {kwargs} was let through: {result!r}")
"""
"""For programs that are held: `blocked(function, ...)` expects a call to be blocked."""

_START = """\
from aotel import sensor
sensor.start({what!r}, {socket_path!r}, policy={policy})
"""
_SPAN = """\
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())
tracer = trace.get_tracer("test")
"""


def write(
    directory: Path,
    code: str,
    socket_path: str,
    *,
    what: Collection[str] = ALL,
    policy: Policy | None = None,
    spans: bool = False,
) -> Path:
    """Write a program that starts the sensor and goes on with `code`; return its path.

    Args:
        directory: where to.
        code: the program; indentation that all its lines share doesn't count.
        socket_path: the pod's socket.
        what: what is watched.
        policy: what is allowed.
        spans: whether `tracer` makes spans.
    """
    read = "None" if policy is None else f"sensor.policy.parse({policy.json()!r})"
    script = directory / "program.py"
    start = _START.format(what=tuple(what), socket_path=socket_path, policy=read)
    script.write_text((_SPAN if spans else "") + start + textwrap.dedent(code), encoding="utf-8")
    return script


def run(
    script: Path, *arguments: str, cwd: Path | None = None, timeout: float = 30
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, and expect it to be a good one."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", script, *arguments],
        cwd=cwd or script.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert ran.returncode == 0, ran.stderr
    return ran
