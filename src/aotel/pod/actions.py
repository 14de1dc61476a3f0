"""The approval queue: what agents ask to do, what may go ahead by itself, and what waits for a person.

The pod carries nothing out: `approved` tells the agent to go ahead. It says so once. Who is told is counted as the one
who does it, and from then on the action is `executed`: an approval can't be used twice, not even after a restart.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union

from msgspec import Struct, structs

from aotel.content import active
from aotel.envelopes import protocol
from aotel.envelopes.times import timestamp
from aotel.errors import AotelError
from aotel.pod import requested
from aotel.pod.allowance import Allowance
from aotel.pod.parameters import checked
from aotel.pod.requested import Asker, Requested, StateError, StateFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any

    from aotel.pod.config import ActionConfig
    from aotel.pod.peers import Peer

    Audit: TypeAlias = Callable[[str, dict[str, object], bool], None]

Decision: TypeAlias = Literal["approve", "deny"]

SUBMISSIONS_A_MINUTE: Final = 20
REQUESTS_A_MINUTE: Final = 120
"""Calls and submissions together, of all processes of a user; the pod runtime has the same limits."""
MOST_WAITING: Final = 256
MOST_WAITING_OF_ONE: Final = 32
MOST_REMEMBERED: Final = 256
LONGEST_WAIT: Final = 86_400.0
"""Seconds until what nobody has decided on is cancelled."""
LONGEST_APPROVAL: Final = 3600.0
"""Seconds until an approval that nobody has asked for is withdrawn."""

_GATE = "gate"
_SHORTEST_ID = 8  # characters of an id that name an action
_SHOWN_ID = 80
_MOST_DESCRIPTION = 4096  # characters: a person has to read them
_SUBMITTED_DELAY = 30.0  # seconds, as the runtime has it for what is not configured
_NS = 1_000_000_000
_TIERS: Final = {
    "immediate": "immediate",
    "immediate_protected": "immediate",
    "delayed": "delayed",
    "blocked": "blocked",
}

_logger = logging.getLogger("aotel")


class ActionError(AotelError):
    """A request to the queue that can't be granted; the message says why."""


class Param(Struct, frozen=True):
    """A parameter, as agents are told of it."""

    name: str
    type: str
    required: bool


class Offer(Struct, frozen=True):
    """An action that can be called, as agents are told of it."""

    name: str
    description: str
    tier: str
    params: list[Param]


class Offers(Struct, frozen=True, tag_field="status", tag="ok"):
    """The reply to `list_actions`."""

    actions: list[Offer]


class Reply(Struct, frozen=True, omit_defaults=True):
    """The reply to `call`, `submit` and `poll`; `status` says how the action stands."""

    id: str
    status: str
    action: Union[str, None] = None  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    message: str = ""


