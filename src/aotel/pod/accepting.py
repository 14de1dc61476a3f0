"""Taking connections: as many as there is room for, whatever the system runs out of."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from aotel.envelopes.protocol import RateLimited, encode

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_FULL = encode(RateLimited(1.0, "too many connections"))
_AT_ONCE = 64  # connections of one turn of the event loop: others are served in between
_PAUSE = 0.2  # seconds until the next attempt, where files or memory have run out

_logger = logging.getLogger("aotel")


class Acceptor:
    """Takes the connections of one listening socket.

    `asyncio` has servers of its own, which try a thousand times a turn where no more files can be opened, and say so a
    thousand times.

    Args:
        loop: the event loop.
        listening: the socket; who made it closes it.
        connection: makes the protocol of a connection.
        has_room: asked before each one; where there is none, the client is told so.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        listening: socket.socket,
        connection: Callable[[], asyncio.Protocol],
        has_room: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._listening = listening
        self._connection = connection
        self._has_room = has_room
        self._tasks: set[asyncio.Task[object]] = set()
        self._later: asyncio.TimerHandle | None = None
        self._said = False
        loop.add_reader(listening.fileno(), self._accept)

    def close(self) -> None:
        """Take no more."""
        if self._later is not None:
            self._later.cancel()
        elif self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening.fileno())
        self._later = None

    async def settle(self) -> None:
        """Return when all that were taken are with their protocols."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def pending(self) -> int:
        """How many were taken and are not with their protocols yet: each holds a file already."""
        return len(self._tasks)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                made, _address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._wait(error)
                return
            made.setblocking(False)  # noqa: FBT003 - positional in the library
            if self._has_room():
                task = self._loop.create_task(self._connect(made))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                with contextlib.suppress(OSError):
                    made.send(_FULL)
                made.close()

    async def _connect(self, made: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._connection, made)
        except OSError as error:
            made.close()
            _logger.debug("aotel: a connection was lost before it began: %s", error)

    def _wait(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            _logger.error("aotel: the pod can't take connections now: %s; this is said once", error)
        self._loop.remove_reader(self._listening.fileno())
        self._later = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._later = None
        self._loop.add_reader(self._listening.fileno(), self._accept)
