"""What the operator asks over `control.sock`: the queue, a decision on an action, how the pod is.

An agent may ask nothing here, so that none approves what it has asked for itself.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union

import msgspec
from msgspec import Struct

from aotel.audit import actions
from aotel.envelopes.protocol import ProtocolError, RateLimited, Refused, decode_as
from aotel.envelopes.times import timestamp
from aotel.errors import AotelError

if TYPE_CHECKING:
    from aotel.pod.peers import Peer
    from aotel.pod.requested import Requested
    from aotel.pod.server import Pod

_NS = 1_000_000_000
_ROOT = 0
_SHOWN = 80  # characters of an id that is refused
_LINUX = sys.platform == "linux"


class QueueList(Struct, frozen=True, tag_field="type", tag="queue_list"):
    """The question what waits for a decision."""


class QueueDecide(Struct, frozen=True, tag_field="type", tag="queue_decide"):
    """A decision on an action, named by its id or the first 8 characters of it or more."""

    id: str
    decision: Literal["approve", "deny"]


class Status(Struct, frozen=True, tag_field="type", tag="status"):
    """The question how the pod is."""


class Waiting(Struct, frozen=True, omit_defaults=True):
    """An action that waits for a decision.

    Attributes:
        id: its name.
        description: what it is, in full; for a call, the action with its parameters as JSON.
        tier: staged or delayed.
        by: pid and uid of who asked.
        created_at: when, RFC 3339 in UTC.
        due_at: when it is approved by itself.
        action: of a call, the configured action.
        params: of a call, what it was called with.
    """

    id: str
    description: str
    tier: str
    by: dict[str, int]
    created_at: str
    due_at: str = ""
    action: Union[str, None] = None  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    params: dict[str, Any] = {}


class QueueListOk(Struct, frozen=True, tag_field="status", tag="ok"):
    """What waits, the oldest first."""

    actions: list[Waiting]


class QueueDecideOk(Struct, frozen=True, tag_field="status", tag="ok"):
    """What was decided on; `state` is how the action stands now."""

    id: str
    state: str
    description: str


Request: TypeAlias = QueueList | QueueDecide | Status
_Reply: TypeAlias = QueueListOk | QueueDecideOk | Refused | dict[str, object]

_encoder = msgspec.json.Encoder()
_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_listed: msgspec.json.Decoder[QueueListOk | RateLimited | Refused] = msgspec.json.Decoder(
    QueueListOk | RateLimited | Refused
)
_decided: msgspec.json.Decoder[QueueDecideOk | RateLimited | Refused] = msgspec.json.Decoder(
    QueueDecideOk | RateLimited | Refused
)


def handle(line: bytes, peer: Peer, pod: Pod) -> bytes:
    """Answer a line of `control.sock`; never raises for what a line may contain.

    Args:
        line: the request, without its line end.
        peer: who asks.
        pod: the pod.

    Returns:
        The reply, its line end included.
    """
    return _encoder.encode(_answer(line, peer, pod)) + b"\n"


def encode(request: Request) -> bytes:
    """Return a request as the line that is sent, line end included."""
    return _encoder.encode(request) + b"\n"


def decode_list_reply(line: bytes) -> QueueListOk | RateLimited | Refused:
    """Read the reply to a `QueueList`.

    Raises:
        ProtocolError: it is none.
    """
    return decode_as(_listed, line, "reply")


def decode_decision_reply(line: bytes) -> QueueDecideOk | RateLimited | Refused:
    """Read the reply to a `QueueDecide`.

    Raises:
        ProtocolError: it is none.
    """
    return decode_as(_decided, line, "reply")


def _answer(line: bytes, peer: Peer, pod: Pod) -> _Reply:
    try:
        request = decode_as(_request, line, "request")
    except ProtocolError as error:
        message = str(error)
        detail: dict[str, object] = {"message": message, "bytes": len(line), **peer.by}
        pod.append(actions.BAD_REQUEST, detail, success=False, agent=pod.agent_of(peer))
        return Refused(message)
    why = _why_not(peer, pod)
    if why:
        _note_refusal(request, why, peer, pod)
        return Refused(why)
    try:
        return _carry_out(request, peer, pod)
    except AotelError as error:
        return Refused(str(error))


def _why_not(peer: Peer, pod: Pod) -> str:
    """Return why a peer may ask nothing here, or "" if it may."""
    if peer.uid not in {pod.uid, _ROOT}:
        return f"user {peer.uid} doesn't operate this pod: only {pod.uid} and root do"
    if pod.is_agent(peer):
        return "this process is an agent's, or was started by one: a person decides, from outside of it"
    if peer.process is None and _LINUX:
        return "this process can't be identified: it is gone, or runs in another pid namespace"
    return ""


def _note_refusal(request: Request, why: str, peer: Peer, pod: Pod) -> None:
    detail: dict[str, object] = {"status": "refused", "message": why, "by": peer.by}
    if isinstance(request, QueueDecide):
        detail |= {"id": request.id[:_SHOWN], "decision": request.decision}
    pod.append(actions.GATE, detail, success=False, agent=pod.agent_of(peer))


def _carry_out(request: Request, peer: Peer, pod: Pod) -> _Reply:
    if isinstance(request, QueueList):
        return QueueListOk([_waiting(each) for each in pod.actions.pending()])
    if isinstance(request, QueueDecide):
        decided = pod.actions.decide(request.id, request.decision, peer)
        return QueueDecideOk(decided.id, decided.status, decided.description)
    return {"status": "ok", **pod.status(), "waiting": pod.actions.waiting}


def _waiting(action: Requested) -> Waiting:
    return Waiting(
        action.id,
        action.description,
        action.tier,
        action.asker.by,
        timestamp(int(action.created * _NS)),
        "" if action.due is None else timestamp(int(action.due * _NS)),
        action.action,
        action.params,
    )
