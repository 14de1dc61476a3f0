"""The example as tests see it: its modules, and the program as a process."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "docs_agent"
PROGRAM = FOLDER / "agent.py"
RECORDED = ".aotel/docs_agent.jsonl"
"""Where its envelopes go, seen from the directory in which it runs."""


def module(name: str) -> ModuleType:
    """Import a module of the example, as the program does."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return importlib.import_module(name)


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of a process that runs the tree that the tests run, asks the local model, and records."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return {**inherited, "PYTHONPATH": str(ROOT / "src"), "AOTEL_ENVELOPES": f"file:{RECORDED}", **variables}


def run(directory: Path, *arguments: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, with nobody at the terminal."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        cwd=directory,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=check,
        timeout=50,
    )
