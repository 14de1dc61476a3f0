"""The sensor in real processes: what a pod is told of them, what is blocked, and that they don't suffer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aotel.audit import read
from aotel.errors import ConfigurationError
from aotel.pod.embedded import EmbeddedPod
from aotel.pod.options import PodOptions
from aotel.sensor.policy import parse

if TYPE_CHECKING:
    from pathlib import Path

_START = """
import sys, os
from aotel import sensor
policy = sensor.policy.parse(sys.argv[2]) if len(sys.argv) > 2 else None
sensor.start({"files", "network", "processes"}, sys.argv[1], policy=policy)
"""


def told(directory: Path, program: str, policy: dict[str, Any] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Run a program with the sensor on, in a directory of its own; return what the pod was told."""
    pod = EmbeddedPod(PodOptions(directory=directory / "pod", pod_id="p"))
    pod.start()
    work = directory / "work"
    work.mkdir()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _START + program, str(pod.sockets.queue), *([json.dumps(policy)] if policy else [])],
            cwd=work,
            env={**os.environ, "AOTEL_ENVELOPES": "none"},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
    finally:
        pod.stop()
    assert (done.returncode, done.stderr) == (0, "")
    entries = [entry for entry in read(directory / "pod") if not entry.action.startswith("pod_")]
    return [(entry.action, json.loads(entry.detail)) for entry in entries]


def test_files_are_told_with_how_and_how_often(tmp_path: Path) -> None:
    found = told(
        tmp_path, "open('new', 'w').close()\nfor _ in range(5): open('new').close()\nopen(b'new', 'ab').close()"
    )
    opened = [(detail["path"].rpartition("/")[2], detail["mode"], detail["count"]) for _, detail in found]
    assert opened == [("new", "write", 2), ("new", "read", 5)]
    assert all(detail["source"] == "audit_hook" for _, detail in found)


def test_an_event_names_the_span_it_happened_in(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "import aotel\nwith aotel.step('work') as span: open('inside', 'w').close()\nopen('outside', 'w').close()\n",
    )
    spans = {detail["path"].rpartition("/")[2]: detail.get("span_id") for action, detail in found if "path" in detail}
    assert str(spans["inside"]).startswith("sp_")
    assert spans["outside"] is None


def test_network_and_processes(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        "import socket, subprocess\n"
        "server = socket.create_server(('127.0.0.1', 0)); port = server.getsockname()[1]\n"
        "socket.create_connection(('localhost', port)).close(); server.close()\n"
        "subprocess.run(['true', '--password=hunter2secret', 'x'])\n",
    )
    by_action: dict[str, dict[str, Any]] = dict(found)
    assert by_action["dns_query"]["host"] == "localhost"
    assert by_action["net_connect"]["host"] in {"127.0.0.1", "::1"}
    assert by_action["process_start"]["command"][0] == "true"


def test_observing_says_what_would_be_blocked(tmp_path: Path) -> None:
    found = told(tmp_path, "open('here', 'w').close()\nopen('/etc/passwd').close()", {"allow_paths": [str(tmp_path)]})
    violations = [detail for action, detail in found if action == "policy_violation"]
    assert [(each["kind"], each["value"], each["decision"]) for each in violations] == [
        ("path", "/etc/passwd", "would block")
    ]


def test_enforcing_blocks_and_links_and_dots_are_no_way_round(tmp_path: Path) -> None:
    program = """
os.symlink('/etc/passwd', 'link')
import socket
for path in ('/etc/passwd', '../../../../../../../../../etc/passwd', 'link', '/etc/../etc/passwd'):
    try: open(path)
    except PermissionError as error: assert 'does not allow the path' in str(error)
    else: raise SystemExit(path + ' was opened')
for host in ('bad.example', '192.0.2.1'):
    try: socket.create_connection((host, 80), timeout=0.2)
    except PermissionError as error: assert 'does not allow the host' in str(error)
    else: raise SystemExit(host + ' was reached')
open('fine', 'w').close()
import json.tool, decimal  # what Python needs is not held back
"""
    policy = {"allow_paths": [str(tmp_path)], "allow_hosts": ["*.good.example"], "enforce": True}
    found = told(tmp_path, program, policy)
    assert {detail["decision"] for action, detail in found if action == "policy_violation"} == {"blocked"}


def test_odd_arguments_and_threads_and_forks_are_no_trouble(tmp_path: Path) -> None:
    program = """
import pathlib, threading
class Odd:
    def __fspath__(self): return 'odd'
open(Odd(), 'w').close(); open(os.open('odd', os.O_RDONLY)).close()
for bad in (None, 3.5, object()):
    try: open(bad)
    except TypeError: pass
threads = [threading.Thread(target=lambda: open('odd').close()) for _ in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
child = os.fork()
if not child:
    open('child', 'w').close(); sensor.stop(); os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    found = told(tmp_path, program)
    paths = {detail["path"].rpartition("/")[2] for action, detail in found if action == "file_open"}
    assert {"odd", "child"} <= paths


def test_without_a_pod_the_program_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"{_START}open('x', 'w').close()", str(tmp_path / "pod" / "none.sock")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "the pod is not told what this process does" in done.stderr


@pytest.mark.parametrize("text", ["", "[]", '{"allow_host": []}', '{"allow_hosts": "x"}', '{"allow_paths": [1]}'])
def test_a_policy_that_is_none(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse(text)


@pytest.mark.parametrize(
    ("allowed", "host", "port", "expected"),
    [
        (["a.example"], "a.example", 443, True),
        (["a.example"], "A.EXAMPLE.", None, True),
        (["a.example"], "b.a.example", 443, False),
        (["*.a.example"], "b.a.example", 443, True),
        (["a.example:443"], "a.example", 443, True),
        (["a.example:443"], "a.example", 80, False),
        ([], "a.example", 80, False),
    ],
)
def test_hosts(allowed: list[str], host: str, port: int | None, expected: bool) -> None:
    assert parse(json.dumps({"allow_hosts": allowed})).allows_host(host, port) == expected
