"""Between a program and a model's server: passes everything on, and keeps what both said."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing_extensions import Self

_HOP = {"connection", "transfer-encoding", "content-length", "host", "accept-encoding"}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Attributes:
        request: the request's body.
        answer: the answer's body as it went over the wire.
        status: of HTTP.
    """

    request: dict[str, Any]
    answer: bytes
    status: int

    @property
    def events(self) -> list[dict[str, Any]]:
        """The answer as objects: one, or those of a stream."""
        text = self.answer.decode()
        if not text.startswith(("data:", "event:")):
            return [json.loads(text)]
        data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
        return [json.loads(line) for line in data if line != "[DONE]"]

    @property
    def usage(self) -> dict[str, Any]:
        """What the provider says that it counted, in the answer or in whichever events of a stream."""
        found: dict[str, Any] = {}
        for event in self.events:
            for holder in (event, event.get("response"), event.get("message")):
                found |= (holder or {}).get("usage") or {}
        return found

    @property
    def message(self) -> dict[str, Any]:
        """The answer of a chat: its text, and its tool calls with their arguments, also where it came in pieces."""
        content, calls = "", dict[int, dict[str, str]]()
        for event in self.events:
            for choice in event["choices"]:
                piece = choice.get("message") or choice["delta"]
                content += piece.get("content") or ""
                for place, call in enumerate(piece.get("tool_calls") or ()):
                    kept = calls.setdefault(call.get("index", place), {"id": "", "name": "", "arguments": ""})
                    kept["id"] += call.get("id") or ""
                    kept["name"] += call["function"].get("name") or ""
                    kept["arguments"] += call["function"].get("arguments") or ""
        return {"content": content, "calls": list(calls.values())}


class Wiretap:
    """The proxy, for as long as a `with` block runs.

    Args:
        upstream: the address of the server, such as `http://127.0.0.1:8000`; its path is kept.

    Attributes:
        exchanges: what went by, in the order in which answers ended.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self.exchanges: list[Exchange] = []
        self._path = parts.path
        tap, address = self, (parts.hostname or "", parts.port)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                connection = HTTPConnection(*address, timeout=60)
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.end_headers()
                kept = b""
                while piece := answer.read1(65536):
                    kept += piece
                    self.wfile.write(piece)
                    self.wfile.flush()
                connection.close()
                tap.exchanges.append(Exchange(json.loads(body), kept, answer.status))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """What a client takes in place of the server's address."""
        return f"http://127.0.0.1:{self._server.server_port}{self._path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
