"""The protocol of a local pod's `identity.sock`: one JSON line a request, one JSON line a reply.

It is aotel's own, not the pod runtime's. Who asks is who the kernel says; what a message carries beyond the fields
named here is ignored. Refusals are `aotel.envelopes.protocol.Refused`.
"""

from __future__ import annotations

from typing import TypeAlias, Union

import msgspec
from msgspec import UNSET, UnsetType

from aotel.envelopes.protocol import RateLimited, Refused, decode_as


class Claim(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="claim"):
    """The wish to be an agent, from the process that asks down to all that it starts.

    Attributes:
        agent: the agent's id, one of those the pod knows.
        ttl_secs: how long, in seconds; the pod's own measure by default.
    """

    agent: str
    ttl_secs: float | None = None


class Release(msgspec.Struct, frozen=True, tag_field="type", tag="release"):
    """The end of a claim before its time; only the process that made it may ask."""

    claim_id: str


class WhoAmI(msgspec.Struct, frozen=True, tag_field="type", tag="whoami"):
    """The question whom the pod takes the process for."""


class ClaimOk(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    """A claim that was made.

    Attributes:
        claim_id: its name; to release it.
        agent_id: the agent.
        agent_role: in which role it acts.
        capabilities: what it may do.
        expires_at: when the claim ends, RFC 3339 in UTC.
    """

    claim_id: str
    agent_id: str
    agent_role: str = ""
    capabilities: list[str] = []
    expires_at: str = ""


class ReleaseOk(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    """A claim that is no more."""

    claim_id: str = ""


class WhoAmIOk(msgspec.Struct, frozen=True, tag_field="status", tag="ok"):
    """Whom the pod takes the process for; without a claim, `claim_kind` is "anonymous" and the agent is empty."""

    pid: int
    uid: int
    session: str
    claim_kind: str
    agent_id: str = ""
    agent_role: str = ""
    capabilities: list[str] = []
    claim_id: Union[str, UnsetType] = UNSET  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    expires_at: Union[str, UnsetType] = UNSET  # noqa: UP007


IdentityRequest: TypeAlias = Claim | Release | WhoAmI
IdentityAnswer: TypeAlias = ClaimOk | ReleaseOk | WhoAmIOk | RateLimited | Refused

_encoder = msgspec.json.Encoder()
_request: msgspec.json.Decoder[IdentityRequest] = msgspec.json.Decoder(Claim | Release | WhoAmI)
_claim_reply: msgspec.json.Decoder[ClaimOk | RateLimited | Refused] = msgspec.json.Decoder(
    ClaimOk | RateLimited | Refused
)
_release_reply: msgspec.json.Decoder[ReleaseOk | RateLimited | Refused] = msgspec.json.Decoder(
    ReleaseOk | RateLimited | Refused
)
_who_reply: msgspec.json.Decoder[WhoAmIOk | RateLimited | Refused] = msgspec.json.Decoder(
    WhoAmIOk | RateLimited | Refused
)


def encode(message: IdentityRequest | IdentityAnswer) -> bytes:
    """Return a message as the line that is sent, line end included."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> IdentityRequest:
    """Read one request.

    Raises:
        ProtocolError: it is not JSON, of an unknown type, or a field has another type.
    """
    return decode_as(_request, line, "request")


def decode_claim_reply(line: bytes) -> ClaimOk | RateLimited | Refused:
    """Read the reply to a `Claim`.

    Raises:
        ProtocolError: it is none.
    """
    return decode_as(_claim_reply, line, "reply")


def decode_release_reply(line: bytes) -> ReleaseOk | RateLimited | Refused:
    """Read the reply to a `Release`.

    Raises:
        ProtocolError: it is none.
    """
    return decode_as(_release_reply, line, "reply")


def decode_who_reply(line: bytes) -> WhoAmIOk | RateLimited | Refused:
    """Read the reply to a `WhoAmI`.

    Raises:
        ProtocolError: it is none.
    """
    return decode_as(_who_reply, line, "reply")
