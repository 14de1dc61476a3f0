"""What kind of trouble a model call met, in words that are the same for every SDK."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Trouble(str, Enum):
    """Kinds of failure of a model call; the value of `aot.error.category`."""

    RATE_LIMIT = "rate_limit"
    QUOTA_EXCEEDED = "quota_exceeded"
    CONTEXT_OVERFLOW = "context_overflow"
    CONTENT_FILTER = "content_filter"
    INVALID_REQUEST = "invalid_request"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    REQUEST_TOO_LARGE = "request_too_large"
    OVERLOADED = "overloaded"
    API_ERROR = "api_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    STREAM_ERROR = "stream_error"
    CANCELLED = "cancelled"


class Verdict(NamedTuple):
    """What is known of a failure.

    Args:
        trouble: its kind, or None for one that is not the call's own.
        status: the HTTP status code, if there was an answer.
        retry_after: seconds that the server asks to wait.
    """

    trouble: Trouble | None
    status: int | None = None
    retry_after: float | None = None


class ProviderError(Exception):
    """What went wrong as an answer tells it; on its span it stands for the exception that no SDK raises then.

    Args:
        message: for people.
        code: for programs.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


_BY_STATUS: Final = {
    400: Trouble.INVALID_REQUEST,
    401: Trouble.AUTHENTICATION,
    402: Trouble.QUOTA_EXCEEDED,
    403: Trouble.PERMISSION,
    404: Trouble.NOT_FOUND,
    408: Trouble.TIMEOUT,
    409: Trouble.INVALID_REQUEST,
    413: Trouble.REQUEST_TOO_LARGE,
    422: Trouble.INVALID_REQUEST,
    429: Trouble.RATE_LIMIT,
    503: Trouble.OVERLOADED,
    504: Trouble.TIMEOUT,
    529: Trouble.OVERLOADED,
}

# In the code or type of an error first, where a provider says what it means; in its message where it does not.
_BY_WORD: Final = (
    ("insufficient_quota", Trouble.QUOTA_EXCEEDED),
    ("quota", Trouble.QUOTA_EXCEEDED),
    ("billing", Trouble.QUOTA_EXCEEDED),
    ("credit balance", Trouble.QUOTA_EXCEEDED),
    ("context_length", Trouble.CONTEXT_OVERFLOW),
    ("context window", Trouble.CONTEXT_OVERFLOW),
    ("contextwindow", Trouble.CONTEXT_OVERFLOW),
    ("prompt is too long", Trouble.CONTEXT_OVERFLOW),
    ("input is too long", Trouble.CONTEXT_OVERFLOW),
    ("maximum context", Trouble.CONTEXT_OVERFLOW),
    ("exceed context limit", Trouble.CONTEXT_OVERFLOW),
    ("content_filter", Trouble.CONTENT_FILTER),
    ("content_policy", Trouble.CONTENT_FILTER),
    ("contentpolicy", Trouble.CONTENT_FILTER),
    ("content management policy", Trouble.CONTENT_FILTER),
    ("content filtering policy", Trouble.CONTENT_FILTER),
    ("overloaded", Trouble.OVERLOADED),
    ("request_too_large", Trouble.REQUEST_TOO_LARGE),
)

# The type that an error says it is of, where no HTTP status says it: in the middle of a stream (Anthropic, Bedrock).
_BY_TYPE: Final = {
    "invalid_request_error": Trouble.INVALID_REQUEST,
    "authentication_error": Trouble.AUTHENTICATION,
    "permission_error": Trouble.PERMISSION,
    "not_found_error": Trouble.NOT_FOUND,
    "rate_limit_error": Trouble.RATE_LIMIT,
    "timeout_error": Trouble.TIMEOUT,
    "throttlingexception": Trouble.RATE_LIMIT,
    "validationexception": Trouble.INVALID_REQUEST,
    "serviceunavailableexception": Trouble.OVERLOADED,
    "modeltimeoutexception": Trouble.TIMEOUT,
}
_RATE_LIMITS: Final = ("rate_limit_exceeded", "rate_limit_error", "resource_exhausted")
_REFINED: Final = frozenset({Trouble.INVALID_REQUEST, Trouble.RATE_LIMIT, Trouble.API_ERROR, Trouble.PERMISSION, None})

