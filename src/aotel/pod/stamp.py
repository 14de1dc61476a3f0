"""The pod's word on whose an envelope is: it overwrites what the envelope itself says, and nothing else."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from aotel.errors import AotelError

if TYPE_CHECKING:
    from aotel.pod.claims import Claim
    from aotel.pod.peers import Peer

_KNOWN_SUBJECTS = 64  # of one sender; one has hardly more than one
_LONGEST_SUBJECT = 1024  # bytes of one that is remembered
_LONGEST_KEY = 128

_encoder = msgspec.json.Encoder()
_object: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ESCAPE = re.compile(
    rb"\\(?:"  # in front of all of it: a search skips what has none
    rb"[^u](?:\\[^u])*"  # whatever else is escaped, other backslashes among it
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb")"
)
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class NoEnvelopeError(AotelError):
    """What should be an envelope is no JSON object."""


class _SpanId(msgspec.Struct):
    span_id: msgspec.Raw = msgspec.Raw()


class _Said(msgspec.Struct):
    agent_claim_id: str = ""


_said: msgspec.json.Decoder[_Said] = msgspec.json.Decoder(_Said)
_span_id: msgspec.json.Decoder[_SpanId] = msgspec.json.Decoder(_SpanId)
_EMPTY = (b"", b'""', b"null")


class Stamped(msgspec.Struct, gc=False):
    """An envelope with the pod's word on it.

    Attributes:
        json: the envelope.
        key: what tells it from every other one; None if it doesn't say.
        claim_id: the claim that it named itself, whoever's that is; "" for none.
    """

    json: bytes
    key: bytes | None
    claim_id: str


class Stamp:
    """What the envelopes of one peer get, as long as the same claim covers it.

    Args:
        pod_id: this pod.
        peer: who sends them.
        claim: whose claim covers the peer, if one does.
    """

    def __init__(self, pod_id: str, peer: Peer, claim: Claim | None) -> None:
        self.claim = claim
        self.agent = None if claim is None else claim.agent.id
        self._agent_id = msgspec.Raw(_encoder.encode(self.agent or ""))
        self._agent_role = msgspec.Raw(_encoder.encode("" if claim is None else claim.agent.role))
        self._envpod = msgspec.Raw(_encoder.encode(_envpod(pod_id, peer, claim)))
        self._subjects: dict[bytes, msgspec.Raw] = {}
        self._last_said: tuple[bytes, str] = (b"", "")

    def put(self, envelope: msgspec.Raw) -> Stamped:
        """Return an envelope as it goes into the log.

        Raises:
            NoEnvelopeError: it is no JSON object.
        """
        try:
            found = _object.decode(envelope)
        except UNREADABLE as error:
            raise NoEnvelopeError(f"an envelope is a JSON object: {error}") from error
        key = key_of(found)
        subject = bytes(found.get("subject", b""))
        known = self._subjects.get(subject)
        found["subject"] = self._subject(subject) if known is None else known
        claim_id = self._claim_id(bytes(found.get("envpod", b"")))
        found["envpod"] = self._envpod
        return Stamped(_encoder.encode(found), key, claim_id)

    def _claim_id(self, said: bytes) -> str:
        """Return the claim that an envelope's own `envpod` names."""
        if said != self._last_said[0]:  # a sender says the same each time
            try:
                self._last_said = said, _said.decode(said).agent_claim_id
            except UNREADABLE:
                self._last_said = said, ""
        return self._last_said[1]

    def _subject(self, given: bytes) -> msgspec.Raw:
        try:
            subject = _object.decode(given)
        except UNREADABLE:  # not there, or something else
            subject = {}
        subject["agent_id"] = self._agent_id
        subject["agent_role"] = self._agent_role
        made = msgspec.Raw(_encoder.encode(subject))
        if len(self._subjects) < _KNOWN_SUBJECTS and len(given) <= _LONGEST_SUBJECT:
            self._subjects[given] = made
        return made


def key_of(envelope: dict[str, msgspec.Raw]) -> bytes | None:
    """Return what envelopes are told apart by: producer, span and number; None if one of them is missing or odd."""
    try:
        producer = bytes(envelope["producer"])
        seq = bytes(envelope["seq"])
        span_id = bytes(_span_id.decode(envelope["ids"]).span_id)
    except (KeyError, *UNREADABLE):
        return None
    if producer in _EMPTY or producer[:1] != b'"' or not seq.isdigit() or span_id[:1] != b'"':
        return None
    # As JSON strings, none of them can be mistaken for the end of another. A span id may be empty: outside any span
    # a producer counts all it emits.
    key = producer + span_id + seq
    # Nobody may make the pod remember more than that: ids are short where they are honest.
    return key if len(key) <= _LONGEST_KEY else hashlib.blake2b(key, digest_size=32).digest()


def key_of_json(envelope: str) -> bytes | None:
    """Return the key of an envelope in the log."""
    try:
        return key_of(_object.decode(envelope))
    except UNREADABLE:
        return None


def mended(line: bytes) -> bytes | None:
    """Return a line with each lone surrogate escape as U+FFFD, or None if there are none.

    Python's own `json` writes such escapes, for file names that are no UTF-8 among others; strict readers refuse them.
    """
    if rb"\ud" not in line and rb"\uD" not in line:
        return None  # which costs next to nothing, however long a line of rubbish is
    made = _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], line)
    return None if made == line else made


def _envpod(pod_id: str, peer: Peer, claim: Claim | None) -> dict[str, object]:
    if claim is not None:
        return {
            "pod_id": pod_id,
            "pid": peer.pid,
            "claim_kind": "claimed",
            "agent_claim_id": claim.id,
            "capabilities": claim.agent.capabilities,
            "session": peer.session,
        }
    return {
        "pod_id": pod_id,
        "pid": peer.pid,
        "uid": peer.uid,
        "claim_kind": "anonymous",
        "anonymous": {
            "pid": peer.pid,
            "uid": peer.uid,
            "session": peer.session,
            "fingerprint": f"anon_pid{peer.pid}_uid{peer.uid}_sess{peer.session}",
        },
    }
