"""`queue.sock`: envelopes, activity, and the queue of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from aotel._version import __version__
from aotel.audit import actions
from aotel.envelopes import protocol
from aotel.envelopes.times import timestamp
from aotel.errors import AotelError
from aotel.pod.journal import TRY_AGAIN
from aotel.pod.service import Service
from aotel.pod.stamp import UNREADABLE, NoEnvelopeError, mended

if TYPE_CHECKING:
    from aotel.pod.connection import Connection
    from aotel.pod.core import Core
    from aotel.pod.stamp import Stamp

FEATURES: Final = ("agent_coat", "agent_coat_batch", "activity", "actions", "claims")
"""What a process may tell of itself."""

_WRITTEN = (protocol.AgentCoat, protocol.AgentCoatBatch, protocol.Activity)
_STOLEN = "an envelope names a claim that is another process's: it has no part in it"
_OK = protocol.encode(protocol.Ok("agent_coat"))
_ACTIVITY_OK = protocol.encode(protocol.Ok("activity"))

_encoder = msgspec.json.Encoder()
_event: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_word: msgspec.json.Decoder[str] = msgspec.json.Decoder(str)
_AUDIT_HOOK = msgspec.Raw(b'"audit_hook"')


class QueueService(Service):
    """Answers what comes over `queue.sock`."""

    name: ClassVar[str] = "queue.sock"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._hello = protocol.encode(protocol.HelloOk("aotel", __version__, list(FEATURES)))

    def connected(self, connection: Connection) -> None:
        """Greet the connection's first reply with whether its process is known."""
        connection.greeting = self.core.sessions.greet(connection.peer)
        super().connected(connection)

    def respond(self, connection: Connection, line: bytes) -> None:
        """Answer a line."""
        request = self._read(connection, line)
        if request is None:
            return
        if isinstance(request, _WRITTEN) and self.core.journal.is_blocked:
            self.core.journal.turn_away(connection)
        elif isinstance(request, protocol.AgentCoatBatch):
            self._take_batch(connection, request)
        elif isinstance(request, protocol.AgentCoat):
            self._take_envelope(connection, request, len(line))
        elif isinstance(request, protocol.Activity):
            self._take_activity(connection, request, len(line))
        elif isinstance(request, protocol.Hello):
            self.answer(connection, self._hello)
        else:
            self._ask_queue(connection, request)

    def _read(self, connection: Connection, line: bytes) -> protocol.QueueRequest | None:
        """Read a request; if it is none, answer that."""
        try:
            if not line.isascii():
                line.decode()  # what is in an envelope isn't looked at again
            return protocol.decode_queue_request(line)
        except UnicodeDecodeError as error:
            self.bad(connection, f"the line is not UTF-8: {error.reason} (byte {error.start})", len(line))
        except protocol.ProtocolError as error:
            better = mended(line)
            if better is not None:
                return self._read(connection, better)
            self.bad(connection, str(error), len(line))
        return None

    def _take_envelope(self, connection: Connection, request: protocol.AgentCoat, size: int) -> None:
        try:
            self._append(connection, request.envelope, self.stamp_of(connection))
        except NoEnvelopeError as error:
            self.bad(connection, str(error), size)
            return
        self.core.journal.answer(connection, _OK, TRY_AGAIN)

    def _take_batch(self, connection: Connection, request: protocol.AgentCoatBatch) -> None:
        stamp = self.stamp_of(connection)
        accepted = duplicates = 0
        rejected: list[protocol.Rejection] = []
        for index, envelope in enumerate(request.envelopes):
            try:
                if self._append(connection, envelope, stamp):
                    accepted += 1
                else:
                    duplicates += 1
            except NoEnvelopeError as error:
                rejected.append(protocol.Rejection(index, str(error)))
                self.core.bad_requests.note(connection, f"envelopes[{index}]: {error}", len(bytes(envelope)))
        reply = protocol.encode(protocol.BatchOk(accepted, duplicates, rejected))
        self.core.journal.answer(connection, reply, TRY_AGAIN)

    def _append(self, connection: Connection, envelope: msgspec.Raw, stamp: Stamp) -> bool:
        """Append an envelope; say whether it is a new one."""
        stamped = stamp.put(envelope)
        core = self.core
        if stamped.claim_id:
            self._suspect(connection, stamped.claim_id)
        if stamped.key is not None and not core.duplicates.add(stamped.key):
            core.counts.duplicates += 1
            return False
        core.journal.envelope(stamped.json, stamp.agent)
        return True

    def _suspect(self, connection: Connection, claim_id: str) -> None:
        """Put it into the log, once for a connection, if the claim that an envelope names is somebody else's."""
        stolen = self.core.claims.stolen(claim_id, connection.lineage)
        if stolen is None or connection.suspected == claim_id:
            return
        connection.suspected = claim_id
        detail: dict[str, object] = {"agent": stolen.agent.id, "claim_id": claim_id, "message": _STOLEN}
        detail |= connection.peer.by
        self.core.journal.record(actions.CLAIM, detail, success=False, agent=self.stamp_of(connection).agent)

    def _take_activity(self, connection: Connection, request: protocol.Activity, size: int) -> None:
        peer = msgspec.Raw(_encoder.encode(connection.peer.by))
        events: list[tuple[str, bytes]] = []
        for index, each in enumerate(request.events):
            try:
                events.append(self._event(each, peer, connection))
            except AotelError as error:
                self.bad(connection, f"events[{index}]: {error}", size)
                return
        agent = self.stamp_of(connection).agent
        for action, detail in events:
            success = action != actions.POLICY_VIOLATION
            self.core.journal.append(action, detail, success=success, agent=agent)
        self.core.counts.events += len(events)
        self.core.journal.answer(connection, _ACTIVITY_OK, TRY_AGAIN)

    def _event(self, event: msgspec.Raw, peer: msgspec.Raw, connection: Connection) -> tuple[str, bytes]:
        try:
            found = _event.decode(event)
            action = _word.decode(found.pop("action", b"null"))
        except UNREADABLE as error:
            raise NoEnvelopeError(f"an event is a JSON object with an action: {error}") from error
        if action not in actions.OF_PROCESSES:
            known = ", ".join(sorted(actions.OF_PROCESSES))
            raise NoEnvelopeError(f"no process tells of {action[:80]!r}; expected one of {known}")
        detail: dict[str, msgspec.Raw] = {"ts": msgspec.Raw(b""), "pid": msgspec.Raw(b""), **found}
        if not bytes(detail["ts"]).startswith(b'"'):
            detail["ts"] = msgspec.Raw(_encoder.encode(timestamp(self.core.time_ns())))
        if not bytes(detail["pid"]).isdigit():
            detail["pid"] = msgspec.Raw(b"%d" % connection.peer.pid)
        detail["source"] = _AUDIT_HOOK
        detail["peer"] = peer
        return action, _encoder.encode(detail)

    def _ask_queue(
        self, connection: Connection, request: protocol.ListActions | protocol.Call | protocol.Submit | protocol.Poll
    ) -> None:
        queue, peer = self.core.actions, connection.peer
        self.core.acting = self.stamp_of(connection).agent
        reply: msgspec.Struct
        try:
            if isinstance(request, protocol.ListActions):
                reply = queue.list_actions()
            elif isinstance(request, protocol.Call):
                reply = queue.call(request.action, request.params, peer)
            elif isinstance(request, protocol.Submit):
                reply = queue.submit(request.description, request.tier, peer)
            else:
                reply = queue.poll(request.id, peer)
        except AotelError as error:
            reply = protocol.Refused(str(error))
        finally:
            self.core.acting = None
        self.answer(connection, _encoder.encode(reply) + b"\n")
