"""One client's connection: bytes in, lines to whoever answers them, replies out; bounded in memory whatever comes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from aotel.envelopes.protocol import MAX_LINE, RateLimited, encode
from aotel.pod.peers import NOBODY, peer_of

if TYPE_CHECKING:
    from aotel.pod.half_lines import HalfLines
    from aotel.pod.peers import Peer
    from aotel.pod.processes import Process
    from aotel.pod.stamp import Stamp

_MOST_UNANSWERED = 256  # requests of one connection, before it is read again
_WRITE_BUFFER = 1 << 16  # bytes of replies that may wait for a slow reader
_NOT_SERVED = (b'{"status":"error"', b'{"status":"rate_limited"')

TOO_LONG: Final = f"the line is longer than {MAX_LINE} bytes; it was skipped to its end"
DROPPED: Final = encode(RateLimited(1.0, "too many unfinished lines are waiting, and this one was dropped"))

_logger = logging.getLogger("aotel")


class Server(Protocol):
    """Whoever answers the lines of connections."""

    half_lines: HalfLines

    def connected(self, connection: Connection) -> None:
        """Take notice of a new connection."""

    def disconnected(self, connection: Connection) -> None:
        """Take notice of its end."""

    def handle(self, connection: Connection, line: bytes) -> None:
        """See to it that the connection gets one reply for this line."""

    def answer(self, connection: Connection, reply: bytes) -> None:
        """Send a reply behind those that wait."""

    def bad(self, connection: Connection, message: str, size: int) -> None:
        """See to it that the connection gets an error for a line of that many bytes."""


class Connection(asyncio.Protocol):
    """A connection to one of the pod's sockets.

    Args:
        server: who answers.
    """

    peer: Peer
    lineage: tuple[Process, ...] = ()
    stamp: Stamp | None = None
    generation: int = -1
    """Of the claims that `stamp` was made under."""
    suspected: str = ""
    """The latest claim that its envelopes named without being under it."""
    greeting: bytes = b""
    """What the first reply to a served request carries besides, as JSON behind a comma."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._lines: deque[bytes] = deque()
        self._half = bytearray()
        self._skipping = False
        self._unanswered = 0
        self._congested = False
        self._paused = False
        self._ended = False

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a Unix stream's is one
        self._transport = transport
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        try:
            self.peer = peer_of(transport.get_extra_info("socket"))
        except OSError:  # macOS tells nothing of a peer that has gone already
            self.peer = NOBODY
        self._server.connected(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes; whole lines are answered, the rest waits for more."""
        lines = data.split(b"\n")
        if len(lines) > 1 and (self._half or self._skipping):
            first = self._end_line(lines[0])
            if first is None:
                del lines[0]
            else:
                lines[0] = first
        rest = lines.pop() if lines else b""
        self._lines.extend(lines)
        if rest:
            self._hold(rest)
        self._work()

    def eof_received(self) -> bool:
        """Answer what came, also a last line without an end; then close."""
        if self._half:
            line = self._end_line(b"")
            if line is not None:
                self._lines.append(line)
        self._ended = True
        self._work()
        return not self._is_done

    def pause_writing(self) -> None:
        """Read no more: the client doesn't read what it is answered."""
        self._congested = True
        self._work()

    def resume_writing(self) -> None:
        """Read on."""
        self._congested = False
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Work off what came before the end."""
        self._transport = None
        self.finish()
        self._server.half_lines.forget(self)
        self._server.disconnected(self)

    # What the pod calls.

    def send(self, replies: list[bytes]) -> None:
        """Send replies, in the order of their requests."""
        self._unanswered -= len(replies)
        if self._transport is None or self._transport.is_closing():
            return
        if self.greeting:
            self._greet(replies)
        self._transport.write(b"".join(replies))
        self._work()

    def finish(self) -> None:
        """Hand on every line that was read, and read no more."""
        self._ended = True
        if self._transport is not None and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        while self._lines:
            self._hand_on(self._lines.popleft())

    def drop_half_line(self) -> None:
        """Make room: forget the line that has not ended, and skip the rest of it."""
        self._forget_half()
        self._skipping = True
        self._unanswered += 1
        self._server.answer(self, DROPPED)

    def close(self) -> None:
        """Close the connection when what was written to it is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the connection now."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_answered(self) -> bool:
        """Whether everything was answered, and the answers are with the kernel."""
        return self._transport is None or not (self._unanswered or self._transport.get_write_buffer_size())

    @property
    def _is_done(self) -> bool:
        return self._ended and not self._lines and self._unanswered <= 0

    def _work(self) -> None:
        """Hand on as many lines as may go unanswered; read only if there are no more, and the client reads."""
        lines = self._lines
        while lines and self._unanswered < _MOST_UNANSWERED and not self._congested:
            self._hand_on(lines.popleft())
        transport = self._transport
        if transport is None:
            return
        if self._is_done:
            transport.close()
            return
        pause = bool(lines) or self._congested or self._unanswered >= _MOST_UNANSWERED or self._ended
        if pause != self._paused and not transport.is_closing():
            self._paused = pause
            if pause:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def _hand_on(self, line: bytes) -> None:
        self._unanswered += 1
        if len(line) >= MAX_LINE:
            self._server.bad(self, TOO_LONG, len(line))
        else:
            self._server.handle(self, line)

    def _end_line(self, end: bytes) -> bytes | None:
        """Return the line that ends with these bytes; None if it was one to be skipped."""
        if self._skipping:
            self._skipping = False
            return None
        self._half += end
        line = bytes(self._half)
        self._forget_half()
        return line

    def _hold(self, part: bytes) -> None:
        if self._skipping:
            return
        self._half += part
        if len(self._half) >= MAX_LINE:
            size = len(self._half)
            self._forget_half()
            self._skipping = True
            self._unanswered += 1
            self._server.bad(self, TOO_LONG, size)
        else:
            self._server.half_lines.hold(self, len(self._half))

    def _forget_half(self) -> None:
        self._half = bytearray()  # a cleared one would keep its memory
        self._server.half_lines.forget(self)

    def _greet(self, replies: list[bytes]) -> None:
        for index, reply in enumerate(replies):
            if not reply.startswith(_NOT_SERVED):
                replies[index] = reply[:-2] + b"," + self.greeting + reply[-2:]
                self.greeting = b""
                return
