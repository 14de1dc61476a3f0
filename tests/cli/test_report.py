"""`aotel report`: where it looks, where it writes, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.view.report.runs import docs_run

if TYPE_CHECKING:
    from pathlib import Path


def report(directory: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", "report", *arguments],
        cwd=directory,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return a directory with a run in `.aotel/runs`, which is the latest."""
    runs = tmp_path / ".aotel" / "runs"
    run = docs_run().write(runs / "20260414-013000-agent")
    (runs / "latest").symlink_to(run.name)
    return tmp_path


def test_the_latest_run_by_default(runs: Path) -> None:
    done = report(runs)
    assert (done.returncode, done.stderr) == (0, "")
    written = runs / ".aotel" / "runs" / "20260414-013000-agent" / "report.html"
    assert (runs / done.stdout.strip()).samefile(written)
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    "named", ["agent", "20260414-013000-agent", ".aotel/runs/latest", ".aotel/runs/latest/audit.jsonl"]
)
def test_a_run_by_name_directory_or_file(runs: Path, named: str) -> None:
    done = report(runs, named, "-o", "here.html")
    assert (done.returncode, done.stdout) == (0, "here.html\n"), done.stderr
    assert "docs-demo" in (runs / "here.html").read_text(encoding="utf-8")


def test_to_standard_output_in_any_locale(runs: Path) -> None:
    done = report(runs, "-o", "-", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("</html>\n")


def test_who_reads_may_stop(runs: Path) -> None:
    command = f"'{sys.executable}' -m aotel.cli report -o - | head -c 100"
    done = subprocess.run(["sh", "-c", command], cwd=runs, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout.startswith("<!doctype html>")
    assert not done.stderr


_PROGRAM = """
import aotel
@aotel.coat("tool")
def hello(name):
    return f"Hello, {name}"
hello("Ada")
"""


def test_of_a_run_that_was_just_made(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(_PROGRAM)
    command = [sys.executable, "-m", "aotel.cli", "run", "--view", "off", "--", sys.executable, "agent.py"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)
    assert ran.returncode == 0, ran.stderr
    assert report(tmp_path, "-o", "report.html").returncode == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Hello, Ada" in text
    assert '"state":"verified"' in text
    assert '"status":0' in text


def test_no_run_yet(tmp_path: Path) -> None:
    done = report(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: no run is recorded in .aotel/runs yet")


def test_no_such_run(runs: Path) -> None:
    done = report(runs, "yesterday")
    assert done.returncode == 1
    assert "no audit log in 'yesterday'" in done.stderr


def test_nowhere_to_write_to(runs: Path) -> None:
    done = report(runs, "-o", "gone/report.html")
    assert done.returncode == 1
    assert done.stderr == "Error: cannot write the report to gone/report.html: No such file or directory\n"


def test_a_chain_with_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"k" * 32)
    docs_run().write(tmp_path / "run", key=b"k" * 32)
    assert report(tmp_path, "run", "--key-file", "key", "-o", "with.html").returncode == 0
    assert report(tmp_path, "run", "-o", "without.html").returncode == 0
    assert '"state":"verified"' in (tmp_path / "with.html").read_text(encoding="utf-8")
    assert '"state":"unknown"' in (tmp_path / "without.html").read_text(encoding="utf-8")
    assert report(tmp_path, "run", "--key-file", "none").returncode == 1


def test_open_asks_for_a_browser(runs: Path) -> None:
    browser = runs / "browser"
    browser.write_text('#!/bin/sh\nprintf "%s" "$1" > opened\n')
    browser.chmod(0o755)
    done = report(runs, "--open", BROWSER=f"{browser} %s")
    assert done.returncode == 0, done.stderr
    opened = (runs / "opened").read_text()
    assert opened.startswith("file://")
    assert opened.endswith("/20260414-013000-agent/report.html")


def test_open_needs_a_file(runs: Path) -> None:
    done = report(runs, "--open", "-o", "-")
    assert done.returncode == 2
    assert "--open needs a file" in done.stderr


def test_fewer_operations(runs: Path) -> None:
    assert report(runs, "--max-operations", "3", "-o", "short.html").returncode == 0
    assert "Only the first 3 of 24 operations" in (runs / "short.html").read_text(encoding="utf-8")
    assert report(runs, "--max-operations", "0").returncode == 2
