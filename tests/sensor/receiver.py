"""A pod's queue socket as the sensor needs it: takes `activity`, and misbehaves on request."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aotel.envelopes import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

Event = dict[str, Any]


class Receiver:
    """Listens on a Unix socket and keeps the events it is sent.

    Args:
        replies: how the first requests are answered; after that it is "ok". One of "ok", "refuse", "wait" (rate limited
            for a moment), "close" (takes the events, and closes without a reply), "silence" (never answers).
        listening: whether it listens from the beginning.
    """

    def __init__(self, replies: Iterable[str] = (), *, listening: bool = True) -> None:
        self._directory = tempfile.mkdtemp(prefix="pod")  # short: a socket's path has about 100 bytes
        self.path = str(Path(self._directory, "queue.sock"))
        self.replies = deque(replies)
        self.events: list[Event] = []
        self.requests: list[int] = []
        """How many events each request had."""
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._listening = listening
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        if self._listening:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        shutil.rmtree(self._directory)

    def start(self) -> None:
        """Listen."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen(64)
        listener.settimeout(0.05)
        self._run(lambda: self._accept(listener))

    def of(self, action: str, **fields: object) -> list[Event]:
        """Return the events of an action whose fields are as given."""
        with self._changed:
            return [
                event
                for event in self.events
                if event["action"] == action and all(event.get(name) == value for name, value in fields.items())
            ]

    def wait_for(self, condition: Callable[[Receiver], object], timeout: float = 10.0) -> None:
        """Return as soon as a condition holds.

        Raises:
            TimeoutError: it doesn't after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self), timeout):
                raise TimeoutError(f"after {timeout} s there is {self.events!r:.2000}")

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    connection.settimeout(30)
                    self._open.add(connection)
                    self._run(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        pending = b""
        try:
            while not self._stopping.is_set():
                line, end, rest = pending.partition(b"\n")
                if not end:
                    chunk = connection.recv(1 << 16)
                    if not chunk:
                        return
                    pending += chunk
                    continue
                pending = rest
                reply = self._take(line)
                if reply is None:
                    return
                connection.sendall(reply)
        except OSError:
            pass  # the client went away, or the server was stopped
        finally:
            self._open.discard(connection)
            connection.close()

    def _take(self, line: bytes) -> bytes | None:
        assert len(line) < protocol.MAX_LINE
        request = protocol.decode_queue_request(line)
        assert isinstance(request, protocol.Activity)
        with self._changed:
            how = self.replies.popleft() if self.replies else "ok"
            self.requests.append(len(request.events))
            if how in {"ok", "close"}:
                self.events += [json.loads(bytes(event)) for event in request.events]
            self._changed.notify_all()
        if how == "silence":
            self._stopping.wait(30)
        answers = {
            "ok": protocol.encode(protocol.Ok("activity")),
            "refuse": protocol.encode(protocol.Refused("unknown request activity")),
            "wait": protocol.encode(protocol.RateLimited(0.1)),
        }
        return answers.get(how)
