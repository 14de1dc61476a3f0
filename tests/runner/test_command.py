"""Which file a command is, which Python runs it, and what its run is called."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from aotel.runner.command import CommandError, clean_name, find, python_of, run_name

if TYPE_CHECKING:
    from pathlib import Path


def script(path: Path, first: str) -> str:
    path.write_text(f"{first}\n")
    path.chmod(0o755)
    return str(path)


def test_command_is_looked_for_in_the_path_that_the_child_has(tmp_path: Path) -> None:
    here = script(tmp_path / "tool", "#!/bin/sh")
    assert find("tool", {"PATH": f"/nowhere:{tmp_path}"}) == here
    with pytest.raises(CommandError) as caught:
        find("tool", {"PATH": "/nowhere"})
    assert caught.value.status == 127


def test_file_in_the_working_directory_is_hinted_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "tool", "#!/bin/sh")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match=r"\./tool is here"):
        find("tool", {"PATH": "/nowhere"})


def test_empty_name_is_not_found() -> None:
    with pytest.raises(CommandError) as caught:
        find("", {"PATH": "/bin"})
    assert caught.value.status == 127


def test_python_is_told_from_other_programs(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    python3 = tmp_path / "python3"
    python3.symlink_to(sys.executable)
    assert python_of("/usr/bin/python3.12", environ) == "/usr/bin/python3.12"
    assert python_of("/opt/pypy3", environ) == "/opt/pypy3"
    assert python_of("/usr/bin/python3-config", environ) is None
    assert python_of(shutil.which("sh") or "", environ) is None
    assert python_of(script(tmp_path / "a", f"#!{sys.executable} -I"), environ) == sys.executable
    assert python_of(script(tmp_path / "b", "#!/usr/bin/env python3"), environ) == str(python3)
    assert python_of(script(tmp_path / "c", "#!/usr/bin/env -S X=1 python3 -u"), environ) == str(python3)
    assert python_of(script(tmp_path / "d", "#!/bin/sh"), environ) is None
    assert python_of(script(tmp_path / "e", "#!/usr/bin/env python9"), environ) is None
    assert python_of(str(tmp_path / "missing"), environ) is None


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["python", "agent.py", "--x"], "agent"),
        (["python3.11", "-u", "-W", "error", "dir/my agent.py"], "my-agent"),
        (["python", "-m", "package.module"], "package"),
        (["python", "-c", "code"], "python"),
        (["python"], "python"),
        (["/usr/bin/make", "test"], "make"),
        (["./.."], "run"),
        (["x" * 300], "x" * 40),
    ],
)
def test_run_is_called_after_the_command(argv: list[str], expected: str) -> None:
    assert run_name(argv) == expected


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "\x1b[2J", "ünïcode", " "])
def test_name_is_no_path(name: str) -> None:
    made = clean_name(name)
    assert "/" not in made
    assert not made.startswith(".")
    assert made.isascii()
