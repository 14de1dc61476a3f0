"""`aotel queue` against a real pod: what a person sees and decides, and that an agent can't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.pod.pod_process import Client, PodProcess, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
[[agents]]
id = "reviewer"
role = "code review"

[[actions]]
name = "send_mail"
description = "Send an e-mail"
params = [{ name = "to", required = true }, { name = "copies", type = "integer" }]

[[actions]]
name = "publish"
tier = "delayed"
delay_secs = 600
"""
MAIL = {"type": "call", "action": "send_mail", "params": {"to": "a@example.org"}}

# An agent that claims its identity, asks, and tries to approve by itself, in several ways.
AGENT = """
import os, subprocess, sys, time
from aotel.pod import claim
from tests.pod.pod_process import ask

directory, how = sys.argv[1:]
approve = [sys.executable, "-m", "aotel.cli", "queue", "approve", "--dir", directory]
with claim("reviewer"):
    (asked,) = ask(f"{directory}/queue.sock", {"type": "submit", "description": "let me"})
    if how == "by a child":
        sys.exit(subprocess.run([*approve, asked["id"]]).returncode)
    if how == "itself":
        (reply,) = ask(f"{directory}/control.sock", {"type": "queue_decide", "id": asked["id"], "decision": "approve"})
        sys.exit(f"{reply['status']}: {reply['message']}")
    if how == "by a child that outlives it":
        child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read(); import runpy; "
            "sys.argv = ['aotel', *sys.argv[1:]]; runpy.run_module('aotel.cli', run_name='__main__')",
            *approve[3:], asked["id"]], stdin=subprocess.PIPE)
        time.sleep(1.5)  # long enough to be seen
        os._exit(0)
# how == "after its claim"
sys.exit(subprocess.run([*approve, asked["id"]]).returncode)
"""


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[PodProcess]:
    config = tmp_path / "pod.toml"
    config.write_text(CONFIG)
    with PodProcess(None, "--config", str(config)) as made:
        yield made


def queue(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", "queue", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=cwd,
    )


def test_a_person_sees_what_waits_and_approves_it_once(pod: PodProcess) -> None:
    where = ("--dir", str(pod.directory))
    assert queue("list", *where).stdout == "Nothing waits.\n"
    with Client(pod.queue) as agent:
        asked = agent.ask(MAIL)
        assert asked["status"] == "queued"
        short = str(asked["id"])[:8]
        shown = queue("list", *where).stdout
        assert shown.startswith(f"{short}  staged  ")
        assert f"by pid {os.getpid()}, uid {os.getuid()}" in shown
        assert '    send_mail {"to":"a@example.org"}\n' in shown
        done = queue("approve", short, *where)
        assert (done.returncode, done.stdout) == (0, 'approved: send_mail {"to":"a@example.org"}\n')
        poll = {"type": "poll", "id": asked["id"]}
        assert [agent.ask(poll)["status"] for _ in range(2)] == ["approved", "executed"]
    again = queue("approve", short, *where)
    assert again.returncode == 1
    assert "is executed already" in again.stderr
    gates = [json.loads(str(entry["detail"])) for entry in pod.wait_for_entries(3, "gate")]
    assert [gate["status"] for gate in gates] == ["queued", "approved", "executed"]
    assert gates[0]["by"] == {"pid": os.getpid(), "uid": os.getuid()}


def test_a_denied_action_is_cancelled(pod: PodProcess) -> None:
    with Client(pod.queue) as agent:
        asked = agent.ask(MAIL)
        assert queue("deny", str(asked["id"]), "--dir", str(pod.directory)).stdout.startswith("cancelled: ")
        assert agent.ask({"type": "poll", "id": asked["id"]})["status"] == "cancelled"


def test_json_is_for_programs(pod: PodProcess) -> None:
    where = ("--dir", str(pod.directory), "--json")
    assert json.loads(queue("list", *where).stdout) == []
    with Client(pod.queue) as agent:
        mail, page = agent.ask(MAIL), agent.ask({"type": "call", "action": "publish"})
    first, second = json.loads(queue("list", *where).stdout)
    assert (first["id"], first["tier"], first["params"]) == (mail["id"], "staged", {"to": "a@example.org"})
    assert (second["id"], second["tier"]) == (page["id"], "delayed")
    assert second["due_at"] > second["created_at"]
    assert json.loads(queue("approve", str(mail["id"]), *where).stdout)["state"] == "approved"


def test_what_an_agent_writes_can_not_write_to_the_terminal(pod: PodProcess) -> None:
    nasty = "rm\x1b[2K\rls -l\n12345678  staged  nothing\u202e\x9b31m"
    with Client(pod.queue) as agent:
        agent.ask({"type": "submit", "description": nasty})
    shown = queue("list", "--dir", str(pod.directory)).stdout
    assert len(shown.splitlines()) == 2
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert r"rm\x1b[2K\rls -l\n12345678" in shown


