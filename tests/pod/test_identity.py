"""Identity over real sockets, from real processes: claims of parents, children, strangers, thieves and other users."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aotel.pod import claim
from tests.pod.pod_process import Client, PodProcess, ask, envelope, wait_until
from tests.pod.programs import (
    CONFIG,
    NOBODY,
    PRELUDE,
    ROOT,
    SEND,
    agents,
    by_number,
    details,
    pod_with_agents,
    run_program,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="claims need to know processes")


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[PodProcess]:
    with pod_with_agents(tmp_path) as made:
        yield made


@pytest.fixture
def run(pod: PodProcess) -> Callable[..., str]:
    return functools.partial(run_program, pod)


def test_a_claim_covers_the_process_its_fork_and_its_children(pod: PodProcess, run: Callable[..., str]) -> None:
    run(f"""
send(0)
with claim("reviewer") as mine:
    send(1)
    child = os.fork()
    if not child:
        send(2)
        os._exit(0)
    os.waitpid(child, 0)
    subprocess.run([sys.executable, "-c", {SEND!r}, QUEUE, "3"], check=True)
    subprocess.run(["sh", "-c", f'{{sys.executable}} -c "$0" "$1" 4; true', {SEND!r}, QUEUE], check=True)
    send(5, subject={{"agent_id": "boss", "agent_role": "root", "framework": "test"}},
         envpod={{"pod_id": "x", "pid": 1, "claim_kind": "claimed", "agent_claim_id": "claim_x"}})
send(6)
""")
    assert agents(pod) == {0: "", 1: "reviewer", 2: "reviewer", 3: "reviewer", 4: "reviewer", 5: "reviewer", 6: ""}
    found = by_number(pod)
    ((_, agent, made),) = details(pod, "claim")
    assert agent == "reviewer"
    assert {found[number]["envpod"]["agent_claim_id"] for number in (1, 2, 3, 4, 5)} == {made["claim_id"]}
    assert len({found[number]["envpod"]["pid"] for number in range(5)}) == 4
    assert found[5]["subject"] == {"agent_id": "reviewer", "agent_role": "code review", "framework": "test"}
    assert found[5]["envpod"].keys() == {*("pod_id", "pid", "claim_kind", "agent_claim_id", "capabilities", "session")}
    assert found[6]["envpod"]["claim_kind"] == "anonymous"
    assert [entry.get("agent") for entry in pod.entries("agent_coat")] == [None, *["reviewer"] * 5, None]
    ((released, _, detail),) = details(pod, "release")
    assert released
    assert detail["claim_id"] == made["claim_id"]
    assert detail["pid"] == made["pid"] == found[1]["envpod"]["pid"]


DAEMON = """
read, write = os.pipe()
with claim("reviewer"):
    middle = os.fork()
    if not middle:
        os.setsid()
        middle = os.getpid()
        if not os.fork():
            {first}
            while os.getppid() == middle:
                time.sleep(0.01)
            send(2)
            os.write(write, b"done")
            os._exit(0)
        {until}
        os._exit(0)
    os.waitpid(middle, 0)
    os.read(read, 4)
"""


@pytest.mark.parametrize(
    ("first", "until", "seen"),
    [
        ('send(1); os.write(write, b"seen")', "os.read(read, 4)", {1: "reviewer", 2: "reviewer"}),
        ("", "time.sleep(4)  # the pod looks about once a second", {2: "reviewer"}),
    ],
    ids=["by its connection", "by a look"],
)
def test_a_daemon_that_was_seen_before_it_was_orphaned_stays_covered(
    pod: PodProcess, run: Callable[..., str], first: str, until: str, seen: dict[int, str]
) -> None:
    run(DAEMON.format(first=first, until=until))
    assert agents(pod) == seen


def test_who_started_an_agent_and_its_siblings_have_no_part_in_its_claim(
    pod: PodProcess, run: Callable[..., str]
) -> None:
    program = (
        PRELUDE
        + """
