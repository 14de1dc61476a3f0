"""`--allow-host`, `--allow-path` and `--enforce`: what is not allowed is told of, or blocked in Python."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.runner.running import python, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5).close()
except PermissionError as error:
    print("blocked")
else:
    print("connected")
"""
READ = """
try:
    print(open({path!r}).read())
except PermissionError:
    print("blocked")
"""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_connections_are_recorded_without_any_policy(tmp_path: Path, port: int) -> None:
    ran = run(tmp_path, "--", *python(CONNECT.format(port=port)))
    assert ran.stdout == b"connected\n"
    assert ("127.0.0.1", port) in {(each["host"], each["port"]) for each in ran.record.details("net_connect")}
    assert ran.record.details("policy_violation") == []


def test_host_that_is_not_allowed_is_told_of(tmp_path: Path, port: int) -> None:
    ran = run(tmp_path, "--allow-host", "api.example.com", "--", *python(CONNECT.format(port=port)))
    assert (ran.status, ran.stdout) == (0, b"connected\n")
    violations = ran.record.details("policy_violation")
    assert {each["decision"] for each in violations} == {"would block"}
    assert {each["kind"] for each in violations} == {"host"}
    assert not any(entry["success"] for entry in ran.record.entries if entry["action"] == "policy_violation")


def test_enforced_host_is_blocked_and_that_this_is_no_sandbox_is_said(tmp_path: Path, port: int) -> None:
    code = CONNECT.format(port=port)
    ran = run(tmp_path, "--allow-host", "api.example.com", "--enforce", "--", *python(code))
    assert (ran.status, ran.stdout) == (0, b"blocked\n")
    assert {each["decision"] for each in ran.record.details("policy_violation")} == {"blocked"}
    assert "sandbox" in ran.stderr
    assert ran.record.info["policy"] == {"allow_hosts": ["api.example.com"], "enforce": True}


def test_allowed_host_is_not_blocked(tmp_path: Path, port: int) -> None:
    ran = run(tmp_path, "--allow-host", "127.0.0.1", "--enforce", "--", *python(CONNECT.format(port=port)))
    assert ran.stdout == b"connected\n"
    assert ran.record.details("policy_violation") == []


def test_enforced_path_is_blocked_in_children_too(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in").write_text("in")
    (tmp_path / "out").write_text("out")
    inside, outside = READ.format(path=str(tmp_path / "data" / "in")), READ.format(path=str(tmp_path / "out"))
    code = (
        f"import subprocess, sys\nfor code in ({inside!r}, {outside!r}): subprocess.run([sys.executable, '-c', code])"
    )
    ran = run(tmp_path, "--allow-path", "data", "--enforce", "--", *python(code))
    assert ran.stdout == b"in\nblocked\n"
    paths = [each["value"] for each in ran.record.details("policy_violation")]
    assert str(tmp_path / "out") in paths


def test_policy_file_is_enforced(tmp_path: Path, port: int) -> None:
    (tmp_path / "p.toml").write_text("allow_hosts = ['api.example.com']\nenforce = true\n")
    ran = run(tmp_path, "--policy", "p.toml", "--", *python(CONNECT.format(port=port)))
    assert ran.stdout == b"blocked\n"


def test_entry_that_cannot_be_understood_is_a_usage_error(tmp_path: Path) -> None:
    ran = run(tmp_path, "--allow-host", "http://a b/", "--", "true")
    assert ran.status == 2
    assert not ran.runs.exists()
