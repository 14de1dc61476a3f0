"""What can go wrong with a pod, on either side of its sockets."""

from __future__ import annotations

from aotel.errors import AotelError


class PodError(AotelError):
    """A pod that can't be started; the message says why, and what to do."""


class ClaimError(AotelError):
    """A claim that was not made; the message says why."""


class ClaimRefusedError(ClaimError):
    """The pod doesn't give this agent's identity to this process."""


class NoPodError(ClaimError):
    """There is no pod that answers at the socket."""
