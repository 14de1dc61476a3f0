"""What became of a call to a stock OTLP exporter, which itself only says success or failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from aotel.export.refusals import asked_by_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.export.quiet import Heard

_LENGTH = 500  # characters of a reason

# OTLP 1.9: what a client may retry, by gRPC status and by HTTP status.
_TRANSIENT: Final = frozenset(
    {
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
        429,
        502,
        503,
        504,
    }
)
_UNSUPPORTED: Final = frozenset({"UNIMPLEMENTED", 404, 405, 501})
_DENIED: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", 401, 403})
# gRPC has no status of its own for this: servers in C++, Go and Java say the first, those in Rust the second.
_MAY_BE_SIZE: Final = frozenset({"RESOURCE_EXHAUSTED", "OUT_OF_RANGE"})
_SIZE: Final = re.compile(r"larger than|too large|exceeds? (the )?max", re.IGNORECASE)
_TOO_LARGE: Final = 413


class Verdict(Enum):
    """What to do after a call."""

    DELIVERED = "delivered"
    TRANSIENT = "to be tried again later"
    REFUSED = "not to be tried again"
    DENIED = "the receiver doesn't know the key, or what it may do"
    TOO_LARGE = "the request is larger than the receiver takes"
    UNSUPPORTED = "the receiver doesn't take this signal at all"
    UNENCODABLE = "at least one of the items can't be encoded"


@dataclass(frozen=True)
class Outcome:
    """A verdict, and the reason for it in the stock exporter's words.

    Attributes:
        verdict: what to do.
        reason: why, on one line.
        retry_after: seconds that the receiver asks to be left alone.
    """

    verdict: Verdict
    reason: str = ""
    retry_after: float = 0.0


@dataclass
class Report:
    """What the exporter's own metrics were told about a failed call, and what HTTP replies said beside their status."""

    error: object = None
    attributes: Mapping[str, object] | None = None
    retry_after: float = 0.0

    def clear(self) -> None:
        """Forget the last call."""
        self.error = self.attributes = None
        self.retry_after = 0.0


def judge(*, delivered: bool, report: Report, heard: Heard) -> Outcome:
    """Return what a call that returned came to."""
    if delivered:
        return Outcome(Verdict.DELIVERED)
    status = _status(report, heard)
    reason = _reason(report, heard, status)
    if status is None:
        if isinstance(report.error, Exception) and not isinstance(report.error, OSError):
            # Neither a reply nor a broken connection: it didn't come as far as sending.
            return Outcome(Verdict.UNENCODABLE, reason)
        return Outcome(Verdict.TRANSIENT, reason)
    retry_after = report.retry_after or asked_by_grpc(report.error)
    return Outcome(_verdict(status, reason), reason, retry_after)


def _verdict(status: str | int, reason: str) -> Verdict:
    if status == _TOO_LARGE or (status in _MAY_BE_SIZE and _SIZE.search(reason)):
        return Verdict.TOO_LARGE
    if status in _UNSUPPORTED:
        return Verdict.UNSUPPORTED
    if status in _DENIED:
        return Verdict.DENIED
    return Verdict.TRANSIENT if status in _TRANSIENT else Verdict.REFUSED


def _status(report: Report, heard: Heard) -> str | int | None:
    """Return the gRPC status' name or the HTTP status; from the log where the exporter keeps no metrics."""
    for name, value in (report.attributes or {}).items():
        if name.endswith("status_code") and isinstance(value, str | int):
            return value
    for argument in reversed(heard.arguments):
        if type(argument).__name__ == "StatusCode":
            return str(getattr(argument, "name", argument))
        if type(argument) is int and 100 <= argument < 600:  # noqa: PLR2004  HTTP statuses
            return argument
    return None


def _reason(report: Report, heard: Heard, status: str | int | None) -> str:
    details = getattr(report.error, "details", None)  # of a gRPC error, whose own words are five lines
    details = str(details() or "") if callable(details) else ""
    if not heard.messages:
        return _line(f"{status}: {details}" if details else str(report.error or status or "it failed without a word"))
    reason = heard.messages[-1]
    # "Max retries", and the like: what was wrong each time is in the message before, if there was a second time.
    detail = heard.messages[-2] if len(heard.messages) > 1 else report.error or status
    if "code" not in reason and detail:
        return _line(f"{reason} ({detail})")
    return _line(reason if details in reason else f"{reason} ({details})")


def _line(text: str) -> str:
    return " ".join(text.split())[:_LENGTH]
