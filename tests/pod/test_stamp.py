"""Whose an envelope is: the pod's word stands in it whatever it says itself, and the rest stays as it came."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.pod.claims import Claim
from aotel.pod.config import AgentConfig
from aotel.pod.peers import Peer
from aotel.pod.processes import Process
from aotel.pod.stamp import NoEnvelopeError, Stamp, key_of_json, mended
from tests.envelope_schema import problems_of
from tests.pod.pod_process import envelope

PEER = Peer(4242, 1000, Process(4242, 255))
CLAIM = Claim("claim_1", AgentConfig("reviewer", "code review", ("read",)), PEER.process or Process(0, 0), 1000, 1, "")
ANONYMOUS = Stamp("demo", PEER, None)
CLAIMED = Stamp("demo", PEER, CLAIM)
FORGED = {"agent_id": "boss", "agent_role": "root", "framework": "x", "more": [1]}

_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_keys = st.sampled_from(["subject", "envpod", "producer", "seq", "ids", "spec", "agent_id"]) | st.text()


def put(stamp: Stamp, content: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stamp.put(msgspec.Raw(json.dumps(content).encode())).json)
    return found


def test_an_anonymous_envelope_says_so() -> None:
    made = put(ANONYMOUS, envelope(subject=FORGED, envpod={"claim_kind": "claimed", "agent_claim_id": "c", "odd": 1}))
    assert made["subject"] == {"agent_id": "", "agent_role": "", "framework": "x", "more": [1]}
    assert made["envpod"] == {
        "pod_id": "demo",
        "pid": 4242,
        "uid": 1000,
        "claim_kind": "anonymous",
        "anonymous": {
            "pid": 4242,
            "uid": 1000,
            "session": "sess_4242_ff",
            "fingerprint": "anon_pid4242_uid1000_sesssess_4242_ff",
        },
    }


def test_a_claimed_envelope_is_the_agent_s() -> None:
    made = put(CLAIMED, envelope(subject=FORGED))
    assert made["subject"] == {"agent_id": "reviewer", "agent_role": "code review", "framework": "x", "more": [1]}
    assert made["envpod"] == {
        "pod_id": "demo",
        "pid": 4242,
        "claim_kind": "claimed",
        "agent_claim_id": "claim_1",
        "capabilities": ["read"],
        "session": "sess_4242_ff",
    }


@pytest.mark.parametrize("stamp", [ANONYMOUS, CLAIMED])
def test_a_stamped_envelope_is_still_valid(stamp: Stamp) -> None:
    ours = envelope(number=3)
    assert not problems_of(ours)
    assert not problems_of(put(stamp, ours))


@given(st.dictionaries(_keys, _json), st.sampled_from([ANONYMOUS, CLAIMED]))
def test_whatever_an_envelope_says_the_rest_of_it_stays(content: dict[str, Any], stamp: Stamp) -> None:
    made = put(stamp, content)
    assert made["subject"]["agent_id"] == (stamp.agent or "")
    assert made["envpod"] == put(stamp, {})["envpod"]
    kept = {key: value for key, value in content.items() if key not in {"subject", "envpod"}}
    assert {key: value for key, value in made.items() if key not in {"subject", "envpod"}} == kept
    if isinstance(content.get("subject"), dict):
        for key, value in content["subject"].items():
            assert key in {"agent_id", "agent_role"} or made["subject"][key] == value


def test_the_rest_stays_byte_for_byte() -> None:
    odd = b'{"payload" : {"n":1.50, "e":1E5,"s":"\\u00e4\\/"} ,"x":[ 1 , 2 ],"subject":{"f" : 1.0}}'
    made = ANONYMOUS.put(msgspec.Raw(odd)).json
    for part in (b'{"n":1.50, "e":1E5,"s":"\\u00e4\\/"}', b"[ 1 , 2 ]", b"1.0"):
        assert part in made


@pytest.mark.parametrize(
    "forged",
    [
        b'{"subject":{"agent_id":"x"},"subject":{"agent_id":"boss"},"envpod":{"pid":1},"envpod":{"pid":2}}',
        b'{"subject":{"agent_id":"x","agent_id":"boss"}}',
        b'{"subject":{"agent_id":"boss"},"\\u0073ubject":{"\\u0061gent_id":"boss"},"\\u0065nvpod":{"pid":9}}',
        b'{"subject":"boss"}',
        b'{"subject":null,"envpod":[]}',
        b"{}",
    ],
)
def test_no_spelling_gets_a_forged_identity_through(forged: bytes) -> None:
    made = ANONYMOUS.put(msgspec.Raw(forged)).json
    pairs = json.loads(made, object_pairs_hook=list)
    assert [value for key, value in pairs if key == "subject"] == [[("agent_id", ""), ("agent_role", "")]]
    assert [dict(value)["pid"] for key, value in pairs if key == "envpod"] == [4242]


@pytest.mark.parametrize("body", [b"1", b"null", b"[]", b'"x"', b"{", b"", b'{"a":' * 100_000])
def test_what_is_no_object_is_no_envelope(body: bytes) -> None:
    with pytest.raises(NoEnvelopeError, match="JSON object"):
        ANONYMOUS.put(msgspec.Raw(body))


def test_the_key_is_the_same_before_and_after() -> None:
    given_ = json.dumps(envelope("p_1", 3))
    made = ANONYMOUS.put(msgspec.Raw(given_.encode()))
    assert made.key is not None
    assert key_of_json(given_) == key_of_json(made.json.decode()) == made.key


@pytest.mark.parametrize(
    "other",
    [
        envelope("p_2", 0),
        envelope("p_1", 1),
        envelope("p_1", 2),
        envelope("p_1", 0, ids={"span_id": ""}),
        envelope('p_1"', 0),
    ],
)
def test_other_envelopes_have_other_keys(other: dict[str, object]) -> None:
    first, second = key_of_json(json.dumps(envelope("p_1", 0))), key_of_json(json.dumps(other))
    assert first is not None
    assert second is not None
    assert first != second


@pytest.mark.parametrize(
    "changed",
    [
        {"producer": ""},
        {"producer": None},
        {"producer": 7},
        {"seq": None},
        {"seq": "1"},
        {"seq": 1.5},
        {"ids": None},
        {"ids": {}},
        {"ids": {"span_id": 7}},
        {"ids": "sp_1"},
    ],
)
def test_an_envelope_that_does_not_say_enough_has_no_key(changed: dict[str, object]) -> None:
    assert key_of_json(json.dumps(envelope(**changed))) is None  # type: ignore[arg-type]


def test_an_envelope_without_them_has_no_key() -> None:
    for missing in ("producer", "seq", "ids"):
        made = envelope()
        del made[missing]
        assert key_of_json(json.dumps(made)) is None


@given(_json | st.dictionaries(_keys, _json))
def test_any_json_has_a_short_key_or_none(content: object) -> None:
    key = key_of_json(json.dumps(content))
    assert key is None or len(key) <= 128


def test_a_long_key_is_kept_short_and_still_tells_apart() -> None:
    keys = {key_of_json(json.dumps(envelope("p" * 10_000 + end, 0))) for end in "abc"}
    assert None not in keys
    assert len(keys) == 3
    assert all(len(key or b"") < 128 for key in keys)


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
def test_lone_surrogates_are_mended_and_the_rest_stays(text: str) -> None:
    line = json.dumps({"a": text, "b": text + '\\ud800"'}).encode()
    made = mended(line)
    try:
        text.encode()
    except UnicodeEncodeError:
        # Python joins the halves of a pair that were written one by one; what is left over becomes U+FFFD.
        expected = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        assert made is not None
        assert msgspec.json.decode(made)["a"] == json.loads(json.dumps(expected))
    else:
        assert made is None
