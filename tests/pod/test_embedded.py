"""A pod inside another program: it starts, serves and closes, again and again, beside others, and across forks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.audit import read, verify
from aotel.errors import AotelError
from aotel.pod import ClaimRefusedError, EmbeddedPod, PodConfig, PodError, PodOptions, claim
from aotel.pod.config import AgentConfig
from tests.pod.pod_process import Client, Json, ask, batch, envelope, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = {"type": "hello"}
REVIEWER = AgentConfig("reviewer", role="code review", capabilities=("read",))
linux = pytest.mark.skipif(sys.platform != "linux", reason="claims need to know processes")


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pod") as made:
        yield Path(made)


def options(directory: Path) -> PodOptions:
    return PodOptions(directory, config=PodConfig(agents=(REVIEWER,)))


def envelopes(directory: Path) -> list[Json]:
    return [json.loads(entry.detail) for entry in read(directory) if entry.action == "agent_coat"]


def pod_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("aotel-pod")}


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def test_it_starts_serves_and_closes(directory: Path) -> None:
    told: list[str] = []
    before = pod_threads()
    files = len(list(Path("/dev/fd").iterdir()))
    with EmbeddedPod(options(directory), on_written=lambda each: told.extend(entry.action for entry in each)) as pod:
        sockets = [pod.sockets.queue, pod.sockets.identity, pod.sockets.control]
        assert ask(pod.sockets.queue, HELLO)[0]["server"] == "aotel"
        assert ask(pod.sockets.queue, batch([envelope("p_1", 0), envelope("p_1", 1)]))[0]["accepted"] == 2
        assert ask(pod.sockets.identity, {"type": "whoami"})[0]["uid"] == os.getuid()
        assert ask(pod.sockets.control, {"type": "status"})[0]["envelopes"] == 2
        assert pod.status()["envelopes"] == 2
        pod.append("limit_warning", {"resource": "wall"}, success=False)
    assert [Path(path).exists() for path in sockets] == [False] * 3
    wait_until(lambda: not pod_threads() - before, what="end of its threads")
    wait_until(lambda: len(list(Path("/dev/fd").iterdir())) == files, what="end of its files")
    expected = ["pod_start", "agent_coat", "agent_coat", "limit_warning", "pod_stop"]
    assert [entry.action for entry in read(directory)] == expected
    assert told == expected
    assert verify(directory).ok


def test_one_after_the_other_goes_on_with_the_log(directory: Path) -> None:
    for number in range(3):
        with EmbeddedPod(options(directory)) as pod:
            (reply,) = ask(pod.sockets.queue, batch([envelope("p_1", 0), envelope("p_1", 1 + number)]))
            assert (reply["accepted"], reply["duplicates"]) == ((2, 0) if number == 0 else (1, 1))
    assert len(envelopes(directory)) == 4
    assert verify(directory).ok


def test_two_at_once_have_nothing_to_do_with_each_other(directory: Path) -> None:
    with EmbeddedPod(options(directory / "a")) as first, EmbeddedPod(options(directory / "b")) as second:
        ask(first.sockets.queue, batch([envelope("p_1", 0)]))
        first.stop()
        assert ask(second.sockets.queue, batch([envelope("p_1", 0)]))[0]["accepted"] == 1
    for name in ("a", "b"):
        (sent,) = envelopes(directory / name)
        assert sent["envpod"]["pod_id"] == name  # type: ignore[index]
        assert verify(directory / name).ok


def test_a_directory_has_one_pod(directory: Path) -> None:
    with EmbeddedPod(options(directory)) as first:
        with pytest.raises(AotelError, match="written by another process"):
            EmbeddedPod(options(directory)).start()
        assert ask(first.sockets.queue, HELLO)[0]["status"] == "ok"
    with EmbeddedPod(options(directory)) as second:
        assert ask(second.sockets.queue, HELLO)[0]["status"] == "ok"


def test_what_is_asked_of_one_that_does_not_run(directory: Path) -> None:
    pod = EmbeddedPod(options(directory))
    pod.stop()
    with pytest.raises(PodError, match="isn't started"):
        _ = pod.sockets
    pod.start()
    with pytest.raises(PodError, match="started already"):
        pod.start()
    pod.stop()
    pod.stop()
    pod.append("limit_warning", {})
    for call in (pod.status, lambda: pod.claim_for(os.getpid(), "reviewer"), lambda: pod.deny_control(os.getpid())):
        with pytest.raises(PodError, match="isn't running"):
            call()
    assert [entry.action for entry in read(directory)] == ["pod_start", "pod_stop"]


def test_one_that_can_not_start_says_why_and_leaves_nothing(directory: Path) -> None:
    (directory / "identity.sock").write_text("mine")
    before = pod_threads()
    with pytest.raises(PodError, match="is no socket"):
        EmbeddedPod(options(directory)).start()
    wait_until(lambda: not pod_threads() - before, what="end of its threads")
    assert not (directory / "queue.sock").exists()
    (directory / "identity.sock").unlink()
    with EmbeddedPod(options(directory)) as pod:
        assert ask(pod.sockets.queue, HELLO)[0]["status"] == "ok"


@linux
def test_its_own_program_can_claim(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedPod(options(directory)) as pod:
        monkeypatch.setenv("ENVPOD_SOCKET", pod.sockets.queue)
        with claim("reviewer", ttl_secs=60) as mine:
            assert (mine.agent_id, mine.agent_role, mine.capabilities) == ("reviewer", "code review", ("read",))
            ask(pod.sockets.queue, batch([envelope("p_1", 0)]))
        with pytest.raises(ClaimRefusedError, match="no agent 'boss'"), claim("boss"):
            pass
        ask(pod.sockets.queue, batch([envelope("p_1", 1)]))
    assert [each["subject"]["agent_id"] for each in envelopes(directory)] == ["reviewer", ""]  # type: ignore[index]


SEND = """
import sys
from tests.pod.pod_process import ask, batch, envelope
sys.stdin.readline()
(reply,) = ask(sys.argv[1], batch([envelope("p_child", 0)]))
print(ask(sys.argv[2], {"type": "status"})[0]["status"], reply["accepted"])
"""


@linux
@pytest.mark.parametrize("how", ["claim_for", "deny_control"])
def test_a_program_that_is_started_can_be_made_an_agent(directory: Path, how: str) -> None:
    with EmbeddedPod(options(directory)) as pod:
        command = [sys.executable, "-c", SEND, pod.sockets.queue, pod.sockets.control]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        ) as child:
            if how == "claim_for":
                pod.claim_for(child.pid, "reviewer")
            else:
                pod.deny_control(child.pid)
            stdout, _ = child.communicate("\n", timeout=30)
        assert stdout == "error 1\n"
        assert ask(pod.sockets.control, {"type": "status"})[0]["status"] == "ok"
        with pytest.raises(PodError, match="no process"):
            pod.claim_for(2**22 + 5, "reviewer")
        with pytest.raises(PodError, match="no process"):
            pod.deny_control(2**22 + 5)
    (sent,) = envelopes(directory)
    assert sent["subject"]["agent_id"] == ("reviewer" if how == "claim_for" else "")  # type: ignore[index]
    (refused,) = [entry for entry in read(directory) if entry.action == "gate"]
    assert not refused.success


FORKING = """
import os, sys
from pathlib import Path
from aotel.pod import EmbeddedPod, PodError, PodOptions
from tests.pod.pod_process import Client, ask, batch, envelope

