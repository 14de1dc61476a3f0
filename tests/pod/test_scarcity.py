"""What the pod does when it runs out of something: of the disk, of what its log may have of it, of open files."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.audit import verify
from tests.pod.pod_process import Client, PodProcess, ask, batch, envelope, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

HELLO = {"type": "hello"}
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")


@ROOT
def test_a_full_disk_loses_and_doubles_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        with tempfile.TemporaryDirectory(prefix="pod") as short:
            link = Path(short) / "pod"
            link.symlink_to(disk)
            with PodProcess(link) as pod:
                ballast = disk / "ballast"
                ballast.write_bytes(b"x" * 200_000)
                _fill_and_make_room(pod, ballast.unlink)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits other processes")
def test_a_log_that_may_not_grow_loses_and_doubles_nothing() -> None:
    with PodProcess() as pod:
        _limit_log(pod)


def _limit_log(pod: PodProcess) -> None:
    _, hard = resource.prlimit(pod.pid, resource.RLIMIT_FSIZE)
    # In the middle of a line: what is written of it has to be taken back.
    resource.prlimit(pod.pid, resource.RLIMIT_FSIZE, (200_001, hard))
    _fill_and_make_room(pod, lambda: resource.prlimit(pod.pid, resource.RLIMIT_FSIZE, (hard, hard)))


def _fill_and_make_room(pod: PodProcess, make_room: Callable[[], object]) -> None:
    sent = 0
    with Client(pod.queue) as client, Client(pod.queue) as other:
        while True:
            request = batch(envelope("p_1", number) for number in range(sent, sent + 20))
            reply = client.ask(request)
            if reply["status"] != "ok":
                break
            sent += 20
        assert sent > 0
        assert reply["status"] == "rate_limited"
        assert 0 < float(str(reply["retry_after"])) < 5
        for _ in range(20):  # it goes on being full
            assert client.ask(request)["status"] == "rate_limited"
            assert other.ask(HELLO)["status"] == "ok"
            assert other.ask({"type": "nonsense"})["status"] == "error"
            time.sleep(0.05)
        assert ask(pod.identity, {"type": "whoami"})[0]["status"] == "ok"
        assert len(pod.envelopes()) == sent, "it holds what it did not answer, or lost what it did"
        make_room()
        deadline = time.monotonic() + 10
        while (reply := client.ask(request))["status"] == "rate_limited":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (reply["accepted"], reply["duplicates"]) == (20, 0)
    assert pod.stop() == 0
    found = pod.envelopes()
    assert len(found) == sent + 20
    assert len({json.dumps(each["ids"]) + str(each["seq"]) for each in found}) == sent + 20
    # Once; or again, where there was still room for a short line and then for no other.
    recovered = [json.loads(str(entry["detail"])) for entry in pod.entries("limit_warning")]
    assert {(each["resource"], each["state"]) for each in recovered} == {("disk", "recovered")}
    assert pod.said().count("can't be written") == len(recovered) < 10
    # What nobody would have sent again was kept: the 20 bad requests, folded.
    bad = [json.loads(str(entry["detail"])).get("count", 1) for entry in pod.entries("bad_request")]
    assert sum(bad) == 20
    assert verify(pod.directory).ok


def test_more_connections_than_files_are_survived() -> None:
    limit = 120
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    pod = PodProcess()
    # The pod raises its own limit as far as it may: so the hard one is what is low.
    program = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit})); import sys; "
        f"sys.argv = ['aotel', 'pod', '--dir', {str(pod.directory)!r}]; import runpy; "
        "runpy.run_module('aotel.cli', run_name='__main__')"
    )
    with (
        contextlib.ExitStack() as whole,
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process,
        contextlib.ExitStack() as stack,
    ):
        whole.push(pod)  # never started, only cleaned up after
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        early = stack.enter_context(Client(pod.queue))
        assert early.ask(HELLO)["status"] == "ok"
        crowd = []
        for _ in range(300):
            client = Client(pod.queue)
            stack.callback(client.close)
            crowd.append(client)
        assert early.ask(HELLO)["status"] == "ok"
        assert early.ask(batch([envelope("p_1", 0)]))["accepted"] == 1
        assert crowd[-1].receive()["status"] == "rate_limited"
        for client in crowd:
            client.close()
        wait_until(lambda: _is_served(pod.queue), what="a free place")
        assert len(pod.envelopes()) == 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def _is_served(path: str) -> bool:
    with contextlib.suppress(OSError):
        return ask(path, HELLO)[0]["status"] == "ok"
    return False
