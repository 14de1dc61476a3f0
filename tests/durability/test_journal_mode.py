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
from typing import TYPE_CHECKING

import pytest

from tests.pod.pod_process import PodProcess

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
