"""What stands for Anthropic, Bedrock and Vertex AI on loopback: answers each request as it asks, or as a test says."""

from __future__ import annotations

import contextlib
import json
import re
import struct
import threading
from base64 import b64encode
from binascii import crc32
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

Json = dict[str, Any]

_AMAZON = "application/vnd.amazon.eventstream"

TEXT = {"type": "text", "text": '{"city": "Paris"}'}
THINKING = {"type": "thinking", "thinking": "France. Its capital.", "signature": "EqQBCkYIBxgCKkBA"}
TOOL_USE = {"type": "tool_use", "id": "toolu_01", "name": "weather", "input": {"city": "Paris", "days": 2}}
USAGE = {
    "input_tokens": 11,
    "cache_read_input_tokens": 5,
    "cache_creation_input_tokens": 3,
    "output_tokens": 7,
    "service_tier": "standard",
}


class Received(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Json


class Reply(NamedTuple):
    """How one request is answered.

    Args:
        content: the blocks of the message.
        stop_reason: why it ended.
        status: of HTTP; one above 399 has `error` as its body.
        error: the error object, of an answer that fails, or in the stream after `events` events.
        events: how many events of a stream come; all, where None.
        then: what follows them: "end", "error", "disconnect", or "wait" for the server's end.
        headers: more of them.
    """

    content: tuple[Json, ...] = (THINKING, TEXT)
    stop_reason: str = "end_turn"
    status: int = 200
    error: Json | None = None
    events: int | None = None
    then: str = "end"
    headers: dict[str, str] = {}


class AnthropicServer:
    """Listens on loopback; `replies` are used up in order, after that each request is answered with a message."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = deque(replies)
        self.requests: list[Received] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def message(reply: Reply, model: str) -> Json:
    """Return the message of a reply."""
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(reply.content),
        "stop_reason": reply.stop_reason,
        "stop_sequence": None,
        "usage": USAGE,
    }


def events(reply: Reply, model: str) -> list[Json]:
    """Return the events of a reply, the text of each block in two deltas."""
    whole = message(reply, model)
    start = {**whole, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}}
    found: list[Json] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(reply.content):
        begun, deltas = _taken_apart(block)
        found.append({"type": "content_block_start", "index": index, "content_block": begun})
        found += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        found.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": reply.stop_reason, "stop_sequence": None}
    found.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": USAGE["output_tokens"]}})
    return [*found, {"type": "message_stop"}]


def _taken_apart(block: Json) -> tuple[Json, list[Json]]:
    if block["type"] == "text":
        deltas = [{"type": "text_delta", "text": piece} for piece in _halves(block["text"])]
        return {**block, "text": ""}, deltas
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _halves(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {**block, "thinking": "", "signature": ""}, deltas
    if block["type"] == "tool_use":
        pieces = ["", *_halves(json.dumps(block["input"]))]
        return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def _halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def server_sent(event: Json) -> bytes:
    """Return an event as Anthropic and Vertex AI send it."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def amazon_frame(event: Json) -> bytes:
    """Return an event as Bedrock sends it (AWS event stream encoding); one of an error is an exception frame."""
    if event["type"] == "error":
        headers = {":message-type": "exception", ":exception-type": "throttlingException"}
        payload = json.dumps({"message": event["error"]["message"]}).encode()
    else:
        headers = {":message-type": "event", ":event-type": "chunk"}
        inner = b64encode(json.dumps(event, separators=(",", ":")).encode()).decode()
        payload = json.dumps({"bytes": inner, "p": "abcdef"}).encode()
    headers[":content-type"] = "application/json"
    written = b"".join([_header(name, value) for name, value in headers.items()])
    prelude = struct.pack("!II", 16 + len(written) + len(payload), len(written))
    frame = prelude + struct.pack("!I", crc32(prelude)) + written + payload
    return frame + struct.pack("!I", crc32(frame))


def _header(name: str, value: str) -> bytes:
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()


def _handler(server: AnthropicServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            server.requests.append(Received(self.path, {name.lower(): of for name, of in self.headers.items()}, body))
            reply = server.replies.popleft() if server.replies else Reply()
            with contextlib.suppress(ConnectionError):
                self._answer(reply, body)

        def _answer(self, reply: Reply, body: Json) -> None:
            amazon = self.path.endswith("/invoke-with-response-stream")
            model = body.get("model") or re.sub(r".*/models?/|[/:].*", "", self.path)
            if reply.status >= 400:
                error = {"type": "error", "error": reply.error or {"type": "api_error", "message": "Oops"}}
                self._send(reply, json.dumps(error).encode())
            elif self.path.startswith("/v1/complete"):
                self._complete(reply, body)
            elif amazon or body.get("stream"):
                frames = map(amazon_frame if amazon else server_sent, self._events(reply, model))
                self._stream(reply, frames, _AMAZON if amazon else "text/event-stream")
            else:
                if reply.then == "wait":
                    server.released.wait(30)
                self._send(reply, json.dumps(message(reply, model)).encode())

        def _complete(self, reply: Reply, body: Json) -> None:
            said = {"type": "completion", "id": "compl_01", "model": body["model"]}
            pieces = ["Pa", "ris"] if body.get("stream") else ["Paris"]
            answers = [{**said, "completion": piece, "stop_reason": None} for piece in pieces]
            answers[-1]["stop_reason"] = "stop_sequence"
            if body.get("stream"):
                self._stream(reply, map(server_sent, answers), "text/event-stream")
            else:
                self._send(reply, json.dumps(answers[0]).encode())

        def _events(self, reply: Reply, model: str) -> Iterator[Json]:
            yield from events(reply, model)[: reply.events]
            if reply.then == "error":
                yield {"type": "error", "error": reply.error}

        def _send(self, reply: Reply, content: bytes) -> None:
            self._head(reply, "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _stream(self, reply: Reply, frames: Iterator[bytes], content_type: str) -> None:
            self._head(reply, content_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for frame in frames:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(frame), frame))
                self.wfile.flush()
            if reply.then == "disconnect":
                frame = (amazon_frame if content_type == _AMAZON else server_sent)({"type": "ping"})
                self.wfile.write(b"%x\r\n%s" % (len(frame), frame[:20]))
                self.close_connection = True
                return
            if reply.then == "wait":
                server.released.wait(30)
            self.wfile.write(b"0\r\n\r\n")

        def _head(self, reply: Reply, content_type: str) -> None:
            self.send_response(reply.status)
            self.send_header("content-type", content_type)
            self.send_header("request-id", "req_01")
            for name, value in reply.headers.items():
                self.send_header(name, value)

    return Handler
