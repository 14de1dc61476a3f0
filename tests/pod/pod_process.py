"""`aotel pod` in a process of its own, and clients that speak to its sockets in plain bytes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

Json: TypeAlias = "dict[str, object]"

_STARTING = 30.0  # seconds
_STOPPING = 15.0


class PodProcess:
    """A pod that is started as its users start it.

    Args:
        directory: the pod's; None for one of its own in the system's temporary directory.
        options: more options of the command line.
        environment: more variables.
    """

    def __init__(self, directory: Path | None = None, *options: str, environment: dict[str, str] | None = None) -> None:
        self._own = None if directory else tempfile.mkdtemp(prefix="pod")
        self.directory = directory or Path(self._own or "")
        self.queue = str(self.directory / "queue.sock")
        self.identity = str(self.directory / "identity.sock")
        self.control = str(self.directory / "control.sock")
        self.log = self.directory / "audit.jsonl"
        self._options = options
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._stderr.close()
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; return when it is ready."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aotel.cli", "pod", "--dir", str(self.directory), *self._options],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self._environment},
        )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], _STARTING)
        said = self._process.stdout.readline() if readable else b"(nothing)"
        assert said == b"READY\n", f"the pod said {said!r}\n{self.said()}"

    def said(self) -> str:
        """Return what it has written to its standard error."""
        self._stderr.seek(0)
        return self._stderr.read().decode("utf-8", "replace")

    def stop(self) -> int:
        """Stop it as a service manager does, and return its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def memory(self) -> int:
        """Return the bytes of memory that it has now."""
        found: int = psutil.Process(self.pid).memory_info().rss
        return found

    def peak(self) -> int:
        """Return the most bytes of memory that it has had, where the system tells; else what it has now."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
        return self.memory()

    def entries(self, action: str | None = None) -> list[Json]:
        """Return what is in its log, in order, rotated files too."""
        rotated = sorted(self.directory.glob("audit.jsonl.[0-9]*"), key=lambda path: int(path.suffix[1:]))
        found = [json.loads(line) for path in [*rotated, self.log] for line in path.read_bytes().splitlines()]
        return [entry for entry in found if action in (None, entry["action"])]

    def envelopes(self) -> list[Json]:
        """Return the envelopes in its log."""
        return [json.loads(str(entry["detail"])) for entry in self.entries("agent_coat")]

    def wait_for_entries(self, number: int, action: str, timeout: float = 15.0) -> list[Json]:
        """Return the entries of an action as soon as there are that many."""
        wait_until(lambda: self.log.exists() and len(self.entries(action)) >= number, timeout, f"{number} of {action}")
        return self.entries(action)

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        with process:
            process.send_signal(number)
            try:
                return process.wait(_STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


class Client:
    """A connection to one of the pod's sockets.

    Args:
        path: the socket's.
        timeout: seconds to wait for anything.
    """

    def __init__(self, path: str, timeout: float = 20.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except BlockingIOError:  # its queue of connections is full
                assert time.monotonic() < deadline, "the pod takes no connections"
                time.sleep(0.005)
            except OSError:
                self.socket.close()
                raise
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it."""
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def receive(self) -> Json:
        """Return the next reply."""
        while b"\n" not in self._received:
            chunk = self.socket.recv(1 << 16)
            if not chunk:
                raise ConnectionResetError("the pod closed the connection")
            self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        found: Json = json.loads(line)
        return found

    def ask(self, request: object) -> Json:
        """Send a request as a line of JSON, and return the reply."""
        self.send(json.dumps(request).encode() + b"\n")
        return self.receive()

    def is_quiet(self, seconds: float = 0.2) -> bool:
        """Say whether nothing more comes."""
        readable, _, _ = select.select([self.socket], [], [], seconds)
        return not self._received and not readable


def ask(path: str, *requests: object) -> list[Json]:
    """Return the replies to requests over one connection."""
    with contextlib.closing(Client(path)) as client:
        return [client.ask(request) for request in requests]


def envelope(producer: str = "p_0000000000000001", number: int = 0, **changed: object) -> Json:
    """Return an envelope that no other has the producer and number of."""
    span = f"{number // 2:016x}"
    return {
        "spec": "aotp/0.1",
        "kind": "agent.tool.result" if number % 2 else "agent.tool.call",
        "ts": "2026-04-14T01:30:00.123Z",
        "producer": producer,
        "seq": number % 2,
        "ids": {
            "session_id": "sess_1",
            "run_id": "run_a3ce929d0e0e4736",
            "step_id": f"step_{span}",
            "trace_id": "tr_4bf92f3577b34da6a3ce929d0e0e4736",
            "span_id": f"sp_{span}",
            "parent_span_id": "",
        },
        "subject": {"agent_id": "", "agent_role": "", "framework": "test", "framework_version": "0"},
        "capture": {"mode": "none", "content": "redacted"},
        "payload": {"fn": "work", "result_preview": "ok", "captured": {}, "duration_ms": 1.0, "ok": True},
        "envpod": {"pod_id": "", "pid": os.getpid()},
        **changed,
    }


def batch(envelopes: Iterable[Json]) -> Json:
    """Return the request that carries envelopes."""
    return {"type": "agent_coat_batch", "envelopes": list(envelopes)}


def wait_until(condition: Callable[[], bool], timeout: float = 15.0, what: str = "what was expected") -> None:
    """Return as soon as a condition holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"no {what} after {timeout} s"
        time.sleep(0.01)
