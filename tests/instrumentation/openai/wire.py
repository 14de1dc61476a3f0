"""OpenAI's API on loopback: answers as the real one does, echoing what it was told, or as a test says."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

CHAT_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 12,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 2},
}
RESPONSES_USAGE = {
    "input_tokens": 30,
    "output_tokens": 12,
    "total_tokens": 42,
    "input_tokens_details": {"cached_tokens": 16},
    "output_tokens_details": {"reasoning_tokens": 7},
}
EMBEDDINGS_USAGE = {"prompt_tokens": 8, "total_tokens": 8}


class Request(NamedTuple):
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Exchange:
    """One request, and what a script answers to it.

    Attributes:
        request: what was asked.
    """

    def __init__(self, handler: BaseHTTPRequestHandler, request: Request) -> None:
        self.request = request
        self._handler = handler

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        """Answer in one piece; of a header's name, `_` is `-`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._head(status, {"content_type": "application/json", "content_length": str(len(data)), **headers})
        self._handler.wfile.write(data)

    def start(self, status: int = 200, **headers: str) -> None:
        """Begin a stream."""
        self._head(status, {"content_type": "text/event-stream", "transfer_encoding": "chunked", **headers})

    def write(self, data: bytes) -> None:
        """Write a piece of a stream."""
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self._handler.wfile.flush()

    def send(self, *events: Any) -> None:
        """Write events of a stream, each a piece."""
        for event in events:
            self.write(sse(event))

    def end(self) -> None:
        """End a stream as it should."""
        self._handler.wfile.write(b"0\r\n\r\n")

    def drop(self) -> None:
        """Let go of the connection, with a reset."""
        linger = struct.pack("ii", 1, 0)
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._handler.close_connection = True
        self._handler.connection.close()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self._handler.send_response(status)
        for name, value in {"x_request_id": "req_1", **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()


class OpenAiWire:
    """The server; a context manager.

    Attributes:
        requests: what arrived, in order.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._scripts: deque[Callable[[Exchange], None]] = deque()
        self._always: Callable[[Exchange], None] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *scripts: Callable[[Exchange], None], always: Callable[[Exchange], None] | None = None) -> None:
        """Say how the next requests are answered, and all after them."""
        self._scripts.extend(scripts)
        self._always = always

    def clear(self) -> None:
        """Answer as the real one again."""
        self._scripts.clear()
        self._always = None
        self.requests.clear()

    def __enter__(self) -> Self:
        wire = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def setup(self) -> None:
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def do_POST(self) -> None:
                self._answer()

            def do_GET(self) -> None:
                self._answer()

            def _answer(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}")
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body)
                wire.requests.append(request)
                script = wire._scripts.popleft() if wire._scripts else (wire._always or answer_like_openai)
                with contextlib.suppress(OSError):
                    script(Exchange(self, request))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 512

            def handle_error(self, request: object, client_address: object) -> None:
                pass  # the client went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def sse(event: Any) -> bytes:
    """Return a server-sent event; one with a type says so in a line of its own."""
    if isinstance(event, bytes):
        return event
    data = event if isinstance(event, str) else json.dumps(event)
    kind = event.get("type") if isinstance(event, dict) else None
    named = f"event: {kind}\n" if isinstance(kind, str) else ""
    return f"{named}data: {data}\n\n".encode()


def answer_like_openai(exchange: Exchange) -> None:
    """Answer a request as OpenAI does."""
    path, body = exchange.request.path, exchange.request.body
    if "/embeddings" in path:
        exchange.answer(embeddings())
    elif "/responses" in path:
        said = response(said_of(body), str(body.get("model", "m")))
        if body.get("stream") or "stream=true" in path:
            stream(exchange, response_events(said))
        else:
            exchange.answer(said)
    elif "/completions" not in path:
        exchange.answer({})
    else:
        legacy = not path.partition("?")[0].endswith("/chat/completions")
        if body.get("stream"):
            asked = (body.get("stream_options") or {}).get("include_usage")
            stream(exchange, [*chunks(said_of(body), str(body["model"]), usage=bool(asked), legacy=legacy), "[DONE]"])
        else:
            exchange.answer((text_completion if legacy else completion)(said_of(body), str(body["model"])))


def stream(exchange: Exchange, events: Iterable[Any], pause: float = 0.0) -> None:
    """Stream events, to the end."""
    exchange.start()
    for event in events:
        exchange.send(event)
        if pause:
            time.sleep(pause)
    exchange.end()


def said_of(body: dict[str, Any]) -> str:
    """Return what the last message says: the answer repeats it."""
    asked = body.get("messages") or body.get("input") or body.get("prompt") or "nothing"
    if isinstance(asked, list):
        asked = asked[-1].get("content") if isinstance(asked[-1], dict) else asked[-1]
    wants_json = "json" in json.dumps([body.get("response_format"), body.get("text")])
    return '{"word":"yes"}' if wants_json else f"echo {asked}"


def completion(said: str, model: str = "m", **message: Any) -> dict[str, Any]:
    """Return a chat completion."""
    answer = {"role": "assistant", "content": said, "refusal": None, **message}
    reason = "tool_calls" if "tool_calls" in message else "stop"
    choice = {"index": 0, "message": answer, "finish_reason": reason, "logprobs": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": f"{model}-2026",
        "choices": [choice],
        "usage": CHAT_USAGE,
        "system_fingerprint": "fp_1",
        "service_tier": "default",
    }


def text_completion(said: str, model: str = "m") -> dict[str, Any]:
    """Return a text completion."""
    choice = {"index": 0, "text": said, "finish_reason": "stop", "logprobs": None}
    about = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": f"{model}-2026"}
    return {**about, "choices": [choice], "usage": CHAT_USAGE}


def chunks(said: str, model: str = "m", *, usage: bool = False, legacy: bool = False) -> list[Any]:
    """Return the chunks of a chat or text completion, with the one that counts tokens where it was asked for."""
    kind = "text_completion" if legacy else "chat.completion.chunk"
    about = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": f"{model}-2026"}

    def chunk(piece: str | None, reason: str | None = None) -> dict[str, Any]:
        said = {"text": piece or ""} if legacy else {"delta": {} if piece is None else {"content": piece}}
        return {**about, "choices": [{"index": 0, **said, "finish_reason": reason, "logprobs": None}]}

    first = chunk("")
    if not legacy:
        first["choices"][0]["delta"]["role"] = "assistant"
    middle = len(said) // 2
    found = [first, chunk(said[:middle]), chunk(said[middle:]), chunk(None, "stop")]
    return [*found, {**about, "choices": [], "usage": CHAT_USAGE}] if usage else found


def response(said: str, model: str = "m", status: str = "completed") -> dict[str, Any]:
    """Return an answer of the Responses API."""
    part = {"type": "output_text", "text": said, "annotations": [], "logprobs": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1.0,
        "model": f"{model}-2026",
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "output": [message],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": RESPONSES_USAGE,
    }


def response_events(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a streamed answer of the Responses API."""
    item = whole["output"][0]
    part = item["content"][0]
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    middle = len(part["text"]) // 2
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": part["text"][:middle], "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": part["text"][middle:], "logprobs": []},
        {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": f"response.{whole['status']}", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def embeddings() -> dict[str, Any]:
    """Return vectors."""
    vector = {"object": "embedding", "index": 0, "embedding": [0.25, 0.5, 1.0]}
    return {"object": "list", "data": [vector], "model": "m-2026", "usage": EMBEDDINGS_USAGE}
