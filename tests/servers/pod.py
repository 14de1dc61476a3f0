"""A pod's queue socket: takes envelopes as the runtime does, and misbehaves on request."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import struct
import tempfile
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from aotel.envelopes import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import msgspec
    from typing_extensions import Self

Json: TypeAlias = "dict[str, object]"

_LONGEST_PATH = 100  # of a Unix socket, on every system
_LINE = 8 << 20


class PodServer:
    """Listens on a Unix socket and keeps what it is sent.

    Args:
        directory: where the socket is made; in a directory of its own if that path is too long for a socket.
        replies: how the first requests (not counting `hello`) are answered; after that it is "ok". One of
            "ok", "rate_limited", "error", "garbage" (no JSON), "partial" (half a reply, then closes), "oversize",
            "close" (closes without a reply), "silence" (never answers), "slow" (answers after 0.3 s),
            "reject" (of a batch, the first envelope; of a single request, the envelope),
            or the bytes of a reply, its line end included.
        keep: whether a connection may carry several requests; otherwise it is closed after each reply.
        hello: whether it knows `hello`; otherwise it answers with an error, or as "hello_reply" says.
        batches: whether it takes `agent_coat_batch`, and says so.
        hello_reply: how `hello` is answered instead, one of `replies`.
        retry_after: seconds that "rate_limited" asks for, if any.
        lifetime: seconds after which it stops by itself.
    """

    def __init__(
        self,
        directory: Path,
        *,
        replies: Iterable[str | bytes] = (),
        keep: bool = True,
        hello: bool = True,
        batches: bool = True,
        hello_reply: str | None = None,
        retry_after: float | None = None,
        lifetime: float = 60.0,
    ) -> None:
        self._own_directory: str | None = None
        self.path = str(directory / "queue.sock")
        if len(self.path) > _LONGEST_PATH:
            self._own_directory = tempfile.mkdtemp(prefix="pod")
            self.path = os.path.join(self._own_directory, "queue.sock")  # noqa: PTH118  a string is what is needed
        self.replies: deque[str | bytes] = deque(replies)
        self._keep = keep
        self._hello = hello
        self._batches = batches
        self._hello_reply = hello_reply
        self._retry_after = retry_after
        self._lifetime = lifetime
        self.requests: list[Json] = []
        """Every request as it came, `hello` too."""
        self.envelopes: list[Json] = []
        """The envelopes that were answered with "ok", in order."""
        self.senders: list[int] = []
        """The process id that sent each of `envelopes`, by the kernel's word."""
        self.received = bytearray()
        """Every byte that came."""
        self.connections = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()

    @property
    def types(self) -> list[str]:
        """The types of all requests, in order."""
        return [str(request.get("type")) for request in self.requests]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._own_directory is not None:
            shutil.rmtree(self._own_directory, ignore_errors=True)

    def start(self) -> None:
        """Listen; also again, after `stop`."""
        self._stopping = threading.Event()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(self.path)
        listener.listen(64)
        listener.settimeout(0.05)
        self._run(self._accept, listener, self._stopping)

    def stop(self) -> None:
        """Close everything and remove the socket."""
        self._stopping.set()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._threads.clear()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)  # noqa: PTH108  as above

    def wait_for(self, envelopes: int, timeout: float = 10.0) -> list[Json]:
        """Return the envelopes as soon as there are that many.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.envelopes) >= envelopes, timeout):
                raise TimeoutError(f"{len(self.envelopes)} envelopes of {envelopes} after {timeout} s")
            return list(self.envelopes)

    def _run(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, stopping: threading.Event) -> None:
        deadline = time.monotonic() + self._lifetime
        with listener:
            while not stopping.is_set() and time.monotonic() < deadline:
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    self.connections += 1
                    connection.settimeout(self._lifetime)
                    self._open.add(connection)
                    self._run(self._serve, connection, stopping)

    def _serve(self, connection: socket.socket, stopping: threading.Event) -> None:
        sender = _peer(connection)
        # Closed by hand: `makefile` would keep the connection open.
        try:
            pending = b""
            while not stopping.is_set() and len(pending) < _LINE:
                line, end, rest = pending.partition(b"\n")
                if not end:
                    chunk = connection.recv(1 << 16)
                    if not chunk:
                        return
                    self.received += chunk
                    pending += chunk
                    continue
                pending = rest
                if not self._answer(connection, line, sender, stopping):
                    return
        except OSError:
            pass  # the client went away, or the server was stopped
        finally:
            self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, line: bytes, sender: int, stopping: threading.Event) -> bool:
        """Answer one request; return whether to read another from this connection."""
        with self._changed:
            self.requests.append(json.loads(line))
            reply = self._next_reply(line)
        if reply == "silence":
            stopping.wait(self._lifetime)
            return False
        if reply == "close":
            return False
        if reply == "slow":
            stopping.wait(0.3)
            reply = "ok"
        connection.sendall(reply if isinstance(reply, bytes) else self._carry_out(reply, line, sender))
        return self._keep and reply != "partial"

    def _next_reply(self, line: bytes) -> str | bytes:
        request = protocol.decode_request(line)
        if isinstance(request, protocol.Hello):
            return self._hello_reply or ("ok" if self._hello else "error")
        if isinstance(request, protocol.AgentCoatBatch) and not self._batches:
            return "error"
        return self.replies.popleft() if self.replies else "ok"

    def _carry_out(self, reply: str, line: bytes, sender: int) -> bytes:
        odd = {
            "rate_limited": protocol.encode(protocol.RateLimited(self._retry_after)),
            "error": protocol.encode(protocol.Refused("not in the mood")),
            "garbage": b"\x00<html>\xff\n",
            "partial": b'{"status":"o',
            "oversize": b'{"status":"ok","action":"' + b"x" * (2 << 20) + b'"}\n',
        }
        return odd[reply] if reply in odd else protocol.encode(self._take(reply, line, sender))

    def _take(self, reply: str, line: bytes, sender: int) -> protocol.Answer:
        request = protocol.decode_request(line)
        if isinstance(request, protocol.Hello):
            return protocol.HelloOk("test", "0", [protocol.BATCH_FEATURE] if self._batches else [])
        if isinstance(request, protocol.AgentCoat):
            if reply == "reject":
                return protocol.Refused("rejected")
            self._keep_envelopes([request.envelope], sender)
            return protocol.Ok("agent_coat")
        rejected = [protocol.Rejection(0, "rejected")] if reply == "reject" else []
        taken = request.envelopes[len(rejected) :]
        self._keep_envelopes(taken, sender)
        return protocol.BatchOk(len(taken), 0, rejected)

    def _keep_envelopes(self, envelopes: list[msgspec.Raw], sender: int) -> None:
        with self._changed:
            self.envelopes.extend(json.loads(bytes(envelope)) for envelope in envelopes)
            self.senders.extend(sender for _ in envelopes)
            self._changed.notify_all()


def _peer(connection: socket.socket) -> int:
    if not hasattr(socket, "SO_PEERCRED"):  # not on macOS
        return 0
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])