with claim("reviewer"):
    send(0)
    print("claimed", flush=True)
    sys.stdin.read()
"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, pod.queue, pod.identity],
        env={**os.environ, "ENVPOD_SOCKET": pod.queue, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "claimed\n"
        ask(pod.queue, {"type": "agent_coat", "envelope": envelope("p_program", 1)})
        run("send(2)")
        agent.communicate(timeout=20)
    assert agents(pod) == {0: "reviewer", 1: "", 2: ""}


def test_a_claim_ends_in_the_middle_of_a_connection(pod: PodProcess) -> None:
    with Client(pod.queue) as queue, Client(pod.identity) as identity:

        def send(number: int) -> None:
            assert queue.ask({"type": "agent_coat", "envelope": envelope("p_program", number)})["status"] == "ok"

        send(0)
        claimed = identity.ask({"type": "claim", "agent": "reviewer", "ttl_secs": 1.5})
        assert claimed["status"] == "ok"
        send(1)
        wait_until(lambda: identity.ask({"type": "whoami"})["claim_kind"] == "anonymous")
        send(2)
        assert identity.ask({"type": "release", "claim_id": claimed["claim_id"]})["status"] == "error"
    assert agents(pod) == {0: "", 1: "reviewer", 2: ""}
    (expired, refused) = details(pod, "release")
    assert expired[0]
    assert expired[2]["message"] == "expired"
    assert not refused[0]


def test_whoami_says_whom_the_pod_sees(pod: PodProcess) -> None:
    with Client(pod.identity) as client:
        anonymous = client.ask({"type": "whoami"})
        assert (anonymous["pid"], anonymous["uid"]) == (os.getpid(), os.getuid())
        assert (anonymous["claim_kind"], anonymous["agent_id"]) == ("anonymous", "")
        made = client.ask({"type": "claim", "agent": "reviewer", "ttl_secs": 60})
        found = client.ask({"type": "whoami"})
        assert (found["claim_kind"], found["agent_id"], found["claim_id"]) == ("claimed", "reviewer", made["claim_id"])
        assert (found["agent_role"], found["capabilities"]) == ("code review", ["read", "comment"])
        assert found["expires_at"] == made["expires_at"]
        assert client.ask({"type": "release", "claim_id": made["claim_id"]})["status"] == "ok"
        assert client.ask({"type": "whoami"})["claim_kind"] == "anonymous"


def test_an_expired_claim_covers_nobody_any_more(pod: PodProcess, run: Callable[..., str]) -> None:
    said = run(
        f"""
mine = claim("reviewer", ttl_secs=1.5).__enter__()
send(0)
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.readline()" + {SEND!r}, QUEUE, "2"],
                         stdin=subprocess.PIPE)
while ask(IDENTITY, {{"type": "whoami"}})[0]["claim_kind"] == "claimed":
    time.sleep(0.02)
send(1)
child.communicate(b"\\n")
(reply,) = ask(IDENTITY, {{"type": "release", "claim_id": mine.claim_id}})
print(reply["status"])
"""
    )
    assert said == "error\n"
    assert agents(pod) == {0: "reviewer", 1: "", 2: ""}
    expired, refused = details(pod, "release")
    assert (expired[0], expired[2]["message"]) == (True, "expired")
    assert not refused[0]


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({"agent": "boss"}, "no agent 'boss'"),
        ({"agent": "deployer"}, f"user {os.getuid()} may not claim 'deployer'"),
        ({"agent": "reviewer", "ttl_secs": 7201}, "up to 7200"),
        ({"agent": "reviewer", "ttl_secs": -5}, "above 0"),
    ],
)
def test_what_is_refused_is_in_the_log(pod: PodProcess, request_: dict[str, object], why: str) -> None:
    (reply,) = ask(pod.identity, {"type": "claim", **request_})
    assert reply["status"] == "error"
    assert why in str(reply["message"])
    ((success, agent, detail),) = details(pod, "claim")
    assert (success, agent) == (False, None)
    assert (detail["agent"], detail["pid"], detail["uid"]) == (request_["agent"], os.getpid(), os.getuid())
    assert why in detail["message"]


