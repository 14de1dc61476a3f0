"""Children of `multiprocessing` end without `atexit`: what waits in them is delivered by a finalizer of its kind."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from aotel import forking

if TYPE_CHECKING:
    from collections.abc import Callable

# Finalizers run by falling priority; those that others registered may still trace something.
_LAST = -100


class Children(forking.Forking):
    """Has `finish` called at the end of every child that `multiprocessing` makes of this process, and at its own.

    Args:
        finish: delivers what waits.
    """

    def __init__(self, finish: Callable[[], None]) -> None:
        self._finish = finish
        forking.watch(self)
        # A child that was spawned, or forked by the fork server, arrives here when it is under way already.
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            self._arm()

    def after_fork_in_child(self) -> None:
        """Wait for `multiprocessing` to begin the child: it forgets all finalizers then."""
        if "multiprocessing.util" in sys.modules:
            from multiprocessing import util

            util.register_after_fork(self, Children._arm)

    def _arm(self) -> None:
        from multiprocessing import util

        util.Finalize(None, self._finish, exitpriority=_LAST)
