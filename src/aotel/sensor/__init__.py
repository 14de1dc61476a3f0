"""The sensor: what a process does beside its operations, seen from inside by Python's audit hook, and from outside."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aotel.errors import ConfigurationError
from aotel.forking import Forking
from aotel.forking import watch as _watch_forks
from aotel.sensor import policy
from aotel.sensor.errors import BlockedError
from aotel.sensor.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Collection

    from aotel.sensor.watch import Watch

__all__ = ["BlockedError", "Policy", "flush", "lost", "policy", "start", "stop"]


class _Current(Forking):
    """The watch that is kept, and the lock under which it changes."""

    __slots__ = ("lock", "watch")

    def __init__(self) -> None:
        self.watch: Watch | None = None
        self.lock = threading.RLock()
        _watch_forks(self)

    def after_fork_in_child(self) -> None:
        """Take a lock that nobody holds."""
        self.lock = threading.RLock()


_current = _Current()


def start(what: Collection[str], socket_path: str, *, policy: Policy | None = None) -> None:
    """Have this process tell a pod what it does, and hold a policy against that; again, with the same, it does nothing.

    Args:
        what: what to tell of, some of `files`, `network`, `processes`.
        socket_path: the pod's queue socket; it need not be there yet.
        policy: what is allowed. What isn't is told of also where its kind isn't in `what`.

    Raises:
        ConfigurationError: something in `what` is unknown.
    """
    # Here, not above: who only writes policies, as the runner does, has no use for the SDK that it brings.
    from aotel.sensor.watch import KINDS, Order, Watch

    unknown = set(what) - KINDS
    if unknown or isinstance(what, str):
        shown = what if isinstance(what, str) else sorted(unknown)
        raise ConfigurationError(f"the sensor watches some of {', '.join(sorted(KINDS))}, not {shown!r}")
    order = Order(frozenset(what), socket_path, policy or Policy())
    with _current.lock:
        former = _current.watch
        if former is not None and former.order == order:
            return
        if former is not None:
            former.stop()
        _current.watch = Watch(order)


def stop() -> None:
    """Have nothing told and nothing held any more; what waits is told first, for a second at most."""
    with _current.lock:
        former, _current.watch = _current.watch, None
    if former is not None:
        former.stop()


def flush(timeout: float = 1.0) -> bool:
    """Tell the pod what is still to be told, within `timeout` seconds; say whether all of it was."""
    former = _current.watch
    return former is None or former.flush(timeout)


def lost() -> int:
    """Return how many events could not be told: there were too many, or the pod refused them."""
    former = _current.watch
    return 0 if former is None else former.lost
