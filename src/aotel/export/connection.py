"""A client's connection to a Unix socket that answers every line with a line."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

from aotel.envelopes.protocol import MAX_LINE
from aotel.errors import AotelError

_CHUNK = 1 << 16
_CONNECT_PAUSE = 0.01  # seconds between attempts at a socket whose queue of connections is full


class NoReplyError(AotelError):
    """A request that got no reply; whether the server acted on it is not known.

    Args:
        message: what went wrong.
        connected: whether there was a server at all.
    """

    def __init__(self, message: str, *, connected: bool) -> None:
        super().__init__(message)
        self.connected = connected


class Connection:
    """Connects on first use, keeps the connection as long as the server does, and connects again when it is closed.

    Args:
        path: the socket's path.
        timeout: seconds for connecting and, each time, for a request with its reply.
    """

    def __init__(self, path: str, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._proven = False  # whether a reply came over this connection
        self._pid = os.getpid()
        self._interrupted = threading.Event()

    def exchange(self, request: bytes, timeout: float | None = None) -> bytes:
        """Send a line and return the line that answers it, without its line end.

        A server may close a connection that has served; a request that finds it closed is sent once more, over a
        new one.

        Args:
            request: the line, its line end included.
            timeout: seconds, instead of the connection's own.

        Raises:
            NoReplyError: no connection, no reply in time, or a reply that is too long.
        """
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        kept = self._still_open()
        try:
            return self._exchange(request, kept or self._connect(deadline), deadline)
        except _ServerClosedError as error:
            self.close()
            if not kept:
                raise NoReplyError(str(error), connected=True) from error
        try:
            return self._exchange(request, self._connect(deadline), deadline)
        except _ServerClosedError as error:
            self.close()
            raise NoReplyError(str(error), connected=True) from error

    def interrupt(self) -> None:
        """Make the exchange that runs in another thread fail now, and every later one."""
        self._interrupted.set()
        waiting = self._socket
        if waiting is not None and self._pid == os.getpid():
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back; the next exchange opens another."""
        if self._socket is not None:
            # In a forked child this closes the child's descriptor only: the parent's connection lives on.
            self._socket.close()
            self._socket = None

    def _still_open(self) -> socket.socket | None:
        """Return the connection that is kept from before, if it can be used."""
        if self._socket is None:
            return None
        if self._pid != os.getpid() or not self._proven:
            self.close()
            return None
        try:
            # Nothing to read is what a quiet, open connection looks like; an end or stray bytes are no use to us.
            self._socket.settimeout(0)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return self._socket
        except OSError:
            pass
        self.close()
        return None

    def _connect(self, deadline: float) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            while not _connected(made, self._path, deadline):
                if self._interrupted.wait(_CONNECT_PAUSE) or time.monotonic() > deadline:
                    raise TimeoutError("its queue of connections is full")
        except OSError as error:
            made.close()
            raise NoReplyError(f"cannot connect: {_words(error)}", connected=False) from error
        self._socket, self._proven, self._pid = made, False, os.getpid()
        # After the socket is in its place: whoever interrupts sets the flag first, then looks there.
        if self._interrupted.is_set():
            self.close()
            raise NoReplyError("the exporter is shut down", connected=False)
        return made

    def _exchange(self, request: bytes, over: socket.socket, deadline: float) -> bytes:
        received = bytearray()
        try:
            over.settimeout(_remaining(deadline))
            over.sendall(request)
            _receive_line(over, received, deadline)
        except ConnectionError as error:
            if not received and not self._interrupted.is_set():
                raise _ServerClosedError(_words(error)) from error
            self.close()
            raise NoReplyError(f"the connection broke: {_words(error)}", connected=True) from error
        except (OSError, OverflowError) as error:
            self.close()
            raise NoReplyError(f"no reply: {_words(error)}", connected=True) from error
        line, _, beyond = bytes(received).partition(b"\n")
        self._proven = not beyond
        return line


class _ServerClosedError(Exception):
    """The server closed the connection before it answered anything."""


def _connected(made: socket.socket, path: str, deadline: float) -> bool:
    made.settimeout(_remaining(deadline))
    try:
        made.connect(path)
    except BlockingIOError:  # the server is there, and busy
        return False
    return True


def _receive_line(over: socket.socket, received: bytearray, deadline: float) -> None:
    """Receive up to a line end, in time and within bounds; what came stays in `received`, whatever happens."""
    while b"\n" not in received:
        if len(received) > MAX_LINE:
            raise OverflowError(f"it is longer than {MAX_LINE} bytes")
        over.settimeout(_remaining(deadline))
        chunk = over.recv(_CHUNK)
        if not chunk:
            raise ConnectionResetError("the server closed the connection")
        received += chunk


def _remaining(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
