"""AOTEL_DURABILITY=journal, with real processes and a real pod: what a call returned from is in the audit log."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pod.pod_process import PodProcess
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(__file__).parents[2] / "src"
LOOP = """
import os
import aotel

aotel.configure()

@aotel.coat("tool")
def work(number):
    return number

for number in range(10 ** 9):
    work(number)
    os.write(1, b"%d\\n" % number)
"""
ONE = """
import aotel

@aotel.coat("tool")
def last(number): ...

last(1)
print(aotel.flush(10), aotel.status().spooled)
"""


@pytest.fixture
def pod() -> Iterator[PodProcess]:
    with PodProcess() as found:
        yield found


def environment(spool: Path, socket: str | Path, **more: str) -> dict[str, str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    own = {
        "PYTHONPATH": str(SOURCE),
        "AOTEL_DURABILITY": "journal",
        "AOTEL_SPOOL_DIR": str(spool),
        "AOTEL_ENVELOPES": "pod",
        "ENVPOD_SOCKET": str(socket),
        "OTEL_TRACES_EXPORTER": "none",
    }
    return {**clean, **own, **more}


def start(source: str, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", source], env=variables, stdout=subprocess.PIPE)


def killed_after(lines: int, variables: dict[str, str]) -> int:
    """Run the loop, kill it after it has printed so many lines; return the last number that a call returned from."""
    with start(LOOP, variables) as process:
        assert process.stdout is not None
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        assert process.wait(20) == -signal.SIGKILL
    whole = rest.rpartition(b"\n")[0]
    return int(whole.rpartition(b"\n")[2]) if whole else lines - 1


def run_one(variables: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ONE], env=variables, capture_output=True, text=True, timeout=40, check=True
    )
    return done.stdout + done.stderr


def results(pod: PodProcess, producer: str | None = None) -> list[tuple[str, str]]:
    """Return, of each end of a call in the log, its producer and what it returned."""
    found: list[tuple[str, str]] = []
    for line in (pod.directory / "audit.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["action"] == "agent_coat":
            envelope = json.loads(entry["detail"])
            if envelope["kind"] == "agent.tool.result" and producer in {None, envelope["producer"]}:
                found.append((envelope["producer"], envelope["payload"]["result_preview"]))
    return found


@pytest.mark.parametrize("attempt", range(6))
def test_a_kill_loses_and_doubles_nothing_that_was_done(attempt: int, pod: PodProcess, tmp_path: Path) -> None:
    variables = environment(tmp_path / "spool", pod.queue)
    last = killed_after(random.Random(attempt).randrange(1, 400), variables)
    assert run_one(variables) == "True 0\n"
    assert list((tmp_path / "spool").iterdir()) == []
    assert pod.stop() == 0
    counted = Counter(value for _, value in results(pod))
    assert [counted[str(number)] for number in range(last + 1)] == [1] * (last + 1)
    assert max(counted.values()) == 1
    assert sum(counted.values()) - counted["None"] in {last + 1, last + 2}


def test_what_a_pod_that_is_away_misses_comes_when_it_is_there(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    out = [run_one(environment(spool, tmp_path / "nobody.sock")) for _ in range(3)]
    assert all(each.startswith("False ") for each in out), out
    assert len(list(spool.iterdir())) >= 1
    with PodProcess() as pod:
        assert run_one(environment(spool, pod.queue)) == "True 0\n"
        assert pod.stop() == 0
        assert len(results(pod)) == len({producer for producer, _ in results(pod)}) == 4
    assert list(spool.iterdir()) == []


def test_content_on_the_disk_obeys_the_mode(tmp_path: Path) -> None:
    secret = "sk-proj-Ab3dEf6hIj9lMn2pQr5tAb3dEf6hIj9lMn2pQr5t"
    source = ONE.replace("last(1)", f"last({secret!r})")
    for mode in ("redacted", "none", "hash", "summary"):
        spool = tmp_path / mode
        variables = environment(spool, tmp_path / "nobody.sock", AOTEL_CAPTURE=mode)
        subprocess.run([sys.executable, "-c", source], env=variables, capture_output=True, timeout=40, check=True)
        (segment,) = spool.iterdir()
        assert b"agent.tool.call" in segment.read_bytes()
        assert secret.encode() not in segment.read_bytes()


def test_a_directory_that_cannot_be_used_is_said_and_memory_is_used(pod: PodProcess, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = run_one(environment(tmp_path / "file", pod.queue))
    assert out.startswith("True 0\n")
    assert out.count("aotel:") == 1
    assert "AOTEL_DURABILITY=journal can't be had" in out
    assert pod.stop() == 0
    assert len(results(pod)) == 1


def test_a_destination_that_is_away_holds_up_no_other(pod: PodProcess, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    both = {"AOTEL_ENVELOPES": "pod,otlp", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    out = run_one(environment(spool, pod.queue, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", **both))
    assert out.startswith("False ")
    assert len(results(pod)) == 1
    with OtlpReceiver() as receiver:
        endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        assert run_one(environment(spool, pod.queue, **endpoint, **both)) == "True 0\n"
        assert len(receiver.log_records) == 4
        assert {record.attributes["aot.operation"] for record in receiver.log_records} == {"tool"}
        assert {record.attributes["openinference.span.kind"] for record in receiver.log_records} == {"TOOL"}
    assert pod.stop() == 0
    assert len(results(pod)) == 2
    assert list(spool.iterdir()) == []


def test_past_the_bound_the_oldest_go_and_that_is_said(tmp_path: Path) -> None:
    many = ONE.replace("last(1)", "for number in range(3000): last(number)")
    variables = environment(tmp_path / "spool", tmp_path / "nobody.sock", AOTEL_SPOOL_MAX_BYTES=str(512 << 10))
    done = subprocess.run(
        [sys.executable, "-c", many], env=variables, capture_output=True, text=True, timeout=50, check=True
    )
    assert sum(path.stat().st_size for path in (tmp_path / "spool").iterdir()) <= 512 << 10
    assert "the journal is full (AOTEL_SPOOL_MAX_BYTES)" in done.stderr
    spooled = int(done.stdout.split()[1])
    assert 200 < spooled < 6000
    with PodProcess() as pod:
        more = {"ENVPOD_SOCKET": pod.queue, "AOTEL_SPOOL_MAX_BYTES": str(8 << 20)}
        assert run_one({**variables, **more}) == "True 0\n"
        assert pod.stop() == 0
        numbers = [int(entry["payload"]["preview"]["args"][0]) for entry in starts(pod)]
    numbers.remove(1)  # the second program's own
    assert numbers == list(range(3000 - len(numbers), 3000))


def test_a_program_that_embeds_many_threads_and_forks(pod: PodProcess, tmp_path: Path) -> None:
    source = """
import os, threading
import aotel

@aotel.coat("tool")
def work(name): ...

def many(name):
    for number in range(100):
        work(f"{name}-{number}")

threads = [threading.Thread(target=many, args=(name,)) for name in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if os.fork() == 0:
    many("child")
    os._exit(0)
assert os.wait()[1] == 0
"""
    variables = environment(tmp_path / "spool", pod.queue)
    done = subprocess.run([sys.executable, "-c", source], env=variables, capture_output=True, timeout=50, check=True)
    assert done.stderr == b""
    assert run_one(variables) == "True 0\n"
    assert pod.stop() == 0
    names = Counter(entry["payload"]["preview"]["args"][0] for entry in starts(pod))
    expected = {f"'{name}-{number}'" for name in (*range(4), "child") for number in range(100)}
    assert set(names) - {"1"} == expected
    assert set(names.values()) == {1}


def starts(pod: PodProcess) -> list[dict[str, Any]]:
    """Return the start of each call in the log."""
    entries = map(json.loads, (pod.directory / "audit.jsonl").read_text().splitlines())
    envelopes = [json.loads(entry["detail"]) for entry in entries if entry["action"] == "agent_coat"]
    return [envelope for envelope in envelopes if envelope["kind"] == "agent.tool.call"]
