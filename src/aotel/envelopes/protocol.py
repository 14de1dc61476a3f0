"""The pod's protocol: one JSON line a request, one JSON line a reply, as typed messages.

Requests are tagged by `type` and replies by `status`; both come from the pod runtime's own wire format. What a
message carries beyond the fields named here is ignored, so that either side may grow.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias, TypeVar, Union

import msgspec
from msgspec import UNSET, UnsetType

from aotel.errors import AotelError

Message = TypeVar("Message")

MAX_LINE: Final = 1 << 20
"""Bytes of the longest line either side has to take, its line end included."""

BATCH_FEATURE: Final = "agent_coat_batch"
"""What a server names among the `features` of its `hello` when it takes several envelopes a request."""


class ProtocolError(AotelError, ValueError):
    """A line that is no message of this protocol."""


class AgentCoat(msgspec.Struct, frozen=True, tag_field="type", tag="agent_coat"):
    """One envelope to be audited; the JSON is passed on as it is, never parsed again."""

    envelope: msgspec.Raw


class AgentCoatBatch(msgspec.Struct, frozen=True, tag_field="type", tag="agent_coat_batch"):
    """Several envelopes to be audited; only for servers that name `BATCH_FEATURE`."""

    envelopes: list[msgspec.Raw]


class Hello(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The question what a server can do."""


class Activity(msgspec.Struct, frozen=True, tag_field="type", tag="activity"):
    """What a process tells of its own doings: each event an object with an `action` of the audit log."""

    events: list[msgspec.Raw]


class ListActions(msgspec.Struct, frozen=True, tag_field="type", tag="list_actions"):
    """The question which actions can be called."""


class Call(msgspec.Struct, frozen=True, tag_field="type", tag="call"):
    """An action of the list, to be carried out as its tier says."""

    action: str
    params: dict[str, Any] = {}


class Submit(msgspec.Struct, frozen=True, tag_field="type", tag="submit"):
    """Something in words, for which a person is asked."""

    description: str
    tier: str = "staged"


class Poll(msgspec.Struct, frozen=True, tag_field="type", tag="poll"):
    """The question what became of a call or a submission."""

    id: str


class Ok(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="status", tag="ok"):
    """The envelope of an `AgentCoat` is in the audit log."""

    action: str | None = None
    session: str | None = None


class Rejection(msgspec.Struct, frozen=True):
    """An envelope of a batch that was refused: its place in the batch, and why."""

    index: int
    message: str = ""


