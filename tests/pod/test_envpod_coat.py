"""envpod-coat 0.1.16, as it is on the package index, talks to our pod."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from aotel.pod import claim
from tests.pod.pod_process import Json, PodProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AGENTS = """
[[agents]]
id = "reviewer"
role = "code review"
capabilities = ["read", "comment"]
"""
# Every way in which it makes envelopes, from several threads and a forked child: 2 + 3 + 2 + 2 + 40 + 2 of them.
PROGRAM = """
import asyncio, os, threading
from envpod_coat import Op, coat, tie

@coat("tool")
def plain(x):
    return x

@coat(Op.LLM)
def tied(messages):
    tie("chunk", {"n": 1, "password": "hunter2"})
    return "ok"

@coat("retrieval")
async def waits(question):
    return [question]

@coat()
def fails():
    raise ValueError("no")

plain("a")
tied([{"role": "user", "content": "b"}])
asyncio.run(waits("c"))
try:
    fails()
except ValueError:
    pass
threads = [threading.Thread(target=lambda: [plain(n) for n in range(5)]) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
child = os.fork()
if child == 0:
    plain("forked")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(os.getpid(), child)
"""
MADE = 51


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PodProcess]:
    config = tmp_path / "pod.toml"
    config.write_text(AGENTS)
    with PodProcess(None, "--config", str(config), "--pod-id", "pod-7") as made:
        monkeypatch.setenv("ENVPOD_POD_ID", "forged-pod")
        monkeypatch.setenv("ENVPOD_SOCKET", made.queue)
        monkeypatch.setenv("ENVPOD_AGENT_ID", "the-boss")
        monkeypatch.setenv("ENVPOD_AGENT_ROLE", "root")
        yield made


def run() -> tuple[int, int]:
    """Run the program; return the ids of its two processes."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        env=dict(os.environ),
    )
    assert (ended.stderr, ended.returncode) == ("", 0)
    parent, child = ended.stdout.split()
    return int(parent), int(child)


def _fields(envelope: Json, name: str) -> Json:
    found = envelope[name]
    assert isinstance(found, dict)
    return found


def test_it_is_the_one_from_the_index() -> None:
    assert version("envpod-coat") == "0.1.16"


def test_every_envelope_lands_with_the_identity_that_the_kernel_tells(pod: PodProcess) -> None:
    parent, child = run()
    envelopes = pod.envelopes()
    assert len(envelopes) == MADE
    assert {_fields(each, "subject")["framework"] for each in envelopes} == {"envpod-coat"}
    assert {_fields(each, "envpod")["pid"] for each in envelopes} == {parent, child}
    for each in envelopes:
        envpod, subject = _fields(each, "envpod"), _fields(each, "subject")
        pid = envpod["pid"]
        assert (subject["agent_id"], subject["agent_role"]) == ("", "")
        assert (envpod["pod_id"], envpod["uid"], envpod["claim_kind"]) == ("pod-7", os.getuid(), "anonymous")
        anonymous = _fields(envpod, "anonymous")
        assert (anonymous["pid"], anonymous["uid"]) == (pid, os.getuid())
        assert anonymous["fingerprint"] == f"anon_pid{pid}_uid{os.getuid()}_sess{anonymous['session']}"
    assert all("agent" not in entry for entry in pod.entries("agent_coat"))


def test_a_claim_of_the_parent_covers_it(pod: PodProcess) -> None:
    with claim("reviewer") as mine:
        parent, child = run()
    run()
    envelopes = pod.envelopes()
    assert len(envelopes) == 2 * MADE
    for each in envelopes[:MADE]:
        subject, envpod = _fields(each, "subject"), _fields(each, "envpod")
        assert (subject["agent_id"], subject["agent_role"]) == ("reviewer", "code review")
        assert {"anonymous", "uid"}.isdisjoint(envpod)
        assert envpod["pid"] in (parent, child)
        assert (envpod["pod_id"], envpod["claim_kind"]) == ("pod-7", "claimed")
        assert (envpod["agent_claim_id"], envpod["capabilities"]) == (mine.claim_id, ["read", "comment"])
    assert {_fields(each, "envpod")["claim_kind"] for each in envelopes[MADE:]} == {"anonymous"}
    assert [entry.get("agent") for entry in pod.entries("agent_coat")] == ["reviewer"] * MADE + [None] * MADE


def test_what_it_sends_is_kept_as_it_is_otherwise(pod: PodProcess) -> None:
    run()
    kinds = [each["kind"] for each in pod.envelopes()[:9]]
    assert kinds == [
        "agent.tool.call",
        "agent.tool.result",
        "agent.llm.request",
        "coat.emit",
        "agent.llm.response",
        "agent.memory.read",
        "agent.memory.read",
        "agent.step.start",
        "coat.error",
    ]
    emitted = pod.envelopes()[3]
    assert set(emitted) == {"spec", "kind", "ts", "ids", "subject", "capture", "payload", "envpod"}
    assert _fields(emitted, "payload")["tag"] == "chunk"
