"""Errors of litellm: what kind each is, with the status of an answer only where one came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tests.instrumentation.litellm.functions import MESSAGES, called

if TYPE_CHECKING:
    from tests.instrumentation.litellm.wire import ProviderServer
    from tests.recording import Recorded


@pytest.mark.parametrize("name", ["completion", "acompletion"])
@pytest.mark.parametrize(
    ("model", "error", "category", "status"),
    [
        ("bad-key", "AuthenticationError", "authentication", 401),
        ("no-model", "NotFoundError", "not_found", 404),
        ("limited", "RateLimitError", "rate_limit", 429),
        ("too-long", "ContextWindowExceededError", "context_overflow", 400),
        ("filtered", "BadRequestError", "content_filter", 400),
        ("broken", "InternalServerError", "api_error", 500),
        ("busy", "ServiceUnavailableError", "overloaded", 503),
    ],
)
async def test_category(
    name: str,
    model: str,
    error: str,
    category: str,
    status: int,
    litellm: Any,
    server: ProviderServer,
    recorded: Recorded,
) -> None:
    with pytest.raises(openai.APIError) as raised:  # from which all of them derive
        await called(litellm, name, f"openai/{model}", MESSAGES, max_retries=0, **server.openai)
    if error == "NotFoundError" and raised.type.__name__ == "BadRequestError":
        pytest.skip("this version of litellm takes a model that is not there for a bad request")
    assert raised.type is getattr(litellm.exceptions, error)
    call = recorded.operation
    assert call.outcome == "error"
    assert call.attributes["aot.error.category"] == category
    assert call.attributes["http.response.status_code"] == status
    assert str(call.attributes["error.type"]).startswith("litellm.")


async def test_nobody_listens(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    for name in ("completion", "acompletion"):
        with pytest.raises(Exception, match="Connection error"):
            await called(litellm, name, "openai/x", MESSAGES, api_base="http://127.0.0.1:9", api_key="k", max_retries=0)
    for call in recorded.operations:
        assert call.attributes["aot.error.category"] == "connection"
        assert "http.response.status_code" not in call.attributes


async def test_error_that_the_program_was_handling_is_none_of_the_call(
    litellm: Any, server: ProviderServer, recorded: Recorded
) -> None:
    httpx = pytest.importorskip("httpx")
    try:
        raise httpx.ConnectError("of the program")
    except httpx.ConnectError:
        with pytest.raises(litellm.InternalServerError):
            litellm.completion("openai/broken", MESSAGES, max_retries=0, **server.openai)
    assert recorded.operation.attributes["aot.error.category"] == "api_error"
    assert recorded.operation.attributes["http.response.status_code"] == 500


async def test_timeout(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    with pytest.raises(litellm.Timeout):
        litellm.completion("openai/x", MESSAGES, mock_timeout=True, timeout=0.01, mock_response="late")
    assert recorded.operation.attributes["aot.error.category"] == "timeout"


async def test_errors_of_other_functions(litellm: Any, server: ProviderServer, recorded: Recorded) -> None:
    asked: dict[str, dict[str, Any]] = {
        "embedding": {"input": ["a"]},
        "text_completion": {"prompt": "a"},
        "responses": {"input": "a"},
    }
    for name, arguments in asked.items():
        for prefix in ("", "a"):
            with pytest.raises(litellm.RateLimitError):
                await called(
                    litellm, prefix + name, model="openai/limited", **arguments, **server.openai, max_retries=0
                )
    assert {call.attributes["aot.error.category"] for call in recorded.operations} == {"rate_limit"}
    assert len(recorded.operations) == 6
