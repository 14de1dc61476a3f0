"""`--output`: what the command leaves there is in the run afterwards; what is refused is told, and in the log."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.runner.running import run

if TYPE_CHECKING:
    from pathlib import Path


def test_output_is_collected(tmp_path: Path) -> None:
    ran = run(tmp_path, "--output", "out", "--", "sh", "-c", "mkdir -p out/a; echo report > out/a/report.md")
    assert ran.status == 0
    kept = ran.record.path / "artifacts" / "a" / "report.md"
    assert kept.read_text() == "report\n"
    (artifact,) = ran.record.details("artifact")
    assert artifact["path"] == "a/report.md"
    assert artifact["status"] == "collected"
    assert artifact["bytes"] == 7
    assert artifact["sha256"] == hashlib.sha256(b"report\n").hexdigest()
    assert ran.record.info["artifacts"] == {"collected": 1, "refused": 0, "bytes": 7}
    assert "collected a/report.md" in ran.stderr


def test_output_of_a_command_that_was_killed_is_collected(tmp_path: Path) -> None:
    script = "mkdir out; echo half > out/x; sleep 20"
    ran = run(tmp_path, "--output", "out", "--timeout", "1", "--", "sh", "-c", script)
    assert ran.status == 124
    assert (ran.record.path / "artifacts" / "x").read_text() == "half\n"


def test_tricks_are_refused_and_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    script = (
        "mkdir out; ln -s ../secret out/link; ln -s .. out/up; mkfifo out/pipe; "
        "head -c 3000 /dev/zero > out/a; head -c 3000 /dev/zero > out/b; echo ok > out/c"
    )
    ran = run(tmp_path, "--output", "out", "--output-limit", "5k", "--", "sh", "-c", script)
    assert ran.status == 0
    told = {each["path"]: each for each in ran.record.details("artifact")}
    assert {path: each["status"] for path, each in told.items()} == {
        "a": "collected",
        "b": "refused",
        "c": "collected",
        "link": "refused",
        "pipe": "refused",
        "up": "refused",
    }
    assert all(each["message"] for each in told.values() if each["status"] == "refused")
    entries = [entry for entry in ran.record.entries if entry["action"] == "artifact"]
    assert [entry["success"] for entry in entries] == [True, False, True, False, False, False]
    assert sorted(path.name for path in (ran.record.path / "artifacts").rglob("*")) == ["a", "c"]
    assert "s3cret" not in "".join(path.read_text() for path in ran.record.path.rglob("*") if path.is_file())


def test_output_directory_that_the_command_makes_a_link_of_is_refused(tmp_path: Path) -> None:
    ran = run(tmp_path, "--output", "out", "--", "ln", "-s", "/etc", "out")
    (refused,) = ran.record.details("artifact")
    assert (refused["status"], refused["path"]) == ("refused", "out")
    assert list((ran.record.path / "artifacts").iterdir()) == []


def test_working_directory_as_output_leaves_the_record_out(tmp_path: Path) -> None:
    ran = run(tmp_path, "--output", ".", "--", "sh", "-c", "echo x > made")
    assert [each["path"] for each in ran.record.details("artifact")] == ["made"]


def test_near_the_limit_is_warned_of(tmp_path: Path) -> None:
    script = "mkdir out; head -c 960 /dev/zero > out/x"
    ran = run(tmp_path, "--output", "out", "--output-limit", "1000", "--", "sh", "-c", script)
    (warning,) = [each for each in ran.record.details("limit_warning") if each["resource"] == "output"]
    assert (warning["percent"], warning["limit"], warning["state"]) == (96, 1000, "over")


@pytest.mark.parametrize("path", ["../out", "a/../../b"])
def test_dots_are_refused_before_anything_runs(tmp_path: Path, path: str) -> None:
    ran = run(tmp_path, "--output", path, "--", "touch", "ran")
    assert ran.status == 2
    assert "without '..'" in ran.stderr
    assert not (tmp_path / "ran").exists()
