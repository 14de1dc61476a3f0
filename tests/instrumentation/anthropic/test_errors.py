"""What Anthropic, Bedrock and Vertex AI answer when they do not: each error in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import pytest

from tests.instrumentation.anthropic.clients import KINDS, REQUEST
from tests.instrumentation.anthropic.wire import AnthropicServer, Reply

if TYPE_CHECKING:
    from tests.recording import Recorded

_ERRORS = [
    (400, "invalid_request_error", "messages: at least one message is required", "invalid_request"),
    (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", "context_overflow"),
    (
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
        "context_overflow",
    ),
    (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", "quota_exceeded"),
    (400, "invalid_request_error", "Output blocked by content filtering policy", "content_filter"),
    (401, "authentication_error", "invalid x-api-key", "authentication"),
    (402, "billing_error", "There is an issue with your billing", "quota_exceeded"),
    (403, "permission_error", "Your API key may not use this resource", "permission"),
    (404, "not_found_error", "model: claude-none", "not_found"),
    (413, "request_too_large", "Request exceeds the maximum size", "request_too_large"),
    (429, "rate_limit_error", "This request would exceed your organization's rate limit", "rate_limit"),
    (500, "api_error", "Internal server error", "api_error"),
    (504, "timeout_error", "The request timed out", "timeout"),
    (529, "overloaded_error", "Overloaded", "overloaded"),
]


@pytest.mark.parametrize(("status", "kind", "said", "category"), _ERRORS)
def test_error_that_is_the_answer(
    status: int, kind: str, said: str, category: str, recorded: Recorded, server: AnthropicServer
) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    server.replies.append(Reply(status=status, error={"type": kind, "message": said}, headers=headers))
    with pytest.raises(anthropic.APIStatusError):
        KINDS[0].client(server.url).messages.create(**REQUEST)
    attributes = recorded.operation.attributes
    assert attributes["aot.error.category"] == category
    assert attributes["http.response.status_code"] == status
    assert attributes.get("aot.error.retry_after_s") == (7 if status == 429 else None)


@pytest.mark.parametrize(("status", "kind", "said", "category"), _ERRORS)
def test_error_in_a_stream(
    status: int, kind: str, said: str, category: str, recorded: Recorded, server: AnthropicServer
) -> None:
    server.replies.append(Reply(events=5, then="error", error={"type": kind, "message": said}))
    with pytest.raises(anthropic.APIStatusError):
        list(KINDS[0].client(server.url).messages.create(**REQUEST, stream=True))
    expected = category if category != "api_error" else "stream_error"
    assert recorded.operation.attributes["aot.error.category"] == expected


def test_server_that_is_not_there(recorded: Recorded) -> None:
    with AnthropicServer() as gone:
        url = gone.url
    with pytest.raises(anthropic.APIConnectionError):
        KINDS[0].client(url).messages.create(**REQUEST)
    assert recorded.operation.attributes["aot.error.category"] == "connection"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_server_that_takes_too_long(stream: bool, recorded: Recorded, server: AnthropicServer) -> None:
    server.replies.append(Reply(events=4, then="wait"))
    with pytest.raises(Exception, match="timed out"):
        list(KINDS[0].client(server.url, timeout=0.2).messages.create(**REQUEST, stream=stream))
    assert recorded.operation.attributes["aot.error.category"] == "timeout"
