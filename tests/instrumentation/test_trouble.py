"""Kinds of trouble, by what exceptions of any SDK say of themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.instrumentation.trouble import Trouble, retry_after, verdict_on
from tests.servers import openai_api


class Response:
    """An answer of any HTTP library."""

    def __init__(self, status_code: Any = None, headers: Any = None) -> None:
        self.status_code = status_code
        self.headers = headers


class APIError(Exception):
    """An error of some SDK."""

    def __init__(self, message: Any = "", /, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        vars(self).update(facts)


class APIConnectionError(APIError):
    pass


class APITimeoutError(APIConnectionError):
    pass


@pytest.mark.parametrize(
    ("error", "streaming", "trouble"),
    [
        (APIError("x", status_code=429), False, Trouble.RATE_LIMIT),
        (APIError("x", status_code=429, code="insufficient_quota"), False, Trouble.QUOTA_EXCEEDED),
        (APIError("see your billing page", status_code=429), False, Trouble.QUOTA_EXCEEDED),
        (APIError("see billing", status_code=429, code="rate_limit_exceeded"), False, Trouble.RATE_LIMIT),
        (APIError("x", response=Response(503)), False, Trouble.OVERLOADED),
        (APIError("x", status_code=418), False, Trouble.API_ERROR),
        (APIError("x", code="rate_limit_exceeded"), True, Trouble.RATE_LIMIT),
        (APIError("x", body={"error": {"type": "overloaded_error"}}), True, Trouble.OVERLOADED),
        (APIError("x"), True, Trouble.STREAM_ERROR),
        (APIError("x"), False, Trouble.API_ERROR),
        (APIConnectionError("x"), False, Trouble.CONNECTION),
        (APIConnectionError("x"), True, Trouble.STREAM_ERROR),
        (APITimeoutError("x"), True, Trouble.TIMEOUT),
        (TimeoutError("x"), False, Trouble.TIMEOUT),
        (ConnectionResetError("x"), False, Trouble.CONNECTION),
        (asyncio.CancelledError(), False, Trouble.CANCELLED),
        (asyncio.CancelledError(), True, Trouble.CANCELLED),
        (KeyboardInterrupt(), True, None),
        (GeneratorExit(), True, None),
        (ValueError("quota"), False, None),
        (ZeroDivisionError(), False, None),
    ],
    ids=repr,
)
def test_kinds(error: BaseException, streaming: bool, trouble: Trouble | None) -> None:
    assert verdict_on(error, streaming=streaming).trouble is trouble


@given(
    st.dictionaries(
        st.sampled_from(["status_code", "code", "type", "message", "body", "response"]),
        st.none() | st.integers() | st.text() | st.binary() | st.dictionaries(st.text(), st.text() | st.none()),
    ),
    st.booleans(),
)
def test_nothing_that_an_error_says_of_itself_makes_it_fail(facts: dict[str, Any], streaming: bool) -> None:
    verdict_on(APIError("x", **facts), streaming=streaming)
    verdict_on(APIError("x", body={"error": facts}), streaming=streaming)
    verdict_on(APIError("x", response=Response(facts.get("code"), facts.get("body"))), streaming=streaming)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
        (None, None),
        ("no headers", None),
    ],
    ids=str,
)
def test_how_long_to_wait(headers: Any, seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.text(max_size=30))
def test_any_header_is_a_number_or_none(said: str) -> None:
    found = retry_after({"retry-after": said})
    assert found is None or found >= 0


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (openai_api.rate_limited(), Trouble.RATE_LIMIT),
        (openai_api.quota_exceeded(), Trouble.QUOTA_EXCEEDED),
        (openai_api.context_overflow(), Trouble.CONTEXT_OVERFLOW),
        (openai_api.content_filtered(), Trouble.CONTENT_FILTER),
        (openai_api.invalid_request(), Trouble.INVALID_REQUEST),
        (openai_api.unauthorized(), Trouble.AUTHENTICATION),
        (openai_api.forbidden(), Trouble.PERMISSION),
        (openai_api.not_found(), Trouble.NOT_FOUND),
        (openai_api.too_large(), Trouble.REQUEST_TOO_LARGE),
        (openai_api.overloaded(), Trouble.OVERLOADED),
        (openai_api.server_error(), Trouble.API_ERROR),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_errors_of_openai_have_their_kind(reply: Any, trouble: Trouble) -> None:
    import openai

    with (
        openai_api.OpenAIServer() as server,
        openai.OpenAI(api_key="none", base_url=f"{server.url}/v1", max_retries=0) as client,
    ):
        server.next(reply)
        with pytest.raises(openai.APIStatusError) as raised:
            client.models.list()
    verdict = verdict_on(raised.value)
    assert verdict.trouble is trouble
    assert verdict.status == reply.status
    waits = reply.headers.get("retry-after-ms")
    assert verdict.retry_after == (None if waits is None else float(waits) / 1000)