class BatchOk(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    """What became of a batch: every envelope is accepted, a duplicate of an accepted one, or rejected.

    Without `accepted`, all are that are not rejected.
    """

    accepted: int | None = None
    duplicates: int = 0
    rejected: list[Rejection] = []
    session: Union[str, UnsetType] = UNSET  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too


class HelloOk(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    """Who a server is, and what it can do beyond `agent_coat`."""

    server: str = ""
    version: str = ""
    features: list[str] = []
    session: Union[str, UnsetType] = UNSET  # noqa: UP007


class RateLimited(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="status", tag="rate_limited"):
    """Not taken now: to be sent again, after `retry_after` seconds if the server says so."""

    retry_after: float | None = None
    message: str = ""


class Refused(msgspec.Struct, frozen=True, tag_field="status", tag="error"):
    """Not taken, and not to be sent again."""

    message: str = ""


Request: TypeAlias = AgentCoat | AgentCoatBatch | Hello
"""What exporters send."""
QueueRequest: TypeAlias = Request | Activity | ListActions | Call | Submit | Poll
"""All that a pod's queue socket takes."""
Answer: TypeAlias = Ok | BatchOk | HelloOk | RateLimited | Refused


class _Status(msgspec.Struct):
    """The least a reply says; what else it carries may be of any shape."""

    status: str
    message: object = ""
    retry_after: object = None


_encoder = msgspec.json.Encoder()
_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(AgentCoat | AgentCoatBatch | Hello)
_queue_request: msgspec.json.Decoder[QueueRequest] = msgspec.json.Decoder(
    AgentCoat | AgentCoatBatch | Hello | Activity | ListActions | Call | Submit | Poll
)
_reply: msgspec.json.Decoder[Ok | RateLimited | Refused] = msgspec.json.Decoder(Ok | RateLimited | Refused)
_batch_reply: msgspec.json.Decoder[BatchOk | RateLimited | Refused] = msgspec.json.Decoder(
    BatchOk | RateLimited | Refused
)
_hello_reply: msgspec.json.Decoder[HelloOk | RateLimited | Refused] = msgspec.json.Decoder(
    HelloOk | RateLimited | Refused
)
_status: msgspec.json.Decoder[_Status] = msgspec.json.Decoder(_Status)

# RecursionError: msgspec's answer to JSON that is nested deeper than the interpreter's stack.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def raw(envelope: bytes) -> msgspec.Raw:
    """Return an encoded envelope as it goes into a request, unparsed.

    Args:
        envelope: a JSON object in UTF-8.

    Raises:
        ProtocolError: it is no JSON object to look at, and would break the request apart.
    """
    text = envelope.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        raise ProtocolError(f"an envelope is a JSON object, got {_shown(envelope)}")
    if b"\n" in text or b"\r" in text:
        # Inside a JSON string line ends are escaped: a bare one is white space between tokens.
        text = text.replace(b"\n", b" ").replace(b"\r", b" ")
    return msgspec.Raw(text)


def encode(message: QueueRequest | Answer) -> bytes:
    """Return a message as the line that is sent, line end included."""
    return _encoder.encode(message) + b"\n"


def decode_as(decoder: msgspec.json.Decoder[Message], line: bytes, what: str) -> Message:
    """Read a line of any of a pod's sockets.

    Args:
        decoder: of the messages that it may be.
        line: what came.
        what: what it should be, for the error: "request" or "reply".

    Raises:
        ProtocolError: it is none of those messages.
    """
    try:
        return decoder.decode(line)
    except _UNREADABLE as error:
        raise ProtocolError(f"{_shown(line)} is no {what}: {error}") from error


def decode_request(line: bytes) -> Request:
    """Read one request.

    Raises:
        ProtocolError: it is not JSON, of an unknown type, or a field has another type.
    """
    return decode_as(_request, line, "request")


def decode_queue_request(line: bytes) -> QueueRequest:
    """Read one request of all that a queue socket takes; envelopes and events are not looked into.

    Raises:
        ProtocolError: it is not JSON, of an unknown type, or a field has another type.
    """
    return decode_as(_queue_request, line, "request")


def decode_reply(line: bytes) -> Ok | RateLimited | Refused:
    """Read the reply to an `AgentCoat`.

    Raises:
        ProtocolError: it is not a JSON object with a `status`.
    """
    try:
        return _reply.decode(line)
    except _UNREADABLE:
        found = _read_status(line)
        return Ok() if found is None else found


def decode_batch_reply(line: bytes) -> BatchOk | RateLimited | Refused:
    """Read the reply to an `AgentCoatBatch`.

    Raises:
        ProtocolError: it is not a JSON object with a `status`, or an `ok` that can't be read.
    """
    try:
        return _batch_reply.decode(line)
    except _UNREADABLE as error:
        found = _read_status(line)
        if found is None:
            raise ProtocolError(f"{_shown(line)} doesn't say what became of the batch: {error}") from error
        return found


def decode_hello_reply(line: bytes) -> HelloOk | RateLimited | Refused:
    """Read the reply to a `Hello`; an `ok` in a shape of its own counts as a server without features.

    Raises:
        ProtocolError: it is not a JSON object with a `status`.
    """
    try:
        return _hello_reply.decode(line)
    except _UNREADABLE:
        found = _read_status(line)
        return HelloOk() if found is None else found


def _read_status(line: bytes) -> RateLimited | Refused | None:
    """Read a reply by its status alone; None stands for `ok`."""
    reply = decode_as(_status, line, "reply")
    if reply.status == "ok":
        return None
    if reply.status == "rate_limited":
        return RateLimited(_seconds(reply.retry_after))
    message = reply.message if isinstance(reply.message, str) else ""
    # A status from another protocol doesn't say "it is in the audit log", and only that counts as delivered.
    return Refused(message if reply.status == "error" else f"unknown status {reply.status[:80]!r} {message}".rstrip())


def _seconds(value: object) -> float | None:
    try:
        seconds = float(value) if isinstance(value, int | float | str) else -1.0
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None


def _shown(line: bytes) -> str:
    return repr(line[:80]) if len(line) <= 80 else f"{line[:80]!r}... ({len(line)} bytes)"  # noqa: PLR2004
