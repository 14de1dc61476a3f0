"""Measure what the sensor's hook costs: an event that it ignores, and one that it records."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from aotel import sensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 7
_OK = b'{"status":"ok","action":"activity"}\n'


class Row(NamedTuple):
    """A line of the table."""

    what: str
    event: str
    arguments: tuple[object, ...]
    repeats: int
    policy: sensor.Policy | None = None


def rows(directory: str) -> Iterator[Row]:
    """Yield what is measured; events are raised as Python itself raises them, without what they announce."""
    library = str(Path(sysconfig.get_paths()["stdlib"], "json", "decoder.py"))
    reading = os.O_RDONLY | os.O_CLOEXEC
    policy = sensor.Policy(allow_hosts=("*.example.com",), allow_paths=(directory,))
    inside = str(Path(directory, "data.csv"))
    yield Row("ignored: event of another name", "compile", (None, "x"), 200_000)
    yield Row("ignored: file of the standard library", "open", (library, "r", reading), 200_000)
    yield Row("ignored: descriptor", "open", (3, "r", reading), 200_000)
    yield Row("ignored: Unix socket", "socket.connect", (None, "/run/x.sock"), 100_000)
    yield Row("ignored: file of the standard library, policy", "open", (library, "r", reading), 100_000, policy)
    yield Row("recorded: file", "open", (inside, "r", reading), 4000)
    yield Row("recorded: connection", "socket.connect", (None, ("10.1.2.3", 443)), 4000)
    yield Row("recorded: look-up", "socket.getaddrinfo", ("api.example.com", 443, 0, 0, 0), 4000)
    yield Row("recorded: program", "subprocess.Popen", ("git", ["git", "status", "-s"], None, None), 4000)
    yield Row("recorded: file, policy", "open", (inside, "r", reading), 4000, policy)


def cost(event: str, arguments: tuple[object, ...], repeats: int) -> float:
    """Return the microseconds that one event takes."""
    audit = sys.audit
    begin = time.perf_counter()
    for _ in range(repeats):
        audit(event, *arguments)
    return (time.perf_counter() - begin) / repeats * 1e6


def bare(row: Row) -> float:
    """Return the microseconds of an event that no hook hears: to be asked before there is one, as it stays."""
    return min(cost(row.event, row.arguments, row.repeats) for _ in range(ROUNDS))


def watched(row: Row, socket_path: str) -> float:
    """Return the microseconds of an event that the sensor hears, the best of some rounds, within a span."""
    times: list[float] = []
    with trace.get_tracer("benchmark").start_as_current_span("operation"):
        sensor.start(("files", "network", "processes"), socket_path, policy=row.policy)
        for _ in range(ROUNDS):
            times.append(cost(row.event, row.arguments, row.repeats))
            sensor.flush(10)  # sending is another thread's work, but takes the same interpreter's time
        if sensor.lost():
            raise SystemExit(f"{row.what}: {sensor.lost()} events were dropped")
    return min(times)


@contextlib.contextmanager
def receiver(path: str) -> Iterator[None]:
    """Take requests on a Unix socket, in a process of its own, and say ok to each."""
    process = subprocess.Popen([sys.executable, __file__, "receive", path], stdin=subprocess.PIPE)
    try:
        while not Path(path).exists():
            time.sleep(0.01)
        yield
    finally:
        process.communicate(timeout=10)


def receive(path: str) -> None:
    """Be the receiver, until standard input ends."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    _in_thread(lambda: _accept(listener))
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        _in_thread(lambda: _answer(connection))  # noqa: B023 - it starts at once


def _answer(connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines:
        for _ in lines:
            connection.sendall(_OK)


def _in_thread(target: Callable[[], None]) -> None:
    threading.Thread(target=target, daemon=True).start()


def main() -> None:
    """Print the table."""
    trace.set_tracer_provider(TracerProvider())
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "data.csv").touch()
        path = str(Path(directory, "queue.sock"))
        table = list(rows(directory))
        unheard = [bare(row) for row in table]
        print("| event | us the hook adds |")
        print("| --- | ---: |")
        with receiver(path):
            for row, without in zip(table, unheard, strict=True):
                print(f"| {row.what} | {watched(row, path) - without:.2f} |", flush=True)
            sensor.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        receive(sys.argv[2])
    else:
        main()
