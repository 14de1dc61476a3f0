"""The protocol of `identity.sock`: what is sent is what is read, and nothing that comes makes the reader fail oddly."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.envelopes import identity_protocol as protocol
from aotel.envelopes.protocol import ProtocolError, RateLimited, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

Decode: TypeAlias = "Callable[[bytes], protocol.IdentityRequest | protocol.IdentityAnswer]"

_requests = st.one_of(
    st.builds(protocol.Claim, st.text(), st.none() | st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(protocol.Release, st.text()),
    st.just(protocol.WhoAmI()),
)
_decoders: st.SearchStrategy[Decode] = st.sampled_from(
    [
        protocol.decode_request,
        protocol.decode_claim_reply,
        protocol.decode_release_reply,
        protocol.decode_who_reply,
    ]
)


@given(_requests)
def test_request_round_trips_in_one_line(request: protocol.IdentityRequest) -> None:
    line = protocol.encode(request)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert protocol.decode_request(line) == request


def test_requests_on_the_wire() -> None:
    assert json.loads(protocol.encode(protocol.Claim("a", 60))) == {"type": "claim", "agent": "a", "ttl_secs": 60}
    assert json.loads(protocol.encode(protocol.Claim("a"))) == {"type": "claim", "agent": "a"}
    assert json.loads(protocol.encode(protocol.Release("c"))) == {"type": "release", "claim_id": "c"}
    assert json.loads(protocol.encode(protocol.WhoAmI())) == {"type": "whoami"}


def test_replies_on_the_wire() -> None:
    claimed = protocol.ClaimOk("c", "reviewer", "review", ["read"], "2026-01-01T00:00:00.000Z")
    assert json.loads(protocol.encode(claimed)) == {
        "status": "ok",
        "claim_id": "c",
        "agent_id": "reviewer",
        "agent_role": "review",
        "capabilities": ["read"],
        "expires_at": "2026-01-01T00:00:00.000Z",
    }
    assert protocol.decode_claim_reply(protocol.encode(claimed)) == claimed
    anonymous = protocol.WhoAmIOk(1, 2, "sess_1", "anonymous")
    assert "claim_id" not in json.loads(protocol.encode(anonymous))
    assert protocol.decode_who_reply(protocol.encode(anonymous)) == anonymous


@pytest.mark.parametrize(
    "decode", [protocol.decode_claim_reply, protocol.decode_release_reply, protocol.decode_who_reply]
)
def test_refusals_are_read_wherever_they_come(decode: Decode) -> None:
    assert decode(b'{"status":"error","message":"no"}') == Refused("no")
    assert decode(b'{"status":"rate_limited","retry_after":1}') == RateLimited(1.0)


@given(_decoders, st.binary() | st.dictionaries(st.text(), st.text()).map(lambda each: json.dumps(each).encode()))
def test_any_bytes_are_a_message_or_a_protocol_error(decode: Decode, line: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode(line), msgspec.Struct)
