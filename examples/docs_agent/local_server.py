"""A small server on the loopback that speaks the wire format of OpenAI's Chat Completions, plain and streamed.

It stands in for a model, so that the demo needs no key and no network, and is none: it answers extractively, with
sentences of the documents that the messages hold. What it says is in `extractive`; here is how that travels.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import extractive
from corpus import WORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

MODEL = "docs-extract"
PATH = "/v1/chat/completions"
LARGEST = 1_048_576  # bytes of a request
CONNECTIONS = 16  # at once
PATIENCE = 30.0  # seconds that a connection may be silent

PIECE = re.compile(r"\s*\S+")  # what a chunk of a stream brings: a word

Json = dict[str, Any]
Reply = Callable[[list[Json], Collection[str]], extractive.Said]


class LocalServer:
    """The server, for as long as a `with` block runs.

    Args:
        reply: what the model says to messages, given the names of its tools.
    """

    def __init__(self, reply: Reply = extractive.reply) -> None:
        self._server = _Server(reply)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=MODEL, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    @property
    def url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"


class _Server(ThreadingHTTPServer):
    """Answers each connection in a thread of its own, of which there are not too many."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # who hangs up in the middle of an answer knows that
            super().handle_error(request, client_address)


class _RequestError(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        message: for people.
        code: for programs.
    """

    def __init__(self, status: HTTPStatus, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    disable_nagle_algorithm = True  # or small chunks would wait for each other

    def do_POST(self) -> None:
        try:
            request = self._request()
            completion = self._complete(request)
        except _RequestError as error:
            self._send(error.status, error.body)
        else:
            if request.get("stream"):
                self._stream(completion.chunks())
            else:
                self._send(HTTPStatus.OK, completion.whole())

    def do_GET(self) -> None:
        self._send(HTTPStatus.NOT_FOUND, _RequestError(HTTPStatus.NOT_FOUND, f"there is only POST {PATH}").body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal is the agent's."""

    def _request(self) -> Json:
        length = re.fullmatch("[0-9]{1,9}", self.headers.get("Content-Length", ""))
        self.close_connection = True  # unless the body is read
        if length is None or int(length[0]) > LARGEST:
            message = f"a request says how long it is, and has {LARGEST} bytes at most"
            raise _RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        body = self.rfile.read(int(length[0]))
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        if self.path != PATH:
            raise _RequestError(HTTPStatus.NOT_FOUND, f"there is only POST {PATH}")
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            request = None
        if not isinstance(request, dict):
            raise _RequestError(HTTPStatus.BAD_REQUEST, "a request is a JSON object")
        return request

    def _complete(self, request: Json) -> _Completion:
        if request.get("model") != MODEL:
            message = f"there is no model {str(request.get('model'))[:80]!r} here, only {MODEL!r}"
            raise _RequestError(HTTPStatus.NOT_FOUND, message, "model_not_found")
        if not request.get("messages"):
            raise _RequestError(HTTPStatus.BAD_REQUEST, "a request has messages")
        try:
            tools = {tool["function"]["name"] for tool in request.get("tools") or ()}
            said = self.server.reply(request["messages"], set() if request.get("tool_choice") == "none" else tools)
            return _Completion(request, said)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise _RequestError(HTTPStatus.BAD_REQUEST, f"the request is not as it should be: {error!r}") from error
        except Exception as error:
            raise _RequestError(HTTPStatus.INTERNAL_SERVER_ERROR, f"no answer was found: {error!r}") from error

    def _send(self, status: HTTPStatus, body: Json) -> None:
        encoded = json.dumps(body).encode()
        self._head(status, "application/json", ("Content-Length", str(len(encoded))))
        self.wfile.write(encoded)

    def _stream(self, chunks: Iterator[Json]) -> None:
        self._head(HTTPStatus.OK, "text/event-stream", ("Transfer-Encoding", "chunked"))
        for chunk in chunks:
            self._write(f"data: {json.dumps(chunk)}\n\n".encode())
        self._write(b"data: [DONE]\n\n")
        self._write(b"")

    def _write(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _head(self, status: HTTPStatus, content_type: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("x-request-id", f"req_{uuid.uuid4().hex}")
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


class _Completion:
    """A completion, as one object or as the chunks of a stream (OpenAI API reference, Chat Completions).

    Args:
        request: what was asked.
        said: what the model says.
    """

    def __init__(self, request: Json, said: extractive.Said) -> None:
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        self._text = said.text
        self._calls = [
            {
                "id": f"call_{uuid.uuid4().hex[:24]}",
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in said.calls
        ]
        self._finish_reason = "tool_calls" if self._calls else "stop"
        self._counts = bool((request.get("stream_options") or {}).get("include_usage"))
        self._usage = _usage(request, said)

    def whole(self) -> Json:
        """Return the completion."""
        message: Json = {"role": "assistant", "content": self._text or None, "refusal": None}
        if self._calls:
            message["tool_calls"] = self._calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage}

    def chunks(self) -> Iterator[Json]:
        """Yield the chunks: the role, words or tool calls, why it ends, and where it was asked for, the usage."""
        yield self._chunk({"role": "assistant", "content": None if self._calls else ""})
        for piece in PIECE.findall(self._text):
            yield self._chunk({"content": piece})
        for index, call in enumerate(self._calls):
            function = call["function"]
            yield self._chunk({"tool_calls": [{"index": index, **call, "function": {**function, "arguments": ""}}]})
            for piece in PIECE.findall(function["arguments"]):
                yield self._chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield self._chunk({}, self._finish_reason)
        if self._counts:
            yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage}

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk: Json = {**self._head, "object": "chat.completion.chunk", "choices": [choice]}
        return {**chunk, "usage": None} if self._counts else chunk


def _usage(request: Json, said: extractive.Said) -> Json:
    """Return how many tokens went in and out; here, each word is one."""
    asked = " ".join(extractive.text_of(message) for message in request["messages"])
    asked += json.dumps(request.get("tools") or "")
    answered = said.text + json.dumps([call.arguments for call in said.calls])
    tokens_in, tokens_out = (len(WORD.findall(text)) for text in (asked, answered))
    return {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
