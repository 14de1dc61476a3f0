"""The view in the process itself: `AOTEL_CONSOLE`."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import aotel
from aotel.errors import ConfigurationError
from aotel.view import Level
from aotel.view.console import ConsoleExporter
from tests.view.live.watching import unknown
from tests.view.terminal import terminal

_ROOT = Path(__file__).parents[2]
_PROGRAM = """
import os, sys, threading, time
import aotel

@aotel.coat("tool")
def search(query):
    if query == "bad":
        raise ValueError("no such thing\\x1b[2J")
    return [query]

@aotel.coat("agent")
def research(topic):
    print("the program says something", flush=True)
    search(topic)
    try:
        search("bad")
    except ValueError:
        pass
    aotel.notify("warning", "nearly done")
"""


def run(program: str, console: str, level: str = "INFO") -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": f"{_ROOT / 'src'}", "AOTEL_CONSOLE": console, "AOTEL_CONSOLE_LEVEL": level}
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM + program], env=environ, capture_output=True, text=True, timeout=40, check=True
    )


def test_lines_go_to_standard_error_and_nothing_else_changes() -> None:
    done = run("research('ships')", "simple")
    assert done.stdout == "the program says something\n"
    lines = [line[25:] for line in done.stderr.splitlines()]
    assert [line.split(" done in")[0].split(" after")[0] for line in lines[:5]] == [
        "INFO    agent research started",
        "INFO      tool search",
        "ERROR     tool search failed",
        "WARNING   nearly done",
        "INFO    agent research",
    ]
    assert lines[5].startswith("INFO    summary: ")
    assert "\\x1b[2J" in done.stderr


def test_json_and_levels() -> None:
    done = run("research('ships')", "json", "WARNING")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["type"], line.get("level")) for line in lines] == [
        ("event", "ERROR"),
        ("event", "WARNING"),
        ("summary", None),
    ]


def test_rich_needs_a_terminal() -> None:
    assert "INFO    agent research started" in run("research('ships')", "rich").stderr


def test_in_a_terminal_a_tree_stands_among_the_programs_own_lines() -> None:
    program = """
research('ships')
time.sleep(0.7)
print('half ', end='', flush=True)
research('tea')
aotel.flush(5)
time.sleep(0.5)
print('line', flush=True)
"""
    with terminal(_PROGRAM + program, environ={"AOTEL_CONSOLE": "rich"}, rows=40) as seen:
        assert seen.finish() == 0
        rows = [row[9:].split("  ")[0] if row[2:3] == ":" else row for row in seen.rows]
        begin = rows.index("◆ agent research")
        assert rows[begin : begin + 5] == [
            "◆ agent research",
            "├ ▪ tool search",
            "├ ✗ tool search",
            "├ ▲ nearly done",
            "╰ ✓ agent research",
        ]
        assert "the program says something" in seen.text
        assert "half the program says something" in seen.rows
        assert "line" in seen.rows
        assert seen.screen.margins is None
        assert unknown(bytes(seen.written)) == b""
        assert b"?25" not in seen.written


def test_forked_children_show_their_own_and_no_summary() -> None:
    program = """
import warnings
warnings.simplefilter("ignore")
research("parent")
aotel.flush(5)
child = os.fork()
if child == 0:
    search("child")
    aotel.flush(5)
    aotel.shutdown(5)
    os._exit(0)
os.waitpid(child, 0)
"""
    done = run(program, "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    pids = {line["fields"].get("pid") for line in lines if line["type"] == "event"}
    assert len(pids) == 2
    assert [line["type"] for line in lines].count("summary") == 1
    assert [line["fields"].get("event") for line in lines].count("started") == 4


def test_it_is_an_exporter_like_others() -> None:
    stream = io.StringIO()
    exporter = ConsoleExporter("simple", Level.INFO, stream)
    handle = aotel.configure(exporters=[exporter], envelopes=["none"], inline=True)
    try:

        @aotel.coat("tool")
        def search() -> None: ...

        search()
        exporter.force_flush(5_000)
        assert "tool search done" in stream.getvalue()
        assert exporter.counts.sent == 2
    finally:
        handle.shutdown(5)
    assert "summary: " in stream.getvalue()
    assert exporter.counts.state == "closed"


def test_a_form_that_there_is_not_is_said() -> None:
    with pytest.raises(ConfigurationError, match="a view is one of"):
        ConsoleExporter("html", Level.INFO)


def test_stderr_that_is_closed_is_no_error() -> None:
    environ = {"PYTHONPATH": f"{_ROOT / 'src'}", "AOTEL_CONSOLE": "simple"}
    program = _PROGRAM + "research('ships')\nos._exit(0 if aotel.flush(5) else 1)"
    shell = 'exec "$0" -c "$1" 2>&-'
    command = ["sh", "-c", shell, sys.executable, program]
    assert subprocess.run(command, env=environ, capture_output=True, timeout=40, check=True).returncode == 0
