"""Many clients at once: every envelope is in the log once, the chain holds, and a pod that is killed loses nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aotel.audit import verify
from tests.pod.pod_process import PodProcess

if TYPE_CHECKING:
    from pathlib import Path

CLIENTS = 8
KILLS = 3
KEY = b"0123456789abcdef0123456789abcdef"


def start_clients(pod: PodProcess, each: int) -> list[subprocess.Popen[str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.pod.load_client", pod.queue, f"p_{client:016x}", str(each)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for client in range(CLIENTS)
    ]


def join(clients: list[subprocess.Popen[str]]) -> list[dict[str, int]]:
    told = []
    for client in clients:
        out, errors = client.communicate(timeout=50)
        assert (errors, client.returncode) == ("", 0)
        told.append(json.loads(out))
    return told


def assert_once_each(pod: PodProcess, told: list[dict[str, int]], each: int) -> None:
    """Assert that every envelope is in the log once, with its sender's identity, each client's in order."""
    expected = {f"p_{client:016x}": told[client]["pid"] for client in range(CLIENTS)}
    numbers: dict[str, list[int]] = {producer: [] for producer in expected}
    for envelope in pod.envelopes():
        producer, ids, envpod = str(envelope["producer"]), envelope["ids"], envelope["envpod"]
        assert isinstance(ids, dict)
        assert isinstance(envpod, dict)
        numbers[producer].append(2 * int(ids["span_id"][3:], 16) + int(str(envelope["seq"])))
        assert envpod["pid"] == expected[producer]
    for producer, found in numbers.items():
        doubled = [number for number, times in Counter(found).items() if times > 1]
        assert not doubled, f"{producer}: {len(doubled)} are there more than once"
        assert len(found) == each, f"{producer}: {each - len(found)} of {each} are missing"
        assert found == sorted(found)


@pytest.mark.parametrize("fsync", ["none", "interval", "always"])
def test_all_are_there_once_each(fsync: str) -> None:
    each = 2000
    with PodProcess(None, "--fsync", fsync) as pod:
        told = join(start_clients(pod, each))
        assert [(client["accepted"], client["duplicates"]) for client in told] == [(each, 0)] * CLIENTS
        assert pod.stop() == 0
        assert_once_each(pod, told, each)
        verdict = verify(pod.directory)
        assert verdict.ok
        # Besides, the pod's start and its stop.
        assert verdict.lines == CLIENTS * each + 2


def test_all_are_there_over_many_files_and_under_a_key(tmp_path: Path) -> None:
    key = tmp_path / "audit.key"
    key.write_bytes(KEY)
    each = 1000
    with PodProcess(None, "--rotate-bytes", "100000", "--audit-key-file", str(key)) as pod:
        told = join(start_clients(pod, each))
        assert pod.stop() == 0
        assert_once_each(pod, told, each)
        # Some 3 MB; a file may end a batch late, and batches are as large as the load makes them.
        assert len(list(pod.directory.glob("audit.jsonl.[0-9]*"))) > 10
        assert verify(pod.directory, key=KEY).ok
        assert not verify(pod.directory, key=KEY[::-1]).ok


def test_a_pod_that_is_killed_under_load_loses_and_doubles_nothing() -> None:
    each = 2400
    with PodProcess() as pod:
        clients = start_clients(pod, each)
        kills = 0
        deadline = time.monotonic() + 30
        while kills < KILLS and time.monotonic() < deadline:
            if _lines(pod) >= (kills + 1) * CLIENTS * each // 5:
                pod.kill()
                kills += 1
                pod.start()
            time.sleep(0.005)
        told = join(clients)
        assert kills == KILLS, "the load was over too soon to be disturbed"
        assert sum(client["attempts"] for client in told) > CLIENTS * -(-each // 256)
        assert pod.stop() == 0
        assert_once_each(pod, told, each)
        assert verify(pod.directory).ok
        assert sum(entry["action"] == "pod_start" for entry in pod.entries()) == KILLS + 1


def _lines(pod: PodProcess) -> int:
    with pod.log.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
