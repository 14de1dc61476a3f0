"""The pod as a service: how it starts, stops, and is started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.audit import verify
from tests.pod.pod_process import Client, Json, PodProcess, ask, batch, envelope, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = {"type": "hello"}


def command(*arguments: str, cwd: Path | None = None, umask: int = -1) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "aotel.cli", "pod", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=cwd,
        umask=umask,
    )


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def pod() -> Iterator[PodProcess]:
    with PodProcess() as made:
        yield made


def test_a_batch_says_what_became_of_each(pod: PodProcess) -> None:
    without = envelope("p_1", 4)
    del without["producer"]
    first = [envelope("p_1", 0), 7, envelope("p_1", 1), envelope("p_1", 0), without, without]
    with Client(pod.queue) as client:
        reply = client.ask({"type": "agent_coat_batch", "envelopes": first})
        assert (reply["status"], reply["accepted"], reply["duplicates"]) == ("ok", 4, 1)
        rejected = reply["rejected"]
        assert isinstance(rejected, list)
        assert [each["index"] for each in rejected] == [1]
        assert "JSON object" in rejected[0]["message"]
        again = client.ask(batch([envelope("p_1", 1), without]))
        assert (again["accepted"], again["duplicates"], again["rejected"]) == (1, 1, [])
        assert client.ask({"type": "agent_coat", "envelope": envelope("p_1", 1)})["status"] == "ok"
        assert client.ask(batch([]))["accepted"] == 0
    assert len(pod.envelopes()) == 5
    (status,) = ask(pod.control, {"type": "status"})
    assert (status["envelopes"], status["duplicates"], status["bad_requests"]) == (5, 3, 1)


def test_hello_says_what_it_can(pod: PodProcess) -> None:
    (reply,) = ask(pod.queue, HELLO)
    assert (reply["status"], reply["server"]) == ("ok", "aotel")
    assert {"agent_coat", "agent_coat_batch", "activity"} <= set(reply["features"])  # type: ignore[call-overload]


def test_activity_is_written_with_the_kernel_s_word(pod: PodProcess) -> None:
    events: list[Json] = [
        {"action": "file_open", "ts": "2026-01-01T00:00:00.000Z", "pid": 7, "path": "/x", "mode": "read", "count": 3},
        {"action": "net_connect", "host": "a", "port": 1, "source": "kernel", "peer": {"uid": 0}},
        {"action": "policy_violation", "kind": "host", "value": "b", "decision": "blocked"},
    ]
    (reply,) = ask(pod.queue, {"type": "activity", "events": events})
    assert (reply["status"], reply["action"]) == ("ok", "activity")
    peer = {"pid": os.getpid(), "uid": os.getuid()}
    (opened,) = pod.entries("file_open")
    assert json.loads(str(opened["detail"])) == {
        **{key: value for key, value in events[0].items() if key != "action"},
        "source": "audit_hook",
        "peer": peer,
    }
    (connected,) = [json.loads(str(entry["detail"])) for entry in pod.entries("net_connect")]
    assert (connected["source"], connected["peer"], connected["pid"]) == ("audit_hook", peer, os.getpid())
    assert connected["ts"].endswith("Z")
    (violation,) = pod.entries("policy_violation")
    assert violation["success"] is False


@pytest.mark.parametrize(
    "event", [{"action": "claim"}, {"action": "agent_coat"}, {"action": 7}, {"path": "/x"}, 7, {"action": "pod_stop"}]
)
def test_no_process_tells_of_what_is_the_pod_s_to_say(pod: PodProcess, event: object) -> None:
    (reply,) = ask(pod.queue, {"type": "activity", "events": [{"action": "file_open"}, event]})
    assert reply["status"] == "error"
    assert str(reply["message"]).startswith("events[1]: ")
    assert [entry["action"] for entry in pod.entries()] == ["pod_start", "bad_request"]


def test_what_python_writes_for_odd_file_names_is_taken(pod: PodProcess) -> None:
    odd = envelope("p_1", 0, payload={"fn": "a\udcffb", "emoji": "\N{SNOWMAN}\U0001f600"})
    assert ask(pod.queue, {"type": "agent_coat", "envelope": odd})[0]["status"] == "ok"
    (found,) = pod.envelopes()
    assert found["payload"] == {"fn": "a\ufffdb", "emoji": "\N{SNOWMAN}\U0001f600"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_was_read_is_written_and_answered_before_it_ends(number: signal.Signals) -> None:
    with PodProcess(None, "--fsync", "always") as pod, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(pod.queue)) for _ in range(8)]
        idle = stack.enter_context(Client(pod.queue))
        answered: list[list[Json]] = [[] for _ in clients]

        def send(index: int, client: Client) -> None:
            with contextlib.suppress(OSError):
                for each in range(20_000):
                    request = {"type": "agent_coat", "envelope": envelope(f"p_{index}", each)}
                    client.send(json.dumps(request).encode() + b"\n")

        def receive(index: int, client: Client) -> None:
            with contextlib.suppress(OSError):
                while True:
                    answered[index].append(client.receive())

        threads = [
            threading.Thread(target=target, args=(index, client), daemon=True)
            for index, client in enumerate(clients)
            for target in (send, receive)
        ]
        for thread in threads:
            thread.start()
        wait_until(lambda: all(len(each) > 20 for each in answered))
        os.kill(pod.pid, number)
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        with pytest.raises(ConnectionResetError):
            idle.receive()
        assert pod.stop() == 0
        written = [envelope_["producer"] for envelope_ in pod.envelopes()]
        for index, each in enumerate(answered):
            assert {reply["status"] for reply in each} == {"ok"}
            # What was written and not answered went out as the connection went away.
            assert len(each) <= written.count(f"p_{index}") <= len(each) + 256
        last = pod.entries()[-1]
        assert last["action"] == "pod_stop"
        assert json.loads(str(last["detail"]))["reason"] == number.name
        assert verify(pod.directory).ok
        assert not list(pod.directory.glob("*.sock"))
        assert "Traceback" not in pod.said()


def test_who_does_not_read_can_not_hold_up_the_end(pod: PodProcess) -> None:
    with Client(pod.queue, timeout=1.0) as client:
        with pytest.raises(TimeoutError):
            client.send(b"no request\n" * 2_000_000)
        began = time.monotonic()
        assert pod.stop() == 0
        assert time.monotonic() - began < 10


def test_it_knows_after_a_restart_what_it_had(pod: PodProcess) -> None:
    with Client(pod.queue) as client:
        assert client.ask(batch(envelope("p_1", number) for number in range(300)))["accepted"] == 300
    for end in (pod.stop, pod.kill):
        end()
        pod.start()
        with Client(pod.queue) as client:
            reply = client.ask(batch(envelope("p_1", number) for number in range(299, 302)))
            assert reply["duplicates"] == (1 if end == pod.stop else 3)
    assert len(pod.envelopes()) == 302
    assert pod.stop() == 0
    assert verify(pod.directory).ok


def test_sockets_of_a_killed_pod_are_replaced(pod: PodProcess) -> None:
    pod.kill()
    assert {path.name for path in pod.directory.glob("*.sock")} == {"queue.sock", "identity.sock", "control.sock"}
    with pytest.raises(ConnectionRefusedError):
        Client(pod.queue)
    pod.start()
    assert ask(pod.queue, HELLO)[0]["status"] == "ok"


def test_a_pod_that_lives_is_not_robbed(pod: PodProcess) -> None:
    done = command("--dir", str(pod.directory))
    assert done.returncode == 1
    assert done.stdout == ""
    assert str(pod.directory) in done.stderr
    assert "another process" in done.stderr
    assert "Traceback" not in done.stderr
    assert ask(pod.queue, HELLO)[0]["status"] == "ok"


def test_whoever_else_listens_there_is_not_robbed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pod") as directory, socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{directory}/queue.sock")
        other.listen()
        done = command("--dir", directory)
        assert done.returncode == 1
        assert f"somebody listens on {directory}/queue.sock" in done.stderr
        other.settimeout(5)
        other.accept()[0].close()  # the one that looked


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "identity.sock").write_text("mine")
    done = command("--dir", str(tmp_path))
    assert done.returncode == 1
    assert "identity.sock is no socket" in done.stderr
    assert (tmp_path / "identity.sock").read_text() == "mine"
    assert not (tmp_path / "queue.sock").exists()


def test_who_may_connect_does_not_depend_on_the_umask() -> None:
    for umask in (0, 0o177):
        before = os.umask(umask)
        try:
            with tempfile.TemporaryDirectory(prefix="pod") as parent:
                Path(parent).chmod(0o700)
                with PodProcess(Path(parent) / "new") as pod:
                    found = {path.name: mode_of(path) for path in [pod.directory, *pod.directory.iterdir()]}
        finally:
            os.umask(before)
        assert found["new"] == 0o700
        assert (found["queue.sock"], found["identity.sock"], found["control.sock"]) == (0o660, 0o660, 0o600)
        assert found["audit.jsonl"] == 0o600


def test_modes_are_the_operator_s_to_choose(tmp_path: Path) -> None:
    config = tmp_path / "pod.toml"
    config.write_text('pod_id = "team"\n[sockets]\nmode = "0600"\ndirectory_mode = "0711"\n')
    with PodProcess(None, "--config", str(config), "--socket-mode", "0666") as pod:
        assert mode_of(pod.directory) == 0o711
        assert mode_of(Path(pod.queue)) == 0o666
        assert mode_of(Path(pod.control)) == 0o600
        assert {entry["pod_id"] for entry in pod.entries()} == {"team"}


def test_a_directory_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with PodProcess(tmp_path):
        assert mode_of(tmp_path) == 0o750


def test_a_path_that_is_too_long_for_a_socket_has_links() -> None:
    with tempfile.TemporaryDirectory(prefix="pod") as parent:
        deep = Path(parent) / ("d" * 60) / ("e" * 60)
        with PodProcess(deep) as pod:
            link = deep / "queue.sock"
            assert link.is_symlink()
            short = link.resolve()
            assert len(str(short)) < 100
            assert ask(str(short), HELLO)[0]["status"] == "ok"
            assert mode_of(short.parent) == 0o711
            pod.kill()
            pod.start()
            assert link.resolve() != short
            assert not short.parent.exists(), "what a killed pod had left is still there"
            assert ask(str(link.resolve()), HELLO)[0]["status"] == "ok"
            where = link.resolve().parent
            assert pod.stop() == 0
            assert not where.exists()
            assert not list(deep.glob("*.sock"))


def test_systemd_is_told() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pod") as directory,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told,
    ):
        told.bind(f"{directory}/notify")
        told.settimeout(20)
        with PodProcess(None, environment={"NOTIFY_SOCKET": f"{directory}/notify"}) as pod:
            assert told.recv(100) == b"READY=1"
            assert pod.stop() == 0
            assert told.recv(100) == b"STOPPING=1"


def test_systemd_that_is_not_there_is_no_trouble() -> None:
    with PodProcess(None, environment={"NOTIFY_SOCKET": "@aotel-nobody"}) as pod:
        assert ask(pod.queue, HELLO)[0]["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--socket-mode", "rw"), "octal digits, such as 0660, got 'rw'"),
        (("--fsync", "often"), "'often' is not one of"),
        (("--config", "none.toml"), "none.toml can't be read: No such file"),
        (("--audit-key-file", "none.key"), "none.key can't be read"),
        (("--rotate-bytes", "0"), "0 is not in the range"),
    ],
)
def test_what_can_not_be_meant_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = command("--dir", str(tmp_path / "pod"), *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "pod").exists()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[[agents]]\nid = "a"\nclaim = { uid = 1 }', "agents[0].claim.uid"),
        ('[[actions]]\nname = "a"\ntier = "now"', "actions[0].tier"),
        ("[audit]\nrotate_bytes = -1", "audit.rotate_bytes"),
        ('[sockets]\nmode = "rw"', "sockets.mode"),
        ("[forward]\notlp = 1", "forward.otlp"),
    ],
)
def test_a_mistake_in_the_configuration_keeps_the_pod_from_starting(tmp_path: Path, text: str, key: str) -> None:
    config = tmp_path / "pod.toml"
    config.write_text(text)
    done = command("--dir", str(tmp_path / "pod"), "--config", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert key in done.stderr
    assert "pod.toml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "pod").exists()


def test_half_a_line_that_a_crash_has_left_is_kept_aside_and_told_of(pod: PodProcess) -> None:
    ask(pod.queue, batch([envelope("p_1", 0), envelope("p_1", 1)]))
    pod.kill()
    lines = pod.log.read_bytes().splitlines(keepends=True)
    half = lines[-1][: len(lines[-1]) // 2]
    pod.log.write_bytes(b"".join(lines[:-1]) + half)
    pod.start()
    (kept,) = pod.directory.glob("audit.jsonl.torn-*")
    assert kept.read_bytes() == half
    (torn,) = pod.entries("torn_line")
    assert torn["success"] is False
    assert json.loads(str(torn["detail"])) == {"bytes": len(half), "file": kept.name}
    # What was torn is not taken for known: who sends it again gets it in.
    reply = ask(pod.queue, batch([envelope("p_1", 0), envelope("p_1", 1)]))[0]
    assert (reply["accepted"], reply["duplicates"]) == (1, 1)
    assert pod.stop() == 0
    assert len(pod.envelopes()) == 2
    assert verify(pod.directory).ok


@pytest.mark.parametrize("fsync", ["none", "interval", "always"])
def test_answers_come_in_the_order_of_the_requests(fsync: str) -> None:
    with PodProcess(None, "--fsync", fsync) as pod, Client(pod.queue) as client:
        requests: list[object] = []
        for number in range(400):
            requests += [
                {"type": "agent_coat", "envelope": envelope("p_1", number)},
                {"type": "poll", "id": f"none-{number}"},
                batch([envelope("p_2", number), envelope("p_2", number - 1 if number else number)]),
            ]
        sender = threading.Thread(
            target=lambda: client.send(b"".join(json.dumps(request).encode() + b"\n" for request in requests)),
        )
        sender.start()
        for number in range(400):
            assert client.receive()["action"] == "agent_coat"
            assert f"none-{number}"[:8] in str(client.receive()["message"])
            assert client.receive()["duplicates"] == 1
        sender.join()
        assert len(pod.envelopes()) == 800
