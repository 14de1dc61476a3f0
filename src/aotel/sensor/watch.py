"""One watch over the process: what it does is noted by the hook's handlers, and told to the pod."""

from __future__ import annotations

import atexit
import os
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.forking import Forking
from aotel.forking import watch as watch_forks
from aotel.sensor import activity, hook, origin
from aotel.sensor.delivery import Delivery
from aotel.sensor.files import FileWatch
from aotel.sensor.guard import HOST, PATH, Guard
from aotel.sensor.lookups import Lookups
from aotel.sensor.network import NetworkWatch
from aotel.sensor.processes import ProcessWatch

if TYPE_CHECKING:
    from aotel.sensor.hook import Handler
    from aotel.sensor.policy import Policy

FILES: Final = "files"
NETWORK: Final = "network"
PROCESSES: Final = "processes"
KINDS: Final = frozenset({FILES, NETWORK, PROCESSES})

FLUSH_TIMEOUT: Final = 1.0
"""Seconds that the end of the process may take longer."""
_LAST: Final = -100  # finalizers run by falling priority


class Order(NamedTuple):
    """What is to be watched, and where it is told."""

    what: frozenset[str]
    socket_path: str
    policy: Policy


class Watch(Forking):
    """A watch, from its making on.

    Args:
        order: what to watch.
    """

    __slots__ = ("_delivery", "_lookups", "_processes", "order")

    def __init__(self, order: Order) -> None:
        self.order = order
        activity.prepare()
        self._delivery = Delivery(order.socket_path)
        self._lookups = Lookups()
        self._processes = ProcessWatch(self._delivery.note, self._delivery.flush)
        watch_forks(self)
        atexit.register(self._finish)
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            self._finish_with_multiprocessing()
        else:
            self._expect_multiprocessing()
        self._watch()

    @property
    def lost(self) -> int:
        """How many events could not be told."""
        return self._delivery.lost

    def flush(self, timeout: float) -> bool:
        """Tell what was noted, within `timeout` seconds; say whether all of it was."""
        return self._delivery.flush(timeout)

    def stop(self) -> None:
        """Watch no longer."""
        hook.watch({})
        self._lookups.stop()
        atexit.unregister(self._finish)
        self._delivery.stop(FLUSH_TIMEOUT)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._processes.forked(is_child=False)

    def after_fork_in_child(self) -> None:
        """Start empty, with a connection of the child's own."""
        origin.muted.clear()
        self._delivery.renew()
        self._processes.forked(is_child=True)
        self._expect_multiprocessing()

    def _expect_multiprocessing(self) -> None:
        """Wait for `multiprocessing` to begin a child: it forgets all finalizers then, and ends it without `atexit`."""
        if "multiprocessing.util" in sys.modules:
            from multiprocessing import util

            util.register_after_fork(self, Watch._finish_with_multiprocessing)

    def _finish_with_multiprocessing(self) -> None:
        from multiprocessing import util

        util.Finalize(None, self._finish, exitpriority=_LAST)

    def _finish(self) -> None:
        self._delivery.flush(FLUSH_TIMEOUT)

    def _watch(self) -> None:
        what, socket_path, policy = self.order
        note = self._delivery.note
        path_rules, host_rules = policy.paths(), policy.hosts()
        found: dict[str, Handler] = {}
        strict: set[str] = set()
        if FILES in what or path_rules is not None:
            guard = Guard(PATH, policy.allow_paths, note, enforce=policy.enforce)
            own = os.path.dirname(socket_path)  # noqa: PTH120 - text
            quiet = tuple({own, os.path.realpath(own)} - {"", "/"})
            files = FileWatch(note, is_told=FILES in what, quiet=quiet, rules=path_rules, guard=guard).handlers()
            strict.update(files if policy.enforce and path_rules is not None else ())
            found.update(files)
        if NETWORK in what or host_rules is not None:
            self._lookups.listen()
            guard = Guard(HOST, policy.allow_hosts, note, enforce=policy.enforce)
            is_told = NETWORK in what
            hosts = NetworkWatch(note, self._lookups, is_told=is_told, rules=host_rules, guard=guard).handlers()
            strict.update(hosts if policy.enforce and host_rules is not None else ())
            found.update(hosts)
        if PROCESSES in what:
            found.update(self._processes.handlers())
        hook.watch(found, strict)
