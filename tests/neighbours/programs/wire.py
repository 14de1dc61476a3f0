"""A server that answers as OpenAI's and Anthropic's do, every call alike: 11 tokens in, 5 out."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
CHUNK: dict[str, Any] = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "model-1-0613"}
CHAT = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "model-1-0613",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": USAGE,
}
EMBEDDING = {
    "object": "list",
    "model": "model-1-0613",
    "data": [{"object": "embedding", "index": 0, "embedding": "AAAAAA=="}],
    "usage": {"prompt_tokens": 11, "total_tokens": 11},
}
MESSAGE: dict[str, Any] = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "model-1-0613",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 11, "output_tokens": 5},
}
MESSAGE_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 5},
    },
    {"type": "message_stop"},
]


def chat_events(*, usage: bool) -> list[dict[str, Any]]:
    def choice(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        return {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}

    events = [choice({"role": "assistant", "content": ""}), choice({"content": "Hel"}), choice({"content": "lo"})]
    return [*events, choice({}, "stop"), *([{**CHUNK, "choices": [], "usage": USAGE}] if usage else [])]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None: ...

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        streamed = asked.get("stream")
        if self.path.endswith("/messages"):
            body = events_of(MESSAGE_EVENTS, named=True) if streamed else json.dumps(MESSAGE)
        elif self.path.endswith("/embeddings"):
            body = json.dumps(EMBEDDING)
        elif streamed:
            usage = bool((asked.get("stream_options") or {}).get("include_usage"))
            body = events_of(chat_events(usage=usage)) + "data: [DONE]\n\n"
        else:
            body = json.dumps(CHAT)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if streamed else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


def events_of(events: list[dict[str, Any]], *, named: bool = False) -> str:
    lines: list[str] = []
    for event in events:
        lines += [f"event: {event['type']}"] if named else []
        lines += [f"data: {json.dumps(event)}", ""]
    return "\n".join([*lines, ""])


def serve() -> str:
    """Start the server in a thread; return the address of its API's root."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
