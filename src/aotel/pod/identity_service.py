"""`identity.sock`: claims of agents' identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from msgspec import UNSET

from aotel.audit import actions
from aotel.envelopes import identity_protocol as protocol
from aotel.envelopes.protocol import ProtocolError, Refused
from aotel.pod.claims import RefusedClaimError
from aotel.pod.journal import TRY_AGAIN
from aotel.pod.service import Service

if TYPE_CHECKING:
    from aotel.pod.connection import Connection


class IdentityService(Service):
    """Answers what comes over `identity.sock`."""

    name: ClassVar[str] = "identity.sock"

    def respond(self, connection: Connection, line: bytes) -> None:
        """Answer a line."""
        try:
            request = protocol.decode_request(line)
        except ProtocolError as error:
            self.bad(connection, str(error), len(line))
            return
        if self.core.claims.is_due:
            self.core.expire_claims()
        if isinstance(request, protocol.WhoAmI):
            self._tell(connection)
        elif self.core.journal.is_blocked:
            self.core.journal.turn_away(connection)
        elif isinstance(request, protocol.Claim):
            self._claim(connection, request)
        else:
            self._release(connection, request)

    def _claim(self, connection: Connection, request: protocol.Claim) -> None:
        claims, peer = self.core.claims, connection.peer
        detail: dict[str, object] = {"agent": request.agent[:256], **peer.by}
        if request.ttl_secs is not None:
            detail["ttl_secs"] = request.ttl_secs
        try:
            made = claims.claim(peer, request.agent, request.ttl_secs)
        except RefusedClaimError as error:
            self._refuse(connection, actions.CLAIM, detail, str(error))
            return
        detail |= {"claim_id": made.id, "expires_at": made.expires_at}
        self.core.look_soon()
        self.core.journal.note(actions.CLAIM, detail, agent=made.agent.id)
        reply = protocol.ClaimOk(
            made.id, made.agent.id, made.agent.role, list(made.agent.capabilities), made.expires_at
        )
        self.core.journal.answer(connection, protocol.encode(reply), TRY_AGAIN, undo=lambda: claims.drop(made))

    def _release(self, connection: Connection, request: protocol.Release) -> None:
        peer = connection.peer
        detail: dict[str, object] = {"claim_id": request.claim_id[:80], **peer.by}
        stamp = self.stamp_of(connection)
        try:
            found = self.core.claims.release(peer, request.claim_id)
        except RefusedClaimError as error:
            self._refuse(connection, actions.RELEASE, {**detail, "agent": stamp.agent or ""}, str(error))
            return
        # It holds at once, whether it can be written now or only later.
        self.core.journal.record(actions.RELEASE, {**detail, "agent": found.agent.id}, agent=found.agent.id)
        self.answer(connection, protocol.encode(protocol.ReleaseOk(found.id)))

    def _refuse(self, connection: Connection, action: str, detail: dict[str, object], why: str) -> None:
        agent = self.stamp_of(connection).agent
        self.core.journal.record(action, {**detail, "message": why}, success=False, agent=agent)
        self.answer(connection, protocol.encode(Refused(why)))

    def _tell(self, connection: Connection) -> None:
        peer, claim = connection.peer, self.stamp_of(connection).claim
        if claim is None:
            reply = protocol.WhoAmIOk(peer.pid, peer.uid, peer.session, "anonymous")
        else:
            agent = claim.agent
            reply = protocol.WhoAmIOk(
                peer.pid,
                peer.uid,
                peer.session,
                "claimed",
                agent.id,
                agent.role,
                list(agent.capabilities),
                claim.id,
                claim.expires_at or UNSET,
            )
        self.answer(connection, protocol.encode(reply))
