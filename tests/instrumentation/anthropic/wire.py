"""Anthropic's API on loopback, saying what a test has it say."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tests.servers.anthropic_api import AnthropicServer, Script
from tests.servers.anthropic_errors import error_body
from tests.servers.anthropic_messages import events, message
from tests.servers.http import Reply, sse

if TYPE_CHECKING:
    from tests.servers.http import Request

Json = dict[str, Any]

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


def says(*blocks: Json, **how: Any) -> Script:
    """Return what a model says, with numbers that are the same each time."""
    return Script(blocks, usage=USAGE, **how)


class Wire(AnthropicServer):
    """The server; `scripts` are said in order, after that each request is answered with a thought and a text."""

    def __init__(self) -> None:
        super().__init__(script=self._next_script)
        self.scripts: deque[Script] = deque()

    def _next_script(self, request: Request) -> Script:
        del request
        return self.scripts.popleft() if self.scripts else says(THINKING, TEXT)


def failing_stream(kind: str, said: str) -> Reply:
    """Return a stream that has an error in it after a few events."""
    begun = events(message("msg_1", "m", says(THINKING, TEXT)))[:5]
    body = [*[sse(event, event["type"]) for event in begun], sse(error_body(kind, said), "error")]
    return Reply(200, {"content-type": "text/event-stream", "request-id": "req_1"}, body)