class ActionQueue:
    """All actions of a pod that were asked for. Not thread-safe: the pod calls it in its loop.

    Every change is in the file, and has been handed to `audit`, before the method that made it returns.

    Args:
        actions: those that can be called.
        state_file: where the queue outlives the pod.
        clock: seconds since the epoch.
        audit: called with "gate", the detail, and whether it went well.
        claim_of: returns the id of the claim that covers a peer now, or None.
    """

    def __init__(
        self,
        actions: Iterable[ActionConfig],
        state_file: Path,
        clock: Callable[[], float],
        *,
        audit: Audit,
        claim_of: Callable[[Peer], str | None] | None = None,
    ) -> None:
        self._offered = {action.name: action for action in actions}
        self._file = StateFile(state_file)
        self._clock = clock
        self._audit = audit
        self._claim_of = claim_of
        self._submissions = Allowance(SUBMISSIONS_A_MINUTE, clock)
        self._requests = Allowance(REQUESTS_A_MINUTE, clock)
        self._told: set[int] = set()  # users whose being held up is in the log already
        self._unsaved = False
        found, problem = self._file.load()
        self._known = {each.id: each for each in found}
        if problem:
            _logger.warning("aotel: %s; nothing that waited for approval is known any more", problem)
            audit(_GATE, {"status": "lost", "message": problem}, False)  # noqa: FBT003 - as `Pod.append` has it

    def list_actions(self) -> Offers:
        """Return what can be called."""
        return Offers(
            [
                Offer(each.name, each.description, each.tier, [Param(p.name, p.type, p.required) for p in each.params])
                for each in self._offered.values()
            ]
        )

    def call(self, action: str, params: dict[str, Any], by: Peer) -> Reply | protocol.RateLimited:
        """Ask for a configured action.

        Raises:
            ActionError: there is no such action, or too much waits already.
            ParametersError: a parameter is unknown, missing or of a wrong type.
            StateError: the queue can't be written.
        """
        held = self._held_up(by, self._requests)
        if held is not None:
            return held
        offered = self._offered.get(action)
        if offered is None:
            known = ", ".join(self._offered) or "none"
            raise ActionError(f"there is no action {action[:_SHOWN_ID]!r}; there are: {known}")
        description = f"{action} {checked(offered, params)}"
        return self._ask(by, description, offered.tier, offered.delay_secs, action=action, params=params)

    def submit(self, description: str, tier: str, by: Peer) -> Reply | protocol.RateLimited:
        """Ask for something in words.

        The agent chooses the tier itself, as with the runtime; one that is unknown waits for a person.

        Raises:
            ActionError: the description is empty or too long to be read, or too much waits already.
            StateError: the queue can't be written.
        """
        held = self._held_up(by, self._requests, self._submissions)
        if held is not None:
            return held
        if not description.strip() or len(description) > _MOST_DESCRIPTION:
            raise ActionError(f"a description has 1 to {_MOST_DESCRIPTION} characters, got {len(description)}")
        return self._ask(by, description, _TIERS.get(tier.lower(), "staged"), _SUBMITTED_DELAY)

    def poll(self, id: str, by: Peer) -> Reply:  # noqa: A002 - its name on the wire
        """Say how an action stands; an approval is handed out by this, once.

        Args:
            id: the action's, or the first 8 characters of it or more.
            by: who asks; it must be who asked for the action, or be under the same claim.

        Raises:
            ActionError: there is no such action of this asker.
            StateError: the queue can't be written.
        """
        self._advance()
        asker = self._asker(by)
        found = self._find(id, [each for each in self._known.values() if each.asker.is_one_with(asker)])
        if found.status != requested.APPROVED:
            return _reply(found)
        self._change([self._now(found, requested.EXECUTED)], by.by)
        return _reply(structs.replace(found, status=requested.APPROVED))

    def pending(self) -> list[Requested]:
        """Return what waits for a decision, the oldest first."""
        self._advance()
        waiting = [each for each in self._known.values() if each.status == requested.QUEUED]
        return sorted(waiting, key=lambda each: each.created)

    @property
    def waiting(self) -> int:
        """How many wait for a decision, or to be told of it."""
        return sum(each.status in requested.WAITING for each in self._known.values())

    def decide(self, id: str, decision: Decision, by: Peer) -> Requested:  # noqa: A002 - its name on the wire
        """Approve or deny an action; an approval can be taken back as long as nobody was told of it.

        Raises:
            ActionError: there is no such action, several begin with this id, or it is decided already.
            StateError: the queue can't be written.
        """
        self._advance()
        found = self._find(id, self._known.values())
        may_be = {requested.QUEUED} if decision == "approve" else requested.WAITING
        if found.status not in may_be:
            raise ActionError(f"action {found.id} is {found.status} already: it can't be decided any more")
        status = requested.APPROVED if decision == "approve" else requested.CANCELLED
        (changed,) = self._change([self._now(found, status)], by.by)
        return changed

    def tick(self) -> None:
        """Let time do its part: approve what was delayed, withdraw what nobody wants any more. Never raises."""
        try:
            self._advance()
        except StateError as error:
            if not self._unsaved:
                self._unsaved = True
                _logger.warning("aotel: %s", error)
        else:
            self._unsaved = False

    def _asker(self, peer: Peer) -> Asker:
        return Asker.of(peer, self._claim_of(peer) if self._claim_of else None)

    def _held_up(self, by: Peer, *allowances: Allowance) -> protocol.RateLimited | None:
        seconds = max(each.wait(by.uid) for each in allowances)
        if seconds > 0:
            if by.uid not in self._told:
                self._told.add(by.uid)
                self._audit(_GATE, {"status": "rate_limited", "by": by.by}, False)  # noqa: FBT003
            return protocol.RateLimited(round(seconds, 3), "too many requests in a minute")
        for each in allowances:
            each.use(by.uid)
        self._told.discard(by.uid)
        return None

    def _ask(  # noqa: PLR0913 - one keyword a fact
        self,
        by: Peer,
        description: str,
        tier: str,
        delay: float,
        *,
        action: str | None = None,
        params: dict[str, Any] | None = None,
    ) -> Reply:
        self._advance()
        asker = self._asker(by)
        now = self._clock()
        made = Requested(
            id=str(uuid.uuid4()),
            description=description,
            tier=tier,
            # An immediate one is handed out by the reply itself.
            status={"immediate": requested.EXECUTED, "blocked": requested.BLOCKED}.get(tier, requested.QUEUED),
            asker=asker,
            created=now,
            updated=now,
            due=now + delay if tier == "delayed" else None,
            action=action,
            params=params or {},
        )
        if made.status == requested.QUEUED:
            self._make_room(asker)
        self._change([made], by.by)
        return _reply(structs.replace(made, status=requested.APPROVED) if tier == "immediate" else made)

    def _make_room(self, asker: Asker) -> None:
        waiting = [each for each in self._known.values() if each.status in requested.WAITING]
        if len(waiting) >= MOST_WAITING:
            raise ActionError(f"{len(waiting)} actions wait for approval already, {MOST_WAITING} are the most")
        own = sum(each.asker.is_one_with(asker) for each in waiting)
        if own >= MOST_WAITING_OF_ONE:
            raise ActionError(
                f"{own} actions of this agent wait for approval already, {MOST_WAITING_OF_ONE} are the most"
            )

    def _find(self, id: str, among: Iterable[Requested]) -> Requested:  # noqa: A002
        # By whole ids too, only among what may be seen: otherwise a guess would tell that there is such an action.
        long_enough = len(id) >= _SHORTEST_ID
        found = [each for each in among if each.id == id or (long_enough and each.id.startswith(id))]
        if not found:
            raise ActionError(
                f"unknown id {id[:_SHOWN_ID]!r}: expected that of an action, or its first 8 characters or more"
            )
        if len(found) > 1:
            raise ActionError(f"{len(found)} actions have an id that begins with {id[:_SHOWN_ID]!r}: give more of it")
        return found[0]

    def _now(self, known: Requested, status: str) -> Requested:
        # Nobody asks for the parameters of what is settled, and the file is written at every change.
        params = known.params if status in requested.WAITING else {}
        return structs.replace(known, status=status, updated=self._clock(), params=params)

    def _advance(self) -> None:
        """Do what time has done since."""
        now = self._clock()
        changed: list[Requested] = []
        for each in self._known.values():
            queued = each.status == requested.QUEUED
            if queued and each.due is not None and now >= each.due:
                changed.append(self._now(each, requested.APPROVED))
                continue
            since, limit = (each.created, LONGEST_WAIT) if queued else (each.updated, LONGEST_APPROVAL)
            if each.status in requested.WAITING and now - since >= limit:
                changed.append(self._now(each, requested.CANCELLED))
        if changed:
            self._change(changed)

    def _change(self, changed: list[Requested], by: dict[str, int] | None = None) -> list[Requested]:
        """Put changed actions in their places: in the file first, then here, then in the log."""
        known = {**self._known, **{each.id: each for each in changed}}
        _forget(known)
        self._file.save(list(known.values()))
        self._known = known
        for each in changed:
            self._audit(_GATE, _detail(each, by), each.status not in {requested.BLOCKED, requested.CANCELLED})
        return changed