def test_what_waits_outlives_the_pod(pod: PodProcess) -> None:
    with Client(pod.queue) as agent:
        asked = agent.ask(MAIL)
    pod.kill()
    pod.start()
    assert queue("approve", str(asked["id"]), "--dir", str(pod.directory)).returncode == 0
    assert ask(pod.queue, {"type": "poll", "id": asked["id"]})[0]["status"] == "approved"


def test_the_latest_run_is_meant_by_default(pod: PodProcess, tmp_path: Path) -> None:
    runs = tmp_path / ".aotel" / "runs"
    runs.mkdir(parents=True)
    (runs / "latest").symlink_to(pod.directory)
    assert queue("list", cwd=tmp_path).stdout == "Nothing waits.\n"


def test_a_pod_far_down_is_found(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with PodProcess(deep):
        assert queue("list", "--dir", str(deep)).stdout == "Nothing waits.\n"


def test_without_a_pod_it_says_what_to_do(tmp_path: Path) -> None:
    none = queue("list", cwd=tmp_path)
    assert none.returncode == 1
    assert "no pod runs in .aotel/runs/latest" in none.stderr
    assert "--dir" in none.stderr
    named = queue("list", "--dir", str(tmp_path))
    assert named.returncode == 1
    assert "start one with `aotel pod --dir`" in named.stderr


def test_a_pod_that_was_killed_does_not_answer(pod: PodProcess) -> None:
    pod.kill()
    done = queue("list", "--dir", str(pod.directory))
    assert done.returncode == 1
    assert "no pod runs in" in done.stderr


def test_an_unknown_action_is_an_error(pod: PodProcess) -> None:
    done = queue("approve", "12345678", "--dir", str(pod.directory))
    assert done.returncode == 1
    assert "unknown id '12345678'" in done.stderr
    assert queue("approve", "--dir", str(pod.directory)).returncode == 2


@pytest.mark.parametrize("how", ["itself", "by a child", "after its claim", "by a child that outlives it"])
def test_no_agent_approves_itself(pod: PodProcess, how: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", AGENT, str(pod.directory), how],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env={**os.environ, "ENVPOD_SOCKET": pod.queue, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "this process is an agent's" in ended.stderr
    (refused,) = [
        detail
        for entry in pod.wait_for_entries(2, "gate")
        if (detail := json.loads(str(entry["detail"])))["status"] == "refused"
    ]
    assert (refused["decision"], refused["by"]["uid"]) == ("approve", os.getuid())
    (waiting,) = json.loads(queue("list", "--json", "--dir", str(pod.directory)).stdout)
    assert waiting["description"] == "let me"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_may_not_decide(pod: PodProcess) -> None:
    # As if the operator had opened it to others: the kernel's word counts, not the file's mode alone.
    pod.directory.chmod(0o755)
    (pod.directory / "control.sock").chmod(0o666)
    program = (
        "import json, os, socket, sys; os.setgid(65534); os.setuid(65534); "
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
        's.sendall(b\'{"type":"queue_list"}\\n\'); print(s.recv(65536).decode())'
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, pod.control], capture_output=True, text=True, timeout=30, check=True
    )
    assert json.loads(ran.stdout)["status"] == "error"
    assert "user 65534 doesn't operate this pod" in ran.stdout
    (entry,) = pod.wait_for_entries(1, "gate")
    assert entry["success"] is False
    assert json.loads(str(entry["detail"]))["by"]["uid"] == 65534


def test_the_operator_is_told_how_the_pod_is(pod: PodProcess) -> None:
    with Client(pod.queue) as agent:
        agent.ask(MAIL)
        (status,) = ask(pod.control, {"type": "status"})
    assert status["status"] == "ok"
    assert status["waiting"] == 1
    assert status["open_connections"] == 2


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[]",
        b'{"type":"queue_drop"}',
        b'{"type":"queue_decide","id":"12345678","decision":"maybe"}',
        b'{"type":"queue_decide","id":7,"decision":"deny"}',
        b'{"type":"queue_list"' + b"[" * 10_000,
        b"\xff\xfe",
    ],
)
def test_a_bad_line_gets_one_error_and_the_next_is_served(pod: PodProcess, line: bytes) -> None:
    with Client(pod.control) as operator:
        operator.send(line + b"\n")
        assert operator.receive()["status"] == "error"
        assert operator.ask({"type": "queue_list"}) == {"status": "ok", "actions": []}
        assert operator.is_quiet()
    assert len(pod.wait_for_entries(1, "bad_request")) == 1
