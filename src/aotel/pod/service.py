"""What the pod's sockets have in common: who is connected, how a line is answered, what happens to a bad one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from aotel.envelopes.protocol import Refused, encode
from aotel.pod.stamp import Stamp

if TYPE_CHECKING:
    from aotel.pod.connection import Connection
    from aotel.pod.core import Core

_INTERNAL = encode(Refused("the pod failed to carry out this request; its log says why"))

_logger = logging.getLogger("aotel")


class Service:
    """One of the pod's sockets.

    Args:
        core: what all of them share.
    """

    name: ClassVar[str]

    def __init__(self, core: Core) -> None:
        self.core = core
        self.half_lines = core.half_lines

    def connected(self, connection: Connection) -> None:
        """Take notice of a new connection."""
        core = self.core
        core.connections.add(connection)
        core.counts.connections += 1
        process = connection.peer.process
        connection.lineage = () if process is None else core.claims.lineages.of(process)

    def disconnected(self, connection: Connection) -> None:
        """Take notice of its end."""
        self.core.bad_requests.forget(connection)
        self.core.connections.discard(connection)

    def handle(self, connection: Connection, line: bytes) -> None:
        """See to it that the connection gets one reply for this line."""
        try:
            self.respond(connection, line)
        except Exception:
            # A mistake of ours must not cost the other connections anything.
            _logger.exception("aotel: a request on %s failed", self.name)
            self.answer(connection, _INTERNAL)

    def respond(self, connection: Connection, line: bytes) -> None:
        """Answer a line, once; or raise."""
        raise NotImplementedError

    def answer(self, connection: Connection, reply: bytes) -> None:
        """Send a reply behind those that wait."""
        self.core.journal.answer(connection, reply)

    def bad(self, connection: Connection, message: str, size: int) -> None:
        """See to it that the connection gets an error for a line of that many bytes."""
        self.core.bad_requests.note(connection, message, size)
        self.answer(connection, encode(Refused(message)))

    def stamp_of(self, connection: Connection) -> Stamp:
        """Return the identity that a connection has now."""
        core = self.core
        claims = core.claims
        if claims.is_due:
            core.expire_claims()
        stamp = connection.stamp
        if stamp is None or connection.generation != claims.generation:
            connection.generation = claims.generation
            claim = claims.covering(connection.lineage)
            if stamp is None or stamp.claim is not claim:
                stamp = connection.stamp = Stamp(core.pod_id, connection.peer, claim)
        return stamp
