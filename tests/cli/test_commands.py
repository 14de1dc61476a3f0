"""The command `aotel` itself: help, version, mistakes, and what it says where its extra is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aotel._version import __version__
from aotel.cli.commands import COMMANDS

_WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {"rich", "click"} else find(name, *rest)
from aotel.cli import main
main()
"""


def aotel(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", *arguments], capture_output=True, text=True, timeout=50, check=False
    )


def test_help_names_every_command() -> None:
    done = aotel("--help")
    assert done.returncode == 0
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = aotel(name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: aotel {name}")


def test_version() -> None:
    assert aotel("--version").stdout == f"aotel {__version__}\n"


def test_an_unknown_command_is_told_of_the_known_ones() -> None:
    done = aotel("rnu")
    assert done.returncode == 2
    assert "no command 'rnu'; there are audit, doctor, pod, queue, report, run" in done.stderr


def test_without_its_extra_it_says_how_to_get_it() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT], capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "The command `aotel` needs click, rich, which are not installed. Get it with: pip install 'aotel[cli]'\n"
    )