@ROOT
def test_users_are_told_apart_by_the_kernel(tmp_path: Path) -> None:
    program = (
        PRELUDE
        + f"""
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
replies = ask(IDENTITY, {{"type": "claim", "agent": "reviewer"}}, {{"type": "claim", "agent": "deployer"}})
send(1)
print([reply["status"] for reply in replies])
try:
    ask(os.path.dirname(QUEUE) + "/control.sock", {{"type": "status"}})
except PermissionError:
    print("control is closed")
"""
    )
    with pod_with_agents(tmp_path, "--socket-mode", "0666", "--directory-mode", "0755") as pod:
        done = subprocess.run(
            [sys.executable, "-c", program, pod.queue, pod.identity],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stdout == "['error', 'ok']\ncontrol is closed\n", done.stderr
        assert agents(pod) == {1: "deployer"}
        refused, made = details(pod, "claim")
        assert (refused[0], refused[2]["uid"], refused[2]["agent"]) == (False, NOBODY, "reviewer")
        assert (made[0], made[2]["uid"], made[2]["agent"]) == (True, NOBODY, "deployer")


@ROOT
@pytest.mark.skipif(shutil.which("unshare") is None, reason="there is no unshare")
def test_a_process_of_another_namespace_is_unidentified(tmp_path: Path) -> None:
    directory = tmp_path / "pod"
    config = tmp_path / "pod.toml"
    config.write_text(CONFIG)
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-m", "aotel.cli", "pod"]
    with subprocess.Popen(
        [*command, "--dir", str(directory), "--config", str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            if process.stdout.readline() != "READY\n":
                pytest.skip(f"no namespaces here: {process.stderr.read()[:200]}")
            queue, identity = str(directory / "queue.sock"), str(directory / "identity.sock")
            for session in ("new", "new"):  # another process may be behind the same pid, 0
                (reply,) = ask(queue, {"type": "agent_coat", "envelope": envelope("p_other", 0)})
                assert reply["session"] == session
            assert ask(identity, {"type": "claim", "agent": "reviewer"})[0]["status"] == "error"
            assert ask(identity, {"type": "whoami"})[0]["pid"] == 0
        finally:
            process.kill()
    lines = [json.loads(line) for line in (directory / "audit.jsonl").read_text().splitlines()]
    (found,) = [json.loads(line["detail"]) for line in lines if line["action"] == "agent_coat"]
    assert found["envpod"]["anonymous"] == {
        "pid": 0,
        "uid": os.getuid(),
        "session": "sess_0",
        "fingerprint": f"anon_pid0_uid{os.getuid()}_sesssess_0",
    }


def test_sessions_are_processes(pod: PodProcess, run: Callable[..., str]) -> None:
    def first_and_second() -> list[object]:
        return [reply.get("session") for reply in ask(pod.queue, {"type": "hello"}, {"type": "hello"})]

    assert first_and_second() == ["new", None]
    assert first_and_second() == ["attached", None]
    with Client(pod.queue) as client:
        assert client.ask({"type": "nonsense"})["status"] == "error"
        assert client.ask({"type": "agent_coat", "envelope": envelope()})["session"] == "attached"
    assert run('print(ask(QUEUE, {"type": "hello"})[0]["session"])') == "new\n"


def test_claim_as_a_context_manager(pod: PodProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVPOD_SOCKET", pod.queue)
    with claim("reviewer", ttl_secs=60) as mine:
        ask(pod.queue, {"type": "agent_coat", "envelope": envelope("p_program", 0)})
        assert (mine.agent_id, mine.agent_role, mine.capabilities) == ("reviewer", "code review", ("read", "comment"))
    ask(pod.queue, {"type": "agent_coat", "envelope": envelope("p_program", 1)})
    assert agents(pod) == {0: "reviewer", 1: ""}
