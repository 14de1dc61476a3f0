"""What the sockets of a pod share: its claims, its journal, what it has counted."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from aotel.audit import actions
from aotel.pod.bad_requests import BadRequests
from aotel.pod.half_lines import HalfLines
from aotel.pod.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.pod.actions import ActionQueue
    from aotel.pod.claims import Claim, Claims
    from aotel.pod.connection import Connection
    from aotel.pod.duplicates import Duplicates
    from aotel.pod.journal import Journal
    from aotel.pod.peers import Peer


@dataclass(slots=True)
class Counts:
    """What a pod has taken since it was started."""

    duplicates: int = 0
    events: int = 0
    connections: int = 0


class Core:
    """The state of a pod, as its sockets see it; everything here belongs to the thread of the event loop.

    Args:
        pod_id: the pod's name.
        uid: the user it runs as.
        claims: who acts as which agent.
        journal: the way into the log.
        duplicates: which envelopes are in the log already.
        most_connections: how many there may be at once.
    """

    actions: ActionQueue

    def __init__(  # noqa: PLR0913 - one argument a part
        self,
        *,
        pod_id: str,
        uid: int,
        claims: Claims,
        journal: Journal,
        duplicates: Duplicates,
        most_connections: int,
    ) -> None:
        self.pod_id = pod_id
        self.uid = uid
        self.claims = claims
        self.journal = journal
        self.duplicates = duplicates
        self.most_connections = most_connections
        self.bad_requests = BadRequests(journal)
        self.half_lines = HalfLines()
        self.sessions = Sessions()
        self.connections: set[Connection] = set()
        self.counts = Counts()
        self.acting: str | None = None
        """The agent whose request to the queue of actions is being carried out."""
        self.time_ns = time.time_ns
        self.look_soon: Callable[[], None] = lambda: None
        """Has all processes looked at: there is somebody new whose descendants count."""

    def covering(self, peer: Peer) -> Claim | None:
        """Return the claim that covers a peer now."""
        if self.claims.is_due:
            self.expire_claims()
        return None if peer.process is None else self.claims.covering(self.claims.lineages.of(peer.process))

    def is_agent(self, peer: Peer) -> bool:
        """Say whether a peer is under a claim, or was, or descends from a process that is or was."""
        return peer.process is not None and self.claims.touches(self.claims.lineages.of(peer.process))

    def expire_claims(self) -> None:
        """End the claims whose time is over."""
        self.ended(self.claims.expire(), "expired")

    def ended(self, claims: list[Claim], why: str) -> None:
        """Put it into the log that claims have ended by themselves."""
        for claim in claims:
            detail: dict[str, object] = {
                "claim_id": claim.id,
                "agent": claim.agent.id,
                "pid": claim.root.pid,
                "uid": claim.uid,
                "message": why,
            }
            self.journal.record(actions.RELEASE, detail, agent=claim.agent.id)

    def status(self) -> dict[str, object]:
        """Return what there is to say of the pod now."""
        return {
            "pod_id": self.pod_id,
            "envelopes": self.journal.envelopes,
            **asdict(self.counts),
            "bad_requests": self.bad_requests.count,
            "open_connections": len(self.connections),
            "claims": len(self.claims),
            "sessions": len(self.sessions),
            "written": self.journal.written,
            "write_failures": self.journal.failures,
        }
