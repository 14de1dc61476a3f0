"""What Anthropic, Bedrock and Vertex AI answer when they do not: each error in our own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anthropic
import pytest

from tests.instrumentation.anthropic.clients import KINDS, REQUEST
from tests.instrumentation.anthropic.wire import Wire, failing_stream
from tests.servers.anthropic_api import bedrock_error, bedrock_throttled, error_reply, vertex_exhausted
from tests.servers.http import DISCONNECT, Reply

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
    status: int, kind: str, said: str, category: str, recorded: Recorded, server: Wire
) -> None:
    headers = {"retry-after": "7"} if status == 429 else {}
    server.next(error_reply(status, kind, said, headers=headers))
    with pytest.raises(anthropic.APIStatusError):
        KINDS[0].client(server.url).messages.create(**REQUEST)
    attributes = recorded.operation.attributes
    assert attributes["aot.error.category"] == category
    assert attributes["http.response.status_code"] == status
    assert attributes.get("aot.error.retry_after_s") == (7 if status == 429 else None)


@pytest.mark.parametrize(("status", "kind", "said", "category"), _ERRORS)
def test_error_in_a_stream(status: int, kind: str, said: str, category: str, recorded: Recorded, server: Wire) -> None:
    server.next(failing_stream(kind, said))
    with pytest.raises(anthropic.APIStatusError):
        list(KINDS[0].client(server.url).messages.create(**REQUEST, stream=True))
    expected = category if category != "api_error" else "stream_error"
    assert recorded.operation.attributes["aot.error.category"] == expected


@pytest.mark.parametrize(
    ("kind", "reply", "category"),
    [
        ("AnthropicBedrock", bedrock_throttled(), "rate_limit"),
        (
            "AnthropicBedrock",
            bedrock_error(400, "ValidationException", "Input is too long for requested model."),
            "context_overflow",
        ),
        ("AnthropicBedrock", bedrock_error(403, "AccessDeniedException", "No access to the model"), "permission"),
        ("AnthropicBedrock", bedrock_error(503, "ServiceUnavailableException", "Try again"), "overloaded"),
        ("AnthropicVertex", vertex_exhausted(), "rate_limit"),
    ],
)
def test_error_of_a_cloud(kind: str, reply: Reply, category: str, recorded: Recorded, server: Wire) -> None:
    server.next(reply)
    (found,) = [each for each in KINDS if each.name == kind]
    with pytest.raises(anthropic.APIStatusError):
        found.client(server.url).messages.create(**REQUEST)
    assert recorded.operation.attributes["aot.error.category"] == category


def test_server_that_hangs_up_without_an_answer(recorded: Recorded, server: Wire) -> None:
    server.next(DISCONNECT)
    with pytest.raises(anthropic.APIConnectionError):
        KINDS[0].client(server.url).messages.create(**REQUEST)
    assert recorded.operation.attributes["aot.error.category"] == "connection"


def test_server_that_is_not_there(recorded: Recorded) -> None:
    with Wire() as gone:
        url = gone.url
    with pytest.raises(anthropic.APIConnectionError):
        KINDS[0].client(url).messages.create(**REQUEST)
    assert recorded.operation.attributes["aot.error.category"] == "connection"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_server_that_takes_too_long(stream: bool, recorded: Recorded, server: Wire) -> None:
    server.next(Reply(200, {"content-type": "text/event-stream"}, [b"event: ping\ndata: {}\n\n", 1.0]))
    with pytest.raises(Exception, match="timed out"):
        list(KINDS[0].client(server.url, timeout=0.2).messages.create(**REQUEST, stream=stream))
    assert recorded.operation.attributes["aot.error.category"] == "timeout"
