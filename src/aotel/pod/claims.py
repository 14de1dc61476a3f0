"""Claims: which process acts as which agent, and for how long."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aotel.envelopes.times import timestamp
from aotel.errors import AotelError
from aotel.pod.lineages import Lineages

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from aotel.pod.config import AgentConfig
    from aotel.pod.peers import Peer
    from aotel.pod.processes import Look, Process

DEFAULT_TTL: Final = 3600.0  # seconds, or the agent's longest if that is shorter
_MOST_BY_ONE_PROCESS = 64
_NS = 1_000_000_000


class RefusedClaimError(AotelError):
    """A claim, or a release, that this peer may not make."""


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """One claim: `root` and all that descends from it acts as `agent`.

    Attributes:
        id: its name.
        agent: the agent.
        root: the process that made it, or for which it was made.
        uid: the user of that process.
        ends: when it ends, by the clock of `Claims`; infinite for one that lasts as long as the pod.
        expires_at: the same, RFC 3339 in UTC; "" for never.
    """

    id: str
    agent: AgentConfig
    root: Process
    uid: int
    ends: float
    expires_at: str


class Claims:
    """All claims of a pod.

    Of several that cover a process, the nearest counts: its own, else its parent's, and so on up; of one process's
    own, the latest.

    Args:
        agents: those that can be claimed.
        uid: the user who may claim an agent that names no users.
        clock: seconds that go on while the machine sleeps.
    """

    def __init__(self, agents: Iterable[AgentConfig], *, uid: int, clock: Callable[[], float] | None = None) -> None:
        self._agents = {agent.id: agent for agent in agents}
        self._uid = uid
        self.clock = clock or _seconds_since_boot
        self._by_root: dict[Process, list[Claim]] = {}
        """Live claims by their root; an empty list is left behind as long as there are processes of it."""
        self._by_id: dict[str, Claim] = {}
        self.lineages = Lineages()
        self.generation = 0
        """Another number after every change: what was worked out before may hold no longer."""
        self.next_end = math.inf
        """When the next claim ends, by the clock."""

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def is_due(self) -> bool:
        """Whether the time of a claim is over."""
        return self.next_end != math.inf and self.clock() >= self.next_end

    @property
    def wanted(self) -> bool:
        """Whether it matters who descends from whom."""
        return bool(self._by_root)

    def claim(self, peer: Peer, agent_id: str, ttl: float | None = None) -> Claim:
        """Make a claim for a peer.

        Raises:
            RefusedClaimError: the peer is unidentified or of the wrong user, there is no such agent, or the time is
                too long.
        """
        agent = self._agents.get(agent_id)
        if peer.process is None:
            raise RefusedClaimError("this process can't be identified: it is gone, or runs in another pid namespace")
        if agent is None:
            known = ", ".join(sorted(self._agents)) or "none"
            raise RefusedClaimError(f"there is no agent {agent_id[:80]!r} in pod.toml; there are: {known}")
        if peer.uid not in ((self._uid,) if agent.uids is None else agent.uids):
            raise RefusedClaimError(f"user {peer.uid} may not claim {agent_id!r}; see claim.uids in pod.toml")
        if ttl is None:
            ttl = min(DEFAULT_TTL, agent.max_ttl_secs)
        if not 0 < ttl <= agent.max_ttl_secs:
            raise RefusedClaimError(
                f"ttl_secs of a claim of {agent_id!r} is above 0 and up to {agent.max_ttl_secs:g}, got {ttl:g}"
            )
        if len(self._by_root.get(peer.process, ())) >= _MOST_BY_ONE_PROCESS:
            raise RefusedClaimError(f"this process has {_MOST_BY_ONE_PROCESS} claims already: release some")
        return self.grant(agent, peer.process, peer.uid, ttl)

    def grant(self, agent: AgentConfig, root: Process, uid: int, ttl: float = math.inf) -> Claim:
        """Make a claim for a process without asking whether it may."""
        ends = self.clock() + ttl
        expires_at = "" if ttl == math.inf else timestamp(time.time_ns() + int(ttl * _NS))
        made = Claim(f"claim_{secrets.token_hex(8)}", agent, root, uid, ends, expires_at)
        self.lineages.hold(root)  # whoever is forgotten there takes the claim along
        self._by_root.setdefault(root, []).append(made)
        self._by_id[made.id] = made
        self.next_end = min(self.next_end, ends)
        self.generation += 1
        return made

    def mark(self, process: Process) -> None:
        """Take a process, and all that descends from it, for an agent's, as after a claim that has ended."""
        self.lineages.hold(process)
        self._by_root.setdefault(process, [])

    def release(self, peer: Peer, claim_id: str) -> Claim:
        """End a claim of a peer.

        Raises:
            RefusedClaimError: there is no such claim, or it is another process's; which one is not said.
        """
        found = self._by_id.get(claim_id)
        if found is None or peer.process != found.root:
            raise RefusedClaimError(f"this process has no claim {claim_id[:80]!r}")
        self.drop(found)
        return found

    def drop(self, claim: Claim) -> None:
        """End a claim."""
        if self._by_id.pop(claim.id, None) is not None:
            self._by_root[claim.root].remove(claim)
            self.next_end = min((each.ends for each in self._by_id.values()), default=math.inf)
            self.generation += 1

    def expire(self) -> list[Claim]:
        """End the claims whose time is over, and return them."""
        now = self.clock()
        if now < self.next_end:
            return []
        over = [each for each in self._by_id.values() if each.ends <= now]
        for each in over:
            self.drop(each)
        return over

    def covering(self, lineage: Iterable[Process]) -> Claim | None:
        """Return the claim that covers a process.

        Args:
            lineage: the process and its ancestors, as `Lineages.of` returns them.
        """
        for process in lineage:
            own = self._by_root.get(process)
            if own:
                return own[-1]
        return None

    def stolen(self, claim_id: str, lineage: Collection[Process]) -> Claim | None:
        """Return the claim of that id if it holds, and is no business of a process.

        Args:
            claim_id: the id that the process has named.
            lineage: the process and its ancestors, as `Lineages.of` returns them.
        """
        found = self._by_id.get(claim_id)
        return None if found is None or found.root in lineage else found

    def touches(self, lineage: Iterable[Process]) -> bool:
        """Say whether a process is, or was, under any claim."""
        return any(process in self._by_root for process in lineage)

    def saw(self, looks: Iterable[Look]) -> list[Claim]:
        """Learn which processes there are; end, and return, the claims that cover nobody any more."""
        over: list[Claim] = []
        for process in self.lineages.learn(looks) & self._by_root.keys():
            for each in list(self._by_root[process]):
                self.drop(each)
                over.append(each)
            del self._by_root[process]
        return over


def _seconds_since_boot() -> float:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
