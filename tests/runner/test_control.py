"""What runs under `aotel run` asks, and never decides: also not by a process that gets away from its parent at once."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.runner.running import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody adopts orphans")

# `ask` asks over a socket beside `queue.sock`; `orphan` does something in a process whose parents are gone.
PRELUDE = """
import json, os, signal, socket, sys, time

def ask(name, **request):
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(10)
        made.connect(os.path.join(os.path.dirname(os.environ["ENVPOD_SOCKET"]), name))
        made.sendall(json.dumps(request).encode() + b"\\n")
        return json.loads(made.makefile().readline())

def orphan(work):
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    os.setsid()
    middle = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == middle:
        time.sleep(0.001)
    try:
        work()
    finally:
        os._exit(0)
"""
APPROVER = """
asked = ask("queue.sock", type="submit", description="let me")
read, write = os.pipe()

def approve():
    os.write(write, json.dumps(ask("control.sock", type="queue_decide", id=asked["id"], decision="approve")).encode())

orphan(approve)
os.close(write)
print(os.read(read, 65536).decode())
print(ask("queue.sock", type="poll", id=asked["id"])["status"])
"""
# A daemon whose children go on trying after the command has ended, while what it has written is collected.
TRIES = """
if os.fork() == 0:
    os.setsid()
    os.close(1)
    os.close(2)
    def attempt():
        with open("tries", "a") as tries:
            tries.write(ask("control.sock", type="status")["status"] + "\\n")
    end = time.monotonic() + 20
    while os.path.exists(os.environ["ENVPOD_SOCKET"]) and time.monotonic() < end:
        orphan(attempt)
    os._exit(0)
for number in range(3000):
    with open(os.path.join(os.environ["OUT"], str(number)), "w") as made:
        made.write("x")
"""


@pytest.mark.parametrize("options", [(), ("--agent", "writer")], ids=["anonymous", "agent"])
def test_an_orphan_of_the_program_can_not_approve(tmp_path: Path, options: tuple[str, ...]) -> None:
    ran = run(tmp_path, *options, "--", sys.executable, "-c", PRELUDE + APPROVER)
    assert ran.status == 0, ran.stderr
    reply, status = ran.stdout.decode().splitlines()
    assert json.loads(reply)["status"] == "error"
    assert "a person decides" in json.loads(reply)["message"]
    assert status == "queued"
    (refused,) = [each for each in ran.record.details("gate") if each.get("decision") == "approve"]
    assert (refused["status"], refused["by"]["uid"]) == ("refused", os.getuid())
    assert [entry["success"] for entry in ran.record.entries if '"approve"' in str(entry["detail"])] == [False]
    agents = {entry.get("agent") for entry in ran.record.entries if entry["action"] == "gate"}
    assert agents == ({"writer"} if options else {None})


def test_nor_can_one_that_outlives_the_program(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    ran = run(
        tmp_path, "--output", str(out), "--", sys.executable, "-c", PRELUDE + TRIES, env={"OUT": str(out)}, timeout=60
    )
    assert ran.status == 0, ran.stderr
    tried = (tmp_path / "tries").read_text().split()
    assert len(tried) > 5
    assert set(tried) == {"error"}
    assert len(ran.record.details("gate")) >= len(tried)