directory = Path(sys.argv[1])
pod = EmbeddedPod(PodOptions(directory))
pod.start()
queue = pod.sockets.queue
read, write = os.pipe()
child = os.fork()
if not child:
    os.close(write)
    assert ask(queue, batch([envelope("p_child", 0)]))[0]["accepted"] == 1
    pod.stop()  # not the child's to stop
    assert ask(queue, batch([envelope("p_child", 1)]))[0]["accepted"] == 1
    try:
        pod.status()
    except PodError:
        os.write(1, b"left alone\\n")
    os.read(read, 1)  # goes on behind the pod's end
    with EmbeddedPod(PodOptions(directory / "child")) as mine:
        assert ask(mine.sockets.queue, batch([envelope("p_child", 0)]))[0]["accepted"] == 1
    os._exit(0)
while pod.status()["envelopes"] < 2:
    pass
pod.stop()
with EmbeddedPod(PodOptions(directory)) as again:  # nothing of it lives on in the child
    assert ask(again.sockets.queue, {"type": "hello"})[0]["status"] == "ok"
os.close(write)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("done")
"""


def test_a_forked_child_leaves_it_to_its_parent(directory: Path) -> None:
    done = run(FORKING, str(directory))
    assert (done.returncode, done.stdout) == (0, "left alone\ndone\n"), done.stderr
    assert [each["producer"] for each in envelopes(directory)] == ["p_child", "p_child"]
    assert len(envelopes(directory / "child")) == 1
    assert verify(directory).ok


def test_a_program_that_ends_without_a_word_loses_nothing_that_was_answered(directory: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from aotel.pod import EmbeddedPod, PodOptions; "
        "from tests.pod.pod_process import ask, batch, envelope; "
        "pod = EmbeddedPod(PodOptions(Path(sys.argv[1]))); pod.start(); "
        "print(ask(pod.sockets.queue, batch([envelope('p_1', 0)]))[0]['accepted'])"
    )
    done = run(program, str(directory))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    with EmbeddedPod(options(directory)) as pod, Client(pod.sockets.queue) as client:
        assert client.ask(batch([envelope("p_1", 0)]))["duplicates"] == 1
    assert len(envelopes(directory)) == 1
    assert verify(directory).ok
