"""A server on loopback that speaks the APIs of OpenAI, Anthropic and Cohere, as far as litellm asks for them."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

WORDS = ("Hel", "lo", " world")
TEXT = "".join(WORDS)
USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 5,
    "total_tokens": 16,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
RESPONSES_USAGE = {
    "input_tokens": 11,
    "output_tokens": 5,
    "total_tokens": 16,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens_details": {"reasoning_tokens": 2},
}
ANTHROPIC_USAGE = {
    "input_tokens": 7,
    "cache_creation_input_tokens": 1,
    "cache_read_input_tokens": 3,
    "output_tokens": 5,
}
ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "bad-key": (401, {"message": "Incorrect API key provided", "type": "invalid_request_error"}),
    "no-model": (404, {"message": "The model does not exist", "type": "invalid_request_error"}),
    "limited": (429, {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}),
    "too-long": (400, {"message": "This model's maximum context length is 10", "code": "context_length_exceeded"}),
    "filtered": (400, {"message": "Your request violates our content management policy", "code": "content_filter"}),
    "broken": (500, {"message": "The server had an error", "type": "server_error"}),
    "busy": (503, {"message": "The server is overloaded", "type": "server_error"}),
    "strict": (400, {"message": "Unrecognized request argument: stream_options", "type": "invalid_request_error"}),
}


class ProviderServer:
    """Answers by the path of a request and the model that it asks for; `requests` has the bodies that came."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.failures: dict[str, int] = {}
        """How often a model fails before it answers, by its name; without it, those in `ERRORS` always do."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.owner = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._server.server_port)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai(self) -> dict[str, Any]:
        """Arguments for a provider that speaks OpenAI's API."""
        return {"api_base": f"{self.root}/v1", "api_key": "sk-planted-0123456789abcdefghij"}

    @property
    def other(self) -> dict[str, Any]:
        """Arguments for a provider with an API of its own."""
        return {"api_base": self.root, "api_key": "sk-ant-planted-0123456789abcdefghij"}

    def failure_of(self, model: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        if model == "strict" and "stream_options" not in body:
            return None
        left = self.failures.get(model)
        if left is not None:
            self.failures[model] = left - 1
            if left <= 0:
                return None
        return ERRORS.get(model)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # of a client that gives a stream up
            super().handle()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server: ProviderServer = self.server.owner  # type: ignore[attr-defined]
        server.requests.append({"path": self.path, **body})
        failure = server.failure_of(body["model"], body)
        if failure is not None:
            self._send(failure[0], {"error": failure[1]}, {"retry-after": "7"} if failure[0] == 429 else {})
        elif body.get("stream"):
            self._stream(body)
        else:
            self._send(200, _answer(self.path, body), {"x-request-id": "req_1"})

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str]) -> None:
        said = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(said)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("x-request-id", "req_1")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(_events(self.path, body)):
            if body["model"] == "torn" and number == 2:
                self.close_connection = True
                return
            self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")


def _answer(path: str, body: dict[str, Any]) -> dict[str, Any]:
    model = f"{body['model']}-0613"
    if path.endswith("/chat/completions"):
        message: dict[str, Any] = {"role": "assistant", "content": TEXT}
        if body.get("tools"):
            call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"key": "a"}'}}
            message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if body.get("tools") else "stop"}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [choice],
            "usage": USAGE,
        }
    if path.endswith("/completions"):
        text = {"index": 0, "text": TEXT, "finish_reason": "stop", "logprobs": None}
        return {
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 1,
            "model": model,
            "choices": [text],
            "usage": USAGE,
        }
    if path.endswith("/embeddings"):
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [{"object": "embedding", "index": index, "embedding": [0.5] * 8} for index, _ in enumerate(texts)]
        return {"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    if path.endswith("/responses"):
        return _response(model, "completed")
    if path.endswith("/rerank"):
        return {
            "id": "rr-1",
            "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}],
            "meta": {
                "api_version": {"version": "2"},
                "billed_units": {"search_units": 1},
                "tokens": {"input_tokens": 9},
            },
        }
    assert path.endswith("/messages"), path
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": ANTHROPIC_USAGE,
    }


def _response(model: str, status: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
    done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": model,
        "status": status,
        "output": [item] if done else [],
        "usage": RESPONSES_USAGE if done else None,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "previous_response_id": None,
        "reasoning": None,
        "text": None,
        "truncation": None,
        "user": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    }


def _events(path: str, body: dict[str, Any]) -> Iterator[bytes]:
    model = f"{body['model']}-0613"
    if path.endswith("/responses"):
        yield from _named(_response_events(model))
    elif path.endswith("/messages"):
        yield from _named(_message_events(model))
    else:
        chat = path.endswith("/chat/completions")
        base = {"id": "chatcmpl-1" if chat else "cmpl-1", "created": 1, "model": model}
        base["object"] = "chat.completion.chunk" if chat else "text_completion"
        for word in WORDS:
            yield _data({**base, "choices": [_piece(word, None, chat=chat)]})
        yield _data({**base, "choices": [_piece("", "stop", chat=chat)]})
        if body.get("stream_options", {}).get("include_usage"):
            yield _data({**base, "choices": [], "usage": USAGE})
        yield b"data: [DONE]\n\n"


def _piece(word: str, reason: str | None, *, chat: bool) -> dict[str, Any]:
    said: dict[str, Any] = {"delta": {"role": "assistant", "content": word}} if chat else {"text": word}
    return {"index": 0, "finish_reason": reason, "logprobs": None, **said}


def _response_events(model: str) -> Iterator[dict[str, Any]]:
    yield {"type": "response.created", "response": _response(model, "in_progress")}
    item = {"type": "message", "id": "msg_1", "status": "in_progress", "role": "assistant", "content": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    for word in WORDS:
        where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        yield {"type": "response.output_text.delta", **where, "delta": word}
    yield {"type": "response.completed", "response": _response(model, "completed")}


def _message_events(model: str) -> Iterator[dict[str, Any]]:
    start: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
    }
    yield {"type": "message_start", "message": {**start, "usage": {**ANTHROPIC_USAGE, "output_tokens": 1}}}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for word in WORDS:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def _named(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for number, event in enumerate(events):
        yield f"event: {event['type']}\n".encode() + _data({**event, "sequence_number": number})


def _data(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"
