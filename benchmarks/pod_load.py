"""Measure how many envelopes a second a pod takes: 8 processes send 20,000 each, and all have to be in its log once."""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from aotel.audit import read, verify

CLIENTS = 8
ENVELOPES = 20_000
BATCH = 256  # what an exporter sends at once
POLICIES = ("none", "interval", "always")
TIMEOUT = 120.0  # seconds
_GO = "go\n"


class Measured(NamedTuple):
    """One run.

    Attributes:
        seconds: from the first envelope sent to the last one answered.
        cpu: seconds of processor time that the pod took for them.
        size: bytes of the log.
    """

    seconds: float
    cpu: float
    size: int


def main() -> None:
    """Measure each fsync policy, check each log, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--envelopes", type=int, default=ENVELOPES, help="of each client")
    parser.add_argument("--send", nargs=3, metavar=("SOCKET", "PRODUCER", "NUMBER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        path, producer, number = given.send
        send(path, producer, int(number))
        return
    total = given.clients * given.envelopes
    print(f"{machine()}; {given.clients} processes x {given.envelopes:,} envelopes, in batches of {BATCH}.\n")
    print("| what | envelopes a second | CPU of the pod, us an envelope | log, MiB |")
    print("| --- | ---: | ---: | ---: |")
    for policy in POLICIES:
        found = measure(policy, given.clients, given.envelopes)
        row = f"{total / found.seconds:,.0f} | {found.cpu / total * 1e6:.1f} | {found.size / (1 << 20):.0f}"
        print(f"| aotel pod, fsync {policy} | {row} |", flush=True)
    print(f"\nEvery log has each of the {total:,} envelopes once, and its chain is intact.")


def measure(policy: str, clients: int, envelopes: int) -> Measured:
    """Run a pod and its clients; return what it took, when the log was found to be whole."""
    with tempfile.TemporaryDirectory(prefix="pod") as folder:
        directory = Path(folder)
        pod = subprocess.Popen(
            [sys.executable, "-m", "aotel.cli", "pod", "--dir", folder, "--fsync", policy],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            if _line(pod) != "READY":
                sys.exit("the pod did not start")
            idle = _cpu(pod.pid)
            seconds = load(str(directory / "queue.sock"), clients, envelopes)
            cpu = _cpu(pod.pid) - idle
        finally:
            pod.terminate()
            pod.communicate(timeout=TIMEOUT)
        check(directory, clients, envelopes)
        return Measured(seconds, cpu, sum(path.stat().st_size for path in directory.glob("audit.jsonl*")))


def load(path: str, clients: int, envelopes: int) -> float:
    """Have all clients send at once; return the seconds until the last one has its last answer."""
    command = [sys.executable, __file__, "--send", path]
    running = [
        subprocess.Popen(
            [*command, f"p_{client:016x}", str(envelopes)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for client in range(clients)
    ]
    for client in running:
        if _line(client) != "ready":
            sys.exit("a client did not start")
    began = time.perf_counter()
    for client in running:
        assert client.stdin is not None  # noqa: S101 - it is a pipe, as below
        client.stdin.write(_GO)
        client.stdin.flush()
    for client in running:
        if _line(client) != "done":
            sys.exit("a client failed")
    seconds = time.perf_counter() - began
    for client in running:
        client.communicate(timeout=TIMEOUT)
    return seconds


def send(path: str, producer: str, number: int) -> None:
    """Be a client: make all requests, wait for the word, send one after the other as each is answered."""
    requests = [request(producer, start, min(number, start + BATCH)) for start in range(0, number, BATCH)]
    print("ready", flush=True)
    if sys.stdin.readline() != _GO:
        return
    taken = 0
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(path)
        replies = connection.makefile("rb")
        for each in requests:
            connection.sendall(each)
            taken += json.loads(replies.readline())["accepted"]
        replies.close()
    if taken != number:
        sys.exit(f"{taken} of {number} were taken")
    print("done", flush=True)


def request(producer: str, start: int, end: int) -> bytes:
    """Return a batch of envelopes as a line; each is what a call of a tool makes."""
    made = [envelope(producer, number) for number in range(start, end)]
    return json.dumps({"type": "agent_coat_batch", "envelopes": made}, separators=(",", ":")).encode() + b"\n"


def envelope(producer: str, number: int) -> dict[str, object]:
    """Return one envelope; no two of a producer have the same span and number."""
    span, seq = f"{number // 2:016x}", number % 2
    payload: dict[str, object] = {"fn": "Library.search", "preview": {"args": ["'where do spans go?'"], "kwargs": {}}}
    if seq:
        payload = {"fn": "Library.search", "result_preview": "['Spans go to OTLP.']", "captured": {}}
        payload |= {"duration_ms": 1.234, "ok": True, "tool": {"name": "Library.search"}}
    return {
        "spec": "aotp/0.1",
        "kind": "agent.tool.result" if seq else "agent.tool.call",
        "ts": "2026-04-14T01:30:00.123Z",
        "producer": producer,
        "seq": seq,
        "ids": {
            "session_id": "sess_4f1c0a9b2d3e4f50",
            "run_id": "run_a3ce929d0e0e4736",
            "step_id": f"step_{span}",
            "trace_id": "tr_4bf92f3577b34da6a3ce929d0e0e4736",
            "span_id": f"sp_{span}",
            "parent_span_id": "sp_00f067aa0ba902b7",
        },
        "subject": {"agent_id": "", "agent_role": "", "framework": "aotel", "framework_version": "0.1.0"},
        "capture": {"mode": "none", "content": "redacted"},
        "payload": payload,
        "envpod": {"pod_id": "bench", "pid": os.getpid()},
    }


def check(directory: Path, clients: int, envelopes: int) -> None:
    """End the program unless every envelope is in the log once, and the log's chain is intact."""
    seen: set[tuple[str, str, int]] = set()
    number = 0
    for entry in read(directory):
        if entry.action == "agent_coat":
            found = json.loads(entry.detail)
            seen.add((found["producer"], found["ids"]["span_id"], found["seq"]))
            number += 1
    if not number == len(seen) == clients * envelopes:
        sys.exit(f"{number} envelopes are in the log, {len(seen)} different ones, of {clients * envelopes}")
    verdict = verify(directory)
    if not verdict.ok:
        sys.exit(f"the chain is broken: {verdict}")


def machine() -> str:
    """Return what the numbers were taken on."""
    return f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101
    return process.stdout.readline().strip()


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
