"""Programs that claim and send, run as processes of their own, and what the log of the pod says of them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.pod.pod_process import PodProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = """
[[agents]]
id = "reviewer"
role = "code review"
capabilities = ["read", "comment"]
max_ttl_secs = 7200

[[agents]]
id = "deployer"
claim = { uids = [65534] }
"""
NOBODY = 65534
ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
# What every program below begins with: `send(n)` sends an envelope that is known by its number.
PRELUDE = """
import os, signal, subprocess, sys, time
from aotel.pod import claim
from tests.pod.pod_process import ask, envelope
QUEUE, IDENTITY = sys.argv[1:3]
def send(number, **more):
    (reply,) = ask(QUEUE, {"type": "agent_coat", "envelope": envelope("p_program", number, **more)})
    assert reply["status"] == "ok", reply
"""
# A program of its own that sends one.
SEND = """
import sys
from tests.pod.pod_process import ask, envelope
ask(sys.argv[1], {"type": "agent_coat", "envelope": envelope("p_program", int(sys.argv[2]))})
"""


@contextlib.contextmanager
def pod_with_agents(directory: Path, *options: str) -> Iterator[PodProcess]:
    """Run a pod that knows the agents of `CONFIG`, its `pod.toml` in a directory that is there."""
    config = directory / "pod.toml"
    config.write_text(CONFIG)
    with PodProcess(None, "--config", str(config), *options) as made:
        yield made


def run_program(pod: PodProcess, program: str, *arguments: str) -> str:
    """Run a program behind `PRELUDE`, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, pod.queue, pod.identity, *arguments],
        env={**os.environ, "ENVPOD_SOCKET": pod.queue, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_number(pod: PodProcess) -> dict[int, dict[str, Any]]:
    """Return the envelopes in the log by the numbers they were sent with."""
    found: dict[int, dict[str, Any]] = {}
    for each in pod.envelopes():
        content: dict[str, Any] = each
        found[2 * int(content["ids"]["span_id"][3:], 16) + int(content["seq"])] = content
    return found


def agents(pod: PodProcess) -> dict[int, str]:
    return {number: each["subject"]["agent_id"] for number, each in sorted(by_number(pod).items())}


def details(pod: PodProcess, action: str) -> list[tuple[bool, str | None, dict[str, Any]]]:
    return [
        (bool(entry["success"]), entry.get("agent"), json.loads(str(entry["detail"])))  # type: ignore[misc]
        for entry in pod.entries(action)
    ]
