"""The errors of OpenAI's API, of Azure's and of Mistral's, with the bodies that they have there (2026)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tests.servers.http import json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.http import Reply

SERVER_ERROR: Final[dict[str, Any]] = {
    "message": "The server had an error while processing your request. Sorry about that!",
    "type": "server_error",
    "param": None,
    "code": None,
}
"""What `error` is in a stream that fails, too."""

_INVALID: Final = "invalid_request_error"
_SAFE: Final = {"filtered": False, "severity": "safe"}


def error_reply(
    status: int,
    message: str,
    kind: str | None,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return an error in OpenAI's shape.

    Args:
        status: of HTTP.
        message: for people.
        kind: the `type`.
        code: for programs.
        param: the parameter that it is about.
        headers: more of them.
    """
    return json_reply({"error": {"message": message, "type": kind, "param": param, "code": code}}, status, headers)


def _after(seconds: float | None) -> dict[str, str]:
    if seconds is None:
        return {}
    return {"retry-after": str(math.ceil(seconds)), "retry-after-ms": str(round(seconds * 1000))}


def rate_limited(retry_after: float | None = 0.01) -> Reply:
    """429; `retry_after` in seconds, in milliseconds too as OpenAI has it; None for no such header."""
    message = (
        "Rate limit reached for gpt-4o-mini in organization org-test on tokens per min (TPM): Limit 200000, "
        "Used 199000, Requested 1500. Please try again in 150ms."
    )
    limits = {
        "x-ratelimit-limit-tokens": "200000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "150ms",
    }
    return error_reply(429, message, "tokens", "rate_limit_exceeded", headers={**limits, **_after(retry_after)})


def quota_exceeded() -> Reply:
    """429 that no waiting helps against."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return error_reply(429, message, "insufficient_quota", "insufficient_quota")


def context_overflow() -> Reply:
    """400: the prompt is longer than the model takes."""
    message = (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 135092 tokens. "
        "Please reduce the length of the messages."
    )
    return error_reply(400, message, _INVALID, "context_length_exceeded", "messages")


def content_filtered() -> Reply:
    """400 of Azure's content filter."""
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. "
        "Please modify your prompt and retry."
    )
    results = {"hate": _SAFE, "jailbreak": {"detected": True, "filtered": True}, "self_harm": _SAFE, "sexual": _SAFE}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400}
    return json_reply({"error": {**error, "innererror": inner}}, 400)


def invalid_request() -> Reply:
    """400: a parameter of the wrong type."""
    message = "Invalid type for 'temperature': expected a decimal, but got a string instead."
    return error_reply(400, message, _INVALID, "invalid_type", "temperature")


def unauthorized() -> Reply:
    """401."""
    return error_reply(401, "Incorrect API key provided: no**key.", _INVALID, "invalid_api_key")


def forbidden() -> Reply:
    """403."""
    message = "Country, region, or territory not supported"
    return error_reply(403, message, "request_forbidden", "unsupported_country_region_territory")


def not_found() -> Reply:
    """404: no such model."""
    message = "The model `gpt-none` does not exist or you do not have access to it."
    return error_reply(404, message, _INVALID, "model_not_found")


def no_such_url(method: str, path: str) -> Reply:
    """404: no such endpoint."""
    return error_reply(404, f"Invalid URL ({method} {path})", _INVALID)


def no_such_response(response_id: str) -> Reply:
    """404: of `GET /v1/responses/{id}`."""
    return error_reply(404, f"Response with id '{response_id}' not found.", _INVALID)


def too_large() -> Reply:
    """413."""
    message = "Maximum content size limit (26214400) exceeded (26428490 bytes read)"
    return error_reply(413, message, "server_error")


def overloaded(retry_after: float | None = 0.01) -> Reply:
    """503; `retry_after` as in `rate_limited`."""
    message = "The server is currently overloaded with other requests. Sorry about that!"
    return error_reply(503, message, "server_error", headers=_after(retry_after))


def server_error(retry_after: float | None = 0.01) -> Reply:
    """500; `retry_after` as in `rate_limited`."""
    message = SERVER_ERROR["message"]
    return error_reply(500, message, "server_error", headers=_after(retry_after))


def unknown_parameter(body: Mapping[str, Any], name: str) -> Reply:
    """422 of Mistral, which takes no parameter that it doesn't know.

    Args:
        body: of the request.
        name: of the parameter, one that the body has. If it is an object, its first field is what is complained of.
    """
    where, found = ["body", name], body[name]
    if isinstance(found, dict) and found:
        field = next(iter(found))
        where, found = [*where, field], found[field]
    detail = [{"type": "extra_forbidden", "loc": where, "msg": "Extra inputs are not permitted", "input": found}]
    shape = {"object": "error", "message": {"detail": detail}, "type": _INVALID, "param": None, "code": None}
    return json_reply(shape, 422)
