"""Children that end without `atexit`: what waits in them is delivered by a finalizer, or before `os._exit`.

`multiprocessing` runs its finalizers and calls `os._exit`; the workers of billiard, Celery's pool, call it at once, as
do programs that fork themselves.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from aotel import forking
from aotel.distro.ending import ENDING
from aotel.instrumentation.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable

# Finalizers run by falling priority; those that others registered may still trace something.
_LAST: Final = -100
_KINDS: Final = ("multiprocessing", "billiard")
_PATIENCE: Final = 1.0  # seconds that `os._exit` waits at most: it is for those who can't wait
_PATCHES: Final = Patches("os")


class Children(forking.Forking):
    """Has what waits delivered at the end of every child that is forked from this process, and at its own."""

    def __init__(self) -> None:
        forking.watch(self)
        # A child that was spawned, or forked by the fork server, arrives here when it is under way already.
        process = sys.modules.get("multiprocessing.process")
        if process is not None and process.parent_process() is not None:
            _arm("multiprocessing")

    def after_fork_in_child(self) -> None:
        """Wait for `multiprocessing` to begin the child: it forgets all finalizers then."""
        _PATCHES.active = True
        _PATCHES.wrap(os, "_exit", _exit)
        for kind in _KINDS:
            util = sys.modules.get(f"{kind}.util")
            if util is not None:
                util.register_after_fork(self, _ARMING[kind])


def _arm(kind: str) -> None:
    import_module(f"{kind}.util").Finalize(None, ENDING.finish, exitpriority=_LAST)


_ARMING: Final[dict[str, Callable[[object], None]]] = {
    "multiprocessing": lambda _: _arm("multiprocessing"),
    "billiard": lambda _: _arm("billiard"),
}


def _exit(leave: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        if ENDING.something_waits:  # a child that made nothing ends at once
            seconds = ENDING.pipeline.flush_timeout if ENDING.pipeline is not None else 0.0
            ENDING.finish_elsewhere(min(seconds, _PATIENCE))
    finally:
        leave(*args, **kwargs)
