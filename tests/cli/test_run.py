"""The command line of `aotel run`: what it takes, what it says of mistakes, and which word wins."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runner.running import AOTEL, environment, python, run

if TYPE_CHECKING:
    from pathlib import Path


def usage(*arguments: str, cwd: Path) -> str:
    """Return what is said of a mistake in the arguments."""
    done = subprocess.run(
        [*AOTEL, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert not (cwd / ".aotel").exists()
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (
            ["--backend", "pod,fenix", "--", "true"],
            "there is no backend 'fenix'; there are phoenix, arize, datadog, langfuse, otlp, pod",
        ),
        (["--backend", "datadog", "--", "true"], "the backend datadog needs DD_API_KEY, so nothing is sent to it"),
        (["--view", "fancy", "--", "true"], "fancy"),
        (["--level", "LOUD", "--", "true"], "LOUD"),
        (["--timeout", "soon", "--", "true"], "a duration is a number"),
        (["--memory-limit", "much", "--", "true"], "a size is a number"),
        (["--output-limit", "0", "--", "true"], "a size is more than nothing"),
        (["--policy", "nothing.toml", "--", "true"], "nothing.toml"),
        (["--enforce", "--", "true"], "there is nothing to enforce"),
        (["--unknown", "--", "true"], "--unknown"),
    ],
)
def test_mistakes_are_usage_errors(tmp_path: Path, arguments: list[str], said: str) -> None:
    assert said in usage(*arguments, cwd=tmp_path)


def test_unknown_key_of_a_policy_is_a_usage_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("time_out = '5s'\n")
    said = usage("--policy", "p.toml", "--", "true", cwd=tmp_path)
    assert "time_out" in said
    assert "p.toml" in said


def test_agent_that_the_policy_does_not_have(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[[agents]]\nid = 'writer'\n")
    said = usage("--policy", "p.toml", "--agent", "editor", "--", "true", cwd=tmp_path)
    assert "no agent 'editor'; it has writer" in said


def test_agent_of_the_policy_has_its_role(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("[[agents]]\nid = 'writer'\nrole = 'writes'\ncapabilities = ['pens']\n")
    code = "import aotel\nwith aotel.step('x'): pass"
    ran = run(tmp_path, "--policy", "p.toml", "--agent", "writer", "--", *python(code))
    assert {e["subject"]["agent_role"] for e in ran.record.envelopes} == {"writes"}
    assert {tuple(e["envpod"]["capabilities"]) for e in ran.record.envelopes} == {("pens",)}


def test_command_line_wins_over_the_policy(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        "timeout = '1s'\nmemory_limit = '1GiB'\nallow_hosts = ['a']\n[output]\ndir = 'theirs'\nmax_bytes = 10\n"
    )
    ran = run(
        tmp_path,
        *("--policy", "p.toml", "--timeout", "30s", "--output", "ours", "--allow-host", "b"),
        *("--", "sh", "-c", "sleep 1.5; mkdir ours theirs; echo 1 > ours/1; echo 2 > theirs/2"),
    )
    assert ran.status == 0
    limits, policy = ran.record.info["limits"], ran.record.info["policy"]
    assert (limits["timeout_seconds"], limits["memory_bytes"], limits["output_bytes"]) == (30, 1 << 30, 10)
    assert policy == {"allow_hosts": ["b"]}
    assert [each["path"] for each in ran.record.details("artifact")] == ["1"]


def test_policy_holds_where_the_command_line_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("timeout = 1\n")
    assert run(tmp_path, "--policy", "p.toml", "--", "sleep", "20").status == 124


def test_default_place_of_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [*AOTEL, "--view", "simple", "true"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert (tmp_path / ".aotel" / "runs" / "latest" / "run.json").exists()
    assert done.stderr.splitlines()[-1].endswith("to look at it: aotel audit, or aotel report")


def test_json_view_is_json_to_the_last_line(tmp_path: Path) -> None:
    import json

    ran = run(tmp_path, "--", "sh", "-c", "exit 3", view="json")
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert any("aotel audit" in str(line) for line in lines)
    assert ran.status == 3


def test_help_needs_no_room_below(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom aotel.cli import main\nsys.argv = ['aotel', 'run', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted(n for n in sys.modules if n.startswith(('aotel.pod', 'aotel.runner', 'rich', 'psutil'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert "--memory-limit" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
