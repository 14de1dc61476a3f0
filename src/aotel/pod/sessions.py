"""Which processes have been here: a session is all that one process says, over however many connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aotel.pod.peers import Peer

_MOST = 65_536

NEW = b'"session":"new"'
ATTACHED = b'"session":"attached"'


class Sessions:
    """Remembers sessions, the latest ones.

    Args:
        most: how many.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def greet(self, peer: Peer) -> bytes:
        """Return what the first reply of a connection says: whether the process was here before."""
        if peer.process is None:  # the next one with its pid may be another
            return NEW
        known = peer.session in self._known
        self._known.pop(peer.session, None)
        self._known[peer.session] = None
        if len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return ATTACHED if known else NEW
