"""Who is at the other end of a Unix socket, by the kernel's word."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Final

from aotel.pod.processes import Process, look

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: Linux's struct ucred
_SO_PEERPIDFD = 77  # Linux 6.5: a descriptor of the peer's process, which names no other even if the pid does
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # macOS
_NO_UID = 2**32 - 1
_XUCRED = struct.Struct("2I")  # version, uid, …


@dataclass(frozen=True, slots=True)
class Peer:
    """One process that has connected.

    Attributes:
        pid: its id; 0 where the system doesn't say, or it is of another namespace.
        uid: the user it runs as.
        process: the process, if it could be told for sure.
    """

    pid: int
    uid: int
    process: Process | None

    @property
    def session(self) -> str:
        """The name under which all connections of the process go together."""
        if self.process is None:
            return f"sess_{self.pid}"
        return f"sess_{self.pid}_{int(self.process.started):x}"

    @property
    def by(self) -> dict[str, int]:
        """The peer as the audit log names it."""
        return {"pid": self.pid, "uid": self.uid}


NOBODY: Final = Peer(0, _NO_UID, None)
"""A peer of which the system tells nothing."""


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end of a connected Unix socket."""
    pid, uid = _credentials(connection)
    process = _process(connection, pid)
    return Peer(pid, uid, process)


def _credentials(connection: socket.socket) -> tuple[int, int]:
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(raw)
        return pid, uid & 0xFFFF_FFFF
    raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 128)
    _, uid = _XUCRED.unpack(raw[: _XUCRED.size])
    return 0, uid  # pragma: no cover - macOS


def _process(connection: socket.socket, pid: int) -> Process | None:
    """Return the process that connected; None if it is gone, for its pid may be another's by now."""
    seen = look(pid)
    if seen is None:
        return None
    try:
        descriptor = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError as error:
        # An older kernel doesn't know the question; one that does answers ESRCH for a process that is gone.
        return None if isinstance(error, ProcessLookupError) else seen.process
    try:
        # After the look: as long as this process has its pid, nobody else had it when we looked.
        signal.pidfd_send_signal(descriptor, 0)
    except ProcessLookupError:
        return None
    except OSError:  # it is another user's, and there
        pass
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    return seen.process
