"""`claim`: be an agent in the eyes of the pod, for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from aotel import settings
from aotel.envelopes import identity_protocol as protocol
from aotel.envelopes.protocol import MAX_LINE, ProtocolError, RateLimited, Refused
from aotel.pod.errors import ClaimError, ClaimRefusedError, NoPodError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Reply = TypeVar("Reply")

_IDENTITY_SOCKET: Final = "identity.sock"
_TIMEOUT = 5.0  # seconds, for connecting and the reply
_LONGEST_PATH = 100

_logger = logging.getLogger("aotel")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the pod has granted.

    Attributes:
        claim_id: the claim's name.
        agent_id: the agent.
        agent_role: in which role it acts.
        capabilities: what it may do.
        expires_at: when the claim ends, RFC 3339 in UTC.
    """

    claim_id: str
    agent_id: str
    agent_role: str
    capabilities: tuple[str, ...]
    expires_at: str


class claim:  # noqa: N801 - it is called like a function, as all of the public API is
    """Claim an agent's identity for this process and all that it starts, from `with` to its end.

        with aotel.pod.claim("reviewer") as mine:
            print(mine.agent_role)

    What the program asks for here it gets, or an exception: unlike everything else in aotel this doesn't fail open.
    The pod is the one beside the queue socket of the settings (`ENVPOD_SOCKET`). The claim is released at the end of
    the block; it ends by itself after `ttl_secs`, and is not renewed. Also as `async with`, where the pod is asked in
    another thread. A process that is forked inside the block is covered, and leaves the claim alone when it leaves the
    block.

    Args:
        agent: the agent's id, one of the pod's `pod.toml`.
        ttl_secs: how long the claim holds, in seconds; up to what `pod.toml` allows.

    Raises:
        TypeError: `agent` is no string, or `ttl_secs` no number.
        ClaimRefusedError: on entry: the pod refuses, and says why.
        NoPodError: on entry: nothing answers at the socket.
    """

    def __init__(self, agent: str, ttl_secs: float = 3600) -> None:
        if not isinstance(agent, str):
            raise TypeError(f"agent is a string, got {type(agent).__name__}: {agent!r:.80}")
        if isinstance(ttl_secs, bool) or not isinstance(ttl_secs, int | float):
            raise TypeError(f"ttl_secs is a number of seconds, got {type(ttl_secs).__name__}: {ttl_secs!r:.80}")
        self._agent = agent
        self._ttl_secs = ttl_secs
        self._entered: list[tuple[Claimed, str, int]] = []
        """Claims that this block holds, where from, and the process that made them; a block may be entered again."""

    def __enter__(self) -> Claimed:
        path = _socket_path()
        line = _ask(path, protocol.encode(protocol.Claim(self._agent, self._ttl_secs)))
        made = _granted(_read(line, protocol.decode_claim_reply, path), self._agent)
        self._entered.append((made, path, os.getpid()))
        return made

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        made, path, pid = self._entered.pop()
        if pid != os.getpid():
            return
        try:
            line = _ask(path, protocol.encode(protocol.Release(made.claim_id)))
            reply = _read(line, protocol.decode_release_reply, path)
        except ClaimError as failure:
            _logger.warning("aotel: the claim of %r was not released: %s", made.agent_id, failure)
            return
        if not isinstance(reply, protocol.ReleaseOk):
            # As after the end of its time, when there is nothing left to release.
            _logger.debug("aotel: the claim of %r was not released: %s", made.agent_id, reply.message)

    async def __aenter__(self) -> Claimed:
        entering = asyncio.ensure_future(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(entering)
        except asyncio.CancelledError:
            # The thread goes on, for a few seconds at most; what it gets is given back.
            with contextlib.suppress(ClaimError):
                await entering
                await asyncio.to_thread(self.__exit__, None, None, None)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Shielded: a task that is cancelled still gives back what it has.
        await asyncio.shield(asyncio.to_thread(self.__exit__, kind, error, traceback))


def _granted(reply: protocol.ClaimOk | RateLimited | Refused, agent: str) -> Claimed:
    if isinstance(reply, protocol.ClaimOk):
        return Claimed(reply.claim_id, reply.agent_id, reply.agent_role, tuple(reply.capabilities), reply.expires_at)
    if isinstance(reply, Refused):
        raise ClaimRefusedError(f"the pod refuses to let this process be {agent!r}: {reply.message}")
    raise ClaimError(f"the pod can't take a claim of {agent!r} now: {reply.message or 'try again later'}")


def _socket_path() -> str:
    beside = Path(settings.load().pod_socket)
    path = str(beside.with_name(_IDENTITY_SOCKET))
    if len(os.fsencode(path)) > _LONGEST_PATH:
        with contextlib.suppress(OSError):
            # A pod whose directory has a long path leaves a link there, to where it really listens.
            return str(beside.with_name(_IDENTITY_SOCKET).resolve(strict=True))
    return path


def _ask(path: str, request: bytes) -> bytes:
    received = bytearray()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT)
            connection.connect(path)
            connection.sendall(request)
            while not received.endswith(b"\n") and len(received) < MAX_LINE:
                part = connection.recv(1 << 16)
                if not part:
                    break
                received += part
    except OSError as error:
        raise NoPodError(
            f"no pod answers at {path} ({error.strerror or error}): start one with `aotel pod`, or `aotel run`, and "
            "have ENVPOD_SOCKET name its queue.sock"
        ) from error
    if not received:
        raise NoPodError(f"the pod at {path} closed the connection without a reply: it may be stopping; try again")
    return bytes(received)


def _read(line: bytes, decode: Callable[[bytes], Reply], path: str) -> Reply:
    try:
        return decode(line)
    except ProtocolError as error:
        raise NoPodError(f"what answers at {path} is no pod of aotel's: {error}") from error
