"""The errors of Anthropic's API, of Amazon Bedrock and of Vertex AI, with the bodies that they have there (2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.http import json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.http import Reply

REQUEST_ID = "req_of_error"
_INVALID = "invalid_request_error"


def error_body(
    kind: str, message: str, request_id: str = REQUEST_ID, details: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return what an error says, in an answer of its own or in a stream.

    Args:
        kind: "overloaded_error", …
        message: for people.
        request_id: of the request that it answers.
        details: with an `error_code`, for programs.
    """
    error = {"details": details, "type": kind, "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def error_reply(
    status: int,
    kind: str,
    message: str,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return an error in Anthropic's shape.

    Args:
        status: of HTTP.
        kind: as for `error_body`.
        message: as for `error_body`.
        details: as for `error_body`.
        headers: more of them.
    """
    return json_reply(error_body(kind, message, details=details), status, {"request-id": REQUEST_ID, **(headers or {})})


def _after(seconds: float | None) -> dict[str, str]:
    return {} if seconds is None else {"retry-after": f"{seconds:g}"}


def rate_limited(retry_after: float | None = 0.01) -> Reply:
    """429; `retry_after` in seconds; None for no such header."""
    message = "This request would exceed your organization's rate limit of 50,000 input tokens per minute."
    left = {"anthropic-ratelimit-input-tokens-remaining": "0"}
    return error_reply(429, "rate_limit_error", message, headers={**left, **_after(retry_after)})


def quota_exceeded() -> Reply:
    """400: nobody has paid."""
    message = "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade."
    return error_reply(400, _INVALID, message)


def payment_required() -> Reply:
    """402: nobody can be charged."""
    return error_reply(402, "billing_error", "There's an issue with your billing or payment information.")


def context_overflow() -> Reply:
    """400: the prompt is longer than the model takes."""
    return error_reply(400, _INVALID, "prompt is too long: 208310 tokens > 200000 maximum")


def content_filtered() -> Reply:
    """400: what the model would say is withheld."""
    return error_reply(400, _INVALID, "Output blocked by content filtering policy")


def invalid_request() -> Reply:
    """400: a parameter is missing."""
    return error_reply(400, _INVALID, "max_tokens: Field required")


def unauthorized() -> Reply:
    """401."""
    return error_reply(401, "authentication_error", "invalid x-api-key")


def forbidden() -> Reply:
    """403."""
    message = "Your API key does not have permission to use the specified resource."
    return error_reply(403, "permission_error", message)


def not_found() -> Reply:
    """404: no such model."""
    return error_reply(404, "not_found_error", "model: claude-none")


def no_such_url() -> Reply:
    """404: no such endpoint."""
    return error_reply(404, "not_found_error", "Not found")


def too_large() -> Reply:
    """413."""
    return error_reply(413, "request_too_large", "Request exceeds the maximum size")


def overloaded(retry_after: float | None = 0.01) -> Reply:
    """529; `retry_after` as in `rate_limited`."""
    return error_reply(529, "overloaded_error", "Overloaded", headers={"x-should-retry": "true", **_after(retry_after)})


def timed_out(retry_after: float | None = 0.01) -> Reply:
    """504; `retry_after` as in `rate_limited`."""
    return error_reply(504, "timeout_error", "Request timed out while processing", headers=_after(retry_after))


def server_error(retry_after: float | None = 0.01) -> Reply:
    """500; `retry_after` as in `rate_limited`."""
    return error_reply(500, "api_error", "Internal server error", headers=_after(retry_after))


def bedrock_throttled() -> Reply:
    """429 of Amazon Bedrock."""
    return bedrock_error(429, "ThrottlingException", "Too many requests, please wait before trying again.")


def bedrock_error(status: int, kind: str, message: str) -> Reply:
    """Return an error in the shape of Amazon Bedrock.

    Args:
        status: of HTTP.
        kind: "ValidationException", "AccessDeniedException", …
        message: for people.
    """
    return json_reply({"message": message}, status, {"x-amzn-errortype": kind, "x-amzn-requestid": REQUEST_ID})


def vertex_exhausted() -> Reply:
    """429 of Vertex AI."""
    message = "Quota exceeded for aiplatform.googleapis.com/online_prediction_requests_per_base_model."
    error: Mapping[str, object] = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}
    return json_reply({"error": error}, 429)