def _forget(known: dict[str, Requested]) -> None:
    settled = [each for each in known.values() if each.status not in requested.WAITING]
    for each in sorted(settled, key=lambda each: each.updated)[: max(0, len(settled) - MOST_REMEMBERED)]:
        del known[each.id]


def _detail(action: Requested, by: dict[str, int] | None) -> dict[str, object]:
    detail: dict[str, object] = {"ts": timestamp(int(action.updated * _NS)), "id": action.id}
    if action.action is not None:
        detail["action"] = action.action
    # Who decides sees all of it; the log is kept for longer, and by more.
    detail |= {"description": active().redactor.text(action.description), "tier": action.tier, "status": action.status}
    if by is not None:
        detail["by"] = by
    return detail


def _reply(action: Requested) -> Reply:
    return Reply(action.id, action.status, action.action, _message(action))


def _message(action: Requested) -> str:
    if action.status == requested.QUEUED and action.due is not None:
        return f"Queued: goes ahead at {timestamp(int(action.due * _NS))} unless it is denied"
    return {
        requested.QUEUED: f"Queued: waits for approval, by `aotel queue approve {action.id[:_SHORTEST_ID]}`",
        requested.APPROVED: "Approved: proceed, once",
        requested.EXECUTED: "Executed: the approval was handed out",
        requested.CANCELLED: "Cancelled: not approved",
        requested.BLOCKED: "Blocked by policy",
    }[action.status]
