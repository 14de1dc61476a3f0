"""A claim that is stolen is worth nothing, whoever has its id, and the log tells of each attempt."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aotel.audit import verify
from tests.pod.pod_process import Client, PodProcess, envelope
from tests.pod.programs import NOBODY, PRELUDE, ROOT, agents, by_number, details, pod_with_agents, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="claims need to know processes")

# What a thief tries with the id of a claim: to give it back, and to send under it.
THIEF = """
(released,) = ask(IDENTITY, {"type": "release", "claim_id": sys.argv[3]})
for number in (1, 2):
    send(number, envpod={"pod_id": "x", "pid": 1, "claim_kind": "claimed", "agent_claim_id": sys.argv[3]})
print(released["status"], ask(IDENTITY, {"type": "whoami"})[0]["claim_kind"])
"""
BECOME_NOBODY = f"""
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
"""
VICTIM = """
with claim("reviewer") as mine:
    print(mine.claim_id, flush=True)
    sys.stdin.readline()
    send(0, envpod={"agent_claim_id": mine.claim_id})
"""


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[PodProcess]:
    with pod_with_agents(tmp_path) as made:
        yield made


@pytest.fixture
def run(pod: PodProcess) -> Callable[..., str]:
    return functools.partial(run_program, pod)


def test_a_stolen_claim_id_is_worth_nothing(pod: PodProcess, run: Callable[..., str]) -> None:
    with Client(pod.identity) as client:
        made = client.ask({"type": "claim", "agent": "reviewer"})
        said = run(
            """
(reply,) = ask(IDENTITY, {"type": "release", "claim_id": sys.argv[3]})
print(reply["status"])
""",
            str(made["claim_id"]),
        )
        assert said == "error\n"
        assert client.ask({"type": "whoami"})["claim_id"] == made["claim_id"]
    ((success, _, detail),) = details(pod, "release")
    assert not success
    assert detail["claim_id"] == made["claim_id"]
    assert detail["pid"] != os.getpid()
    assert "has no claim" in detail["message"]


@pytest.mark.parametrize(
    "uid", [os.getuid(), pytest.param(NOBODY, marks=ROOT)], ids=["another process", "another user"]
)
def test_a_claim_stolen_by_a_stranger_is_worth_nothing_and_told_of(tmp_path: Path, uid: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with pod_with_agents(tmp_path, "--socket-mode", "0666", "--directory-mode", "0755") as pod:
        paths = (pod.queue, pod.identity)
        with subprocess.Popen(
            [sys.executable, "-c", PRELUDE + VICTIM, *paths],
            env={**environment, "ENVPOD_SOCKET": pod.queue},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as agent:
            assert agent.stdout is not None
            stolen = agent.stdout.readline().strip()
            program = PRELUDE + ("" if uid == os.getuid() else BECOME_NOBODY) + THIEF
            thief = subprocess.run(
                [sys.executable, "-c", program, *paths, stolen],
                env=environment,
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            agent.communicate("\n", timeout=30)
        assert thief.stdout == "error anonymous\n", thief.stderr
        assert agents(pod) == {0: "reviewer", 1: "", 2: ""}
        found = by_number(pod)
        assert [found[number]["envpod"]["claim_kind"] for number in range(3)] == ["claimed", "anonymous", "anonymous"]
        assert "agent_claim_id" not in found[1]["envpod"]
        made, *sent = details(pod, "claim")
        assert made[0]
        told = [(success, agent_id, detail["claim_id"], detail["uid"]) for success, agent_id, detail in sent]
        assert told == [(False, None, stolen, uid)] * 2  # once for each connection
        assert all("another process's" in detail["message"] for _, _, detail in sent)
        refused, released = details(pod, "release")
        assert (refused[0], refused[2]["claim_id"], refused[2]["uid"]) == (False, stolen, uid)
        assert (released[0], released[2]["claim_id"]) == (True, stolen)
        assert verify(pod.directory).ok


def test_who_names_a_claim_that_is_over_or_around_it_steals_nothing(pod: PodProcess) -> None:
    with Client(pod.identity) as identity, Client(pod.queue) as queue:

        def send(number: int, named: object) -> None:
            content = envelope("p_program", number, envpod={"agent_claim_id": named})
            assert queue.ask({"type": "agent_coat", "envelope": content})["status"] == "ok"

        outer = identity.ask({"type": "claim", "agent": "reviewer"})
        inner = identity.ask({"type": "claim", "agent": "reviewer"})
        send(0, outer["claim_id"])
        assert identity.ask({"type": "release", "claim_id": inner["claim_id"]})["status"] == "ok"
        for number, named in enumerate((inner["claim_id"], "claim_0", 7, None, ["x"], outer["claim_id"]), 1):
            send(number, named)
    assert [success for success, _, _ in details(pod, "claim")] == [True, True]