# By class name, any of a failure's bases: no SDK is imported for it.
_BY_NAME: Final = {
    "CancelledError": Trouble.CANCELLED,
    "APITimeoutError": Trouble.TIMEOUT,
    "TimeoutException": Trouble.TIMEOUT,
    "Timeout": Trouble.TIMEOUT,
    "TimeoutError": Trouble.TIMEOUT,
    "APIConnectionError": Trouble.CONNECTION,
    "ConnectError": Trouble.CONNECTION,
    "NetworkError": Trouble.CONNECTION,
    "TransportError": Trouble.CONNECTION,
    "ConnectionError": Trouble.CONNECTION,
    "ContentFilterFinishReasonError": Trouble.CONTENT_FILTER,
    "APIError": Trouble.API_ERROR,
    "OpenAIError": Trouble.API_ERROR,
    "AnthropicError": Trouble.API_ERROR,
}
_LONGEST: Final = 2_000  # characters of a message that are looked at
_YEAR: Final = 31_536_000.0  # seconds


def verdict_on(error: BaseException, *, streaming: bool = False) -> Verdict:
    """Return what a failure of a model call is.

    Args:
        error: the exception, of whichever SDK.
        streaming: whether the answer had begun to arrive.
    """
    response = getattr(error, "response", None)
    status = _status(getattr(error, "status_code", None)) or _status(getattr(response, "status_code", None))
    named = next((_BY_NAME[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in _BY_NAME), None)
    trouble = _BY_STATUS.get(status or 0) or (Trouble.API_ERROR if (status or 0) >= 400 else named)  # noqa: PLR2004
    if trouble in _REFINED and named is not Trouble.CANCELLED:
        trouble = _refined(error, by_type=trouble in {None, Trouble.API_ERROR}) or trouble
    if streaming and trouble in {None, Trouble.API_ERROR, Trouble.CONNECTION} and isinstance(error, Exception):
        trouble = Trouble.STREAM_ERROR
    return Verdict(trouble, status, retry_after(getattr(response, "headers", None)))


def retry_after(headers: Mapping[str, str] | None) -> float | None:
    """Return how many seconds a server asks to wait, as its headers say (RFC 9110); a date is not read."""
    try:
        if headers is None:
            return None
        milliseconds = headers.get("retry-after-ms")
        seconds = float(milliseconds) / 1000 if milliseconds else float(headers.get("retry-after") or "nan")
    except (AttributeError, TypeError, ValueError):
        return None
    return seconds if 0 <= seconds <= _YEAR else None


def _status(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _refined(error: BaseException, *, by_type: bool) -> Trouble | None:
    if type(error).__module__.partition(".")[0] in {"builtins", "asyncio"}:
        return None
    kind = getattr(error, "type", None)
    codes = [type(error).__name__, getattr(error, "code", None), kind]
    messages = [getattr(error, "message", None)]
    body = getattr(error, "body", None)
    if type(body) is dict:
        error_object = body.get("error")
        inner = error_object if type(error_object) is dict else body
        kind = inner.get("type")
        codes += [kind, inner.get("code"), inner.get("status")]
        messages.append(inner.get("message"))
    code = _words(codes)
    named = _said(code)
    if named is None and not any(word in code for word in _RATE_LIMITS):  # whose messages may speak of bills
        named = _said(_words(messages))
    if named is None and by_type and any(word in code for word in _RATE_LIMITS):
        named = Trouble.RATE_LIMIT
    return named or (_BY_TYPE.get(kind.lower()) if by_type and type(kind) is str else None)


def _words(said: list[Any]) -> str:
    return " ".join([each[:_LONGEST].lower() for each in said if type(each) is str])


def _said(words: str) -> Trouble | None:
    return next((trouble for word, trouble in _BY_WORD if word in words), None)
