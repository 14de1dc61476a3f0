"""A scriptable HTTP/1.1 server on loopback: answers as it is told, keeps what it is asked, and hangs up on request.

with ScriptedServer(lambda request: Reply(200, {"content-type": "application/json"}, b"{}")) as server:
    server.next(Reply(503), DISCONNECT)  # how the next two requests are answered; then it is the function's turn
    ...
    assert [request.path for request in server.requests] == ["/v1/models"] * 3
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

_LONGEST_PAUSE: Final = 1.0  # seconds
_SOCKET_TIMEOUT: Final = 30  # seconds
_JSON: Final = {"content-type": "application/json"}


class Disconnect(Enum):
    """The connection is closed where this stands: in place of a reply, or in the middle of its body."""

    DISCONNECT = "disconnect"


DISCONNECT: Final = Disconnect.DISCONNECT
Piece: TypeAlias = "bytes | float | Disconnect"


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Args:
        number: counts the requests of a server, from 1.
        method: in capitals.
        path: as it is on the wire (percent-encoded), without the query.
        query: the last value of each parameter.
        headers: names in lower case.
        body: what it says in JSON; None if it doesn't.
        content: the bytes of the body.
    """

    number: int
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    content: bytes


@dataclass(frozen=True)
class Reply:
    """An answer.

    Args:
        status: of HTTP.
        headers: without those that say how the body is framed.
        body: bytes are sent with Content-Length. An iterable is sent chunked, one chunk for each of its bytes objects;
            a number is a pause of as many seconds, of one at most; `DISCONNECT` ends it without the last chunk.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[Piece] = b""


def json_reply(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an answer in JSON.

    Args:
        data: what it says.
        status: of HTTP.
        headers: more of them.
    """
    return Reply(status, {**_JSON, **(headers or {})}, dumps(data))


def not_json() -> Reply:
    """200 with a page of HTML, as a proxy answers that knows better."""
    page = b"<!doctype html><html><head><title>Sign in</title></head><body>Sign in to continue.</body></html>"
    return Reply(200, {"content-type": "text/html; charset=utf-8"}, page)


def dumps(data: object) -> bytes:
    """Return JSON as the providers write it: compact, in UTF-8."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def sse(data: object, event: str | None = None) -> bytes:
    """Return a server-sent event.

    Args:
        data: what it carries as JSON; a string as it is.
        event: its name, if it has one.
    """
    name = b"" if event is None else b"event: %s\n" % event.encode()
    return b"%sdata: %s\n\n" % (name, data.encode() if isinstance(data, str) else dumps(data))


class ScriptedServer:
    """Listens on a free port of loopback as long as its `with` block lasts.

    Args:
        handle: answers a request, in a thread of its own. What it raises is raised again at the end of the block.
        lifetime: seconds after which it stops by itself.
        limit: requests that it answers; on the next one it hangs up.
    """

    def __init__(self, handle: Callable[[Request], Reply], *, lifetime: float = 60.0, limit: int = 10_000) -> None:
        self.requests: list[Request] = []
        """Every request, those too that were answered by `next`."""
        self.connections = 0
        self.problems: list[Exception] = []
        """What `handle`, or the body of a reply, raised."""
        self._handle = handle
        self._limit = limit
        self._lifetime = lifetime
        self._next: deque[Reply | Disconnect] = deque()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._server: _Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def next(self, *replies: Reply | Disconnect) -> None:
        """Answer the next requests with these, in order; `DISCONNECT` is none at all."""
        self._next.extend(replies)

    def wait_for_requests(self, number: int, timeout: float = 10.0) -> list[Request]:
        """Return the requests as soon as there are that many.

        Raises:
            TimeoutError: there are fewer after `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= number, timeout):
                raise TimeoutError(f"{len(self.requests)} requests of {number} after {timeout} s")
            return list(self.requests)

    def common_headers(self, request: Request) -> dict[str, str]:
        """Return the headers that every answer has, unless it says otherwise."""
        del request
        return {}

    def __enter__(self) -> Self:
        server = _Server(self)
        self._server = server
        self.port = server.server_address[1]
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self._ending = threading.Timer(self._lifetime, self.stop)
        self._ending.daemon = True
        self._ending.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.stop()
        if error is None and self.problems:
            raise self.problems[0]

    def stop(self) -> None:
        """Close every connection and stop listening."""
        with self._changed:
            server, self._server = self._server, None
        if server is None:
            return
        self._ending.cancel()
        self._stopping.set()
        server.shutdown()
        server.server_close()
        with self._changed:
            for connection in self._open:
                _hang_up(connection)
        self._thread.join(5)

    def _serve(self, handler: _Handler) -> None:
        request = self._note(handler)
        if request is None:
            handler.hang_up()
            return
        try:
            reply: Reply | Disconnect = self._next.popleft()
        except IndexError:
            reply = self._answer(request)
        if isinstance(reply, Disconnect):
            handler.hang_up()
        else:
            handler.send(reply, {**self.common_headers(request), **_lower(reply.headers)}, self._stopping)

    def _answer(self, request: Request) -> Reply:
        try:
            return self._handle(request)
        except Exception as problem:  # noqa: BLE001  the test is to fail with it, see `__exit__`
            self.problems.append(problem)
            return Reply(500, {"content-type": "text/plain"}, repr(problem).encode())

    def _note(self, handler: _Handler) -> Request | None:
        content = handler.content()
        path, _, query = handler.path.partition("?")
        headers = _lower(dict(handler.headers.items()))
        with self._changed:
            number = len(self.requests) + 1
            if number > self._limit:
                return None
            request = Request(number, handler.command, path, dict(parse_qsl(query)), headers, _json(content), content)
            self.requests.append(request)
            self._changed.notify_all()
        return request


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection

    def __init__(self, owner: ScriptedServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client went away


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _SOCKET_TIMEOUT
    disable_nagle_algorithm = True  # head and body are two packets: the second would wait for the client's ACK
    server: _Server

    def setup(self) -> None:
        super().setup()
        owner = self.server.owner
        with owner._changed:
            owner.connections += 1
            owner._open.add(self.connection)

    def finish(self) -> None:
        with self.server.owner._changed:
            self.server.owner._open.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_POST(self) -> None:
        try:
            self.server.owner._serve(self)
        except OSError:  # the client went away
            self.close_connection = True
        except Exception as problem:  # noqa: BLE001  as in `_answer`; a body may be made while it is sent
            self.server.owner.problems.append(problem)
            self.hang_up()

    do_GET = do_PUT = do_PATCH = do_DELETE = do_POST

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class' name
        pass

    def content(self) -> bytes:
        """Return the body of the request."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline(100).partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline(2)
        return chunk

    def send(self, reply: Reply, headers: Mapping[str, str], stopping: threading.Event) -> None:
        """Send an answer; `stopping` ends it at its next pause."""
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self._send_pieces(reply.body, stopping)

    def _send_pieces(self, pieces: Iterable[Piece], stopping: threading.Event) -> None:
        for piece in pieces:
            if isinstance(piece, Disconnect):
                self.hang_up()
                return
            if isinstance(piece, bytes):
                if piece:  # an empty chunk is the last one
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            elif stopping.wait(min(piece, _LONGEST_PAUSE)):
                self.hang_up()
                return
        self.wfile.write(b"0\r\n\r\n")

    def hang_up(self) -> None:
        """Close the connection. What was sent arrives: unlike a reset, it always does."""
        self.close_connection = True
        _hang_up(self.connection)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
