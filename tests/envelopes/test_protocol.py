"""The pod's protocol: what is sent parses as what was meant, and nothing that comes makes the reader fail oddly."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.envelopes import protocol

if TYPE_CHECKING:
    from collections.abc import Callable

Decode: TypeAlias = "Callable[[bytes], protocol.Request | protocol.Answer]"

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_object = st.dictionaries(st.text(), _json, max_size=5)
_decoders = st.sampled_from(
    [
        protocol.decode_request,
        protocol.decode_reply,
        protocol.decode_batch_reply,
        protocol.decode_hello_reply,
    ]
)
_status = st.sampled_from(["ok", "rate_limited", "error", "queued", ""]) | st.text()


def _dumped(value: object, *, indent: int | None = None) -> bytes:
    return json.dumps(value, indent=indent).encode()


@given(_object)
def test_single_request_is_one_line_that_carries_the_envelope(envelope: dict[str, object]) -> None:
    line = protocol.encode(protocol.AgentCoat(protocol.raw(_dumped(envelope))))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"type": "agent_coat", "envelope": envelope}


@given(st.lists(_object, max_size=5))
def test_batch_request_is_one_line_that_carries_the_envelopes(envelopes: list[dict[str, object]]) -> None:
    line = protocol.encode(protocol.AgentCoatBatch([protocol.raw(_dumped(each)) for each in envelopes]))
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"type": "agent_coat_batch", "envelopes": envelopes}


@given(_object)
def test_request_round_trips(envelope: dict[str, object]) -> None:
    request = protocol.decode_request(protocol.encode(protocol.AgentCoat(protocol.raw(_dumped(envelope)))))
    assert isinstance(request, protocol.AgentCoat)
    assert json.loads(bytes(request.envelope)) == envelope


def test_pretty_printed_envelope_still_makes_one_line() -> None:
    line = protocol.encode(protocol.AgentCoat(protocol.raw(_dumped({"a": [1, {"b": "\n"}]}, indent=2))))
    assert line.count(b"\n") == 1
    assert json.loads(line)["envelope"] == {"a": [1, {"b": "\n"}]}


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b'1},{"type":"hello"', b"{"])
def test_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(protocol.ProtocolError, match="JSON object"):
        protocol.raw(body)


def test_replies_on_the_wire() -> None:
    assert json.loads(protocol.encode(protocol.Hello())) == {"type": "hello"}
    assert json.loads(protocol.encode(protocol.Ok("agent_coat"))) == {"status": "ok", "action": "agent_coat"}
    assert json.loads(protocol.encode(protocol.RateLimited())) == {"status": "rate_limited"}
    assert json.loads(protocol.encode(protocol.Refused("why"))) == {"status": "error", "message": "why"}
    assert json.loads(protocol.encode(protocol.BatchOk(2, 1, [protocol.Rejection(0, "bad")]))) == {
        "status": "ok",
        "accepted": 2,
        "duplicates": 1,
        "rejected": [{"index": 0, "message": "bad"}],
    }


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b'{"status":"ok","action":"agent_coat"}', protocol.Ok("agent_coat")),
        (b'{"status":"ok","session":"new","more":[1]}', protocol.Ok(session="new")),
        (b'{"status":"ok","action":7}', protocol.Ok()),
        (b'{"status":"rate_limited","retry_after":0.5}', protocol.RateLimited(0.5)),
        (b'{"status":"rate_limited","retry_after":"2"}', protocol.RateLimited(2.0)),
        (b'{"status":"rate_limited","retry_after":"soon"}', protocol.RateLimited()),
        (b'{"status":"rate_limited","retry_after":"nan"}', protocol.RateLimited()),
        (b'{"status":"error","message":"no"}', protocol.Refused("no")),
        (b'{"status":"error","message":null}', protocol.Refused()),
        (b'{"status":"queued"}', protocol.Refused("unknown status 'queued'")),
    ],
)
def test_reply_is_read_by_its_status(line: bytes, reply: object) -> None:
    assert protocol.decode_reply(line) == reply


def test_plain_ok_to_a_batch_accepts_all_of_it() -> None:
    assert protocol.decode_batch_reply(b'{"status":"ok"}') == protocol.BatchOk()


def test_unreadable_ok_to_a_batch_is_no_acceptance() -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode_batch_reply(b'{"status":"ok","accepted":"all"}')


def test_odd_hello_is_a_server_without_features() -> None:
    assert protocol.decode_hello_reply(b'{"status":"ok","features":"many"}') == protocol.HelloOk()


@pytest.mark.parametrize(
    "line", [b"", b"null", b"[]", b"{}", b'{"status":1}', b"\xff", b"[" * 100_000, b'{"status":"ok"', b"GET / HTTP/1.1"]
)
def test_what_is_no_reply_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode_reply(line)


@given(_decoders, st.binary() | _object.map(_dumped))
def test_any_bytes_are_a_message_or_a_protocol_error(decode: Decode, line: bytes) -> None:
    with contextlib.suppress(protocol.ProtocolError):
        assert isinstance(decode(line), msgspec.Struct)


@given(_decoders.filter(lambda decode: decode is not protocol.decode_request), _status, _object)
def test_status_alone_decides_what_a_reply_is(decode: Decode, status: str, more: dict[str, object]) -> None:
    line = _dumped({**more, "status": status})
    try:
        reply = decode(line)
    except protocol.ProtocolError:
        assert decode is protocol.decode_batch_reply
        assert status == "ok"
        return
    accepted = isinstance(reply, protocol.Ok | protocol.BatchOk | protocol.HelloOk)
    assert accepted == (status == "ok")
    assert isinstance(reply, protocol.RateLimited) == (status == "rate_limited")


@given(st.lists(st.builds(protocol.Rejection, st.integers(0, 9), st.text()), max_size=3), st.integers(0, 99))
def test_batch_reply_round_trips(rejected: list[protocol.Rejection], accepted: int) -> None:
    reply = protocol.BatchOk(accepted, 0, rejected)
    assert protocol.decode_batch_reply(protocol.encode(reply)) == reply


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (b'{"type":"list_actions"}', protocol.ListActions()),
        (b'{"type":"call","action":"a","params":{"x":1},"more":2}', protocol.Call("a", {"x": 1})),
        (b'{"action":"a","type":"call"}', protocol.Call("a")),
        (b'{"type":"submit","description":"d"}', protocol.Submit("d", "staged")),
        (b'{"type":"poll","id":"i"}', protocol.Poll("i")),
        (b'{"type":"hello"}', protocol.Hello()),
    ],
)
def test_request_to_the_queue_is_read(line: bytes, request_: protocol.QueueRequest) -> None:
    assert protocol.decode_queue_request(line) == request_
    assert protocol.decode_queue_request(protocol.encode(request_)) == request_


def test_envelopes_and_events_stay_as_they_came() -> None:
    line = b'{"type":"agent_coat","envelope":{"b" : 1.50,  "a":"\\u00e4"}}'
    request = protocol.decode_queue_request(line)
    assert isinstance(request, protocol.AgentCoat)
    assert bytes(request.envelope) == b'{"b" : 1.50,  "a":"\\u00e4"}'
    request = protocol.decode_queue_request(b'{"type":"activity","events":[{"x" :1},2]}')
    assert isinstance(request, protocol.Activity)
    assert [bytes(each) for each in request.events] == [b'{"x" :1}', b"2"]


@given(st.binary() | _object.map(_dumped))
def test_any_bytes_to_the_queue_are_a_request_or_a_protocol_error(line: bytes) -> None:
    with contextlib.suppress(protocol.ProtocolError):
        assert isinstance(protocol.decode_queue_request(line), msgspec.Struct)


def test_session_is_said_only_where_it_is_known() -> None:
    assert "session" not in json.loads(protocol.encode(protocol.BatchOk(1)))
    assert json.loads(protocol.encode(protocol.HelloOk("s", session="new")))["session"] == "new"


def test_raw_is_not_parsed() -> None:
    assert isinstance(protocol.raw(b'{"broken": }'), msgspec.Raw)
