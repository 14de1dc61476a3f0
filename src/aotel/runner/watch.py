"""Watches what the command and all that it has started use, from outside, and ends them above the memory limit."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from aotel.runner.ending import MEMORY_LIMIT
from aotel.sensor.resources import INTERVAL, ResourceWatch
from aotel.sensor.thresholds import Thresholds

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from aotel.runner.ending import Ending
    from aotel.runner.stage import Stage
    from aotel.runner.tree import Tree

_FIRST: Final = 1.0  # seconds to the first sample: short runs are to have one too
_CHECK: Final = 0.25  # seconds between looks at the memory, where it has a limit


class Watch:
    """A thread that looks, as long as its block lasts.

    Args:
        stage: the run's parts.
        tree: whose use is watched.
        ending: ends them.
        pid: the command's own process.
    """

    def __init__(self, stage: Stage, tree: Tree, ending: Ending, pid: int) -> None:
        self._told = stage.told
        self._ending = ending
        self._pid = pid
        self._limit = stage.options.memory_limit
        self._resources = ResourceWatch(
            pid, processes=tree.processes, memory_limit=self._limit, disk_path=stage.directory.path
        )
        self._thresholds = Thresholds()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="aotel-run-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def ran_out_of_memory(self) -> bool:
        """Say whether the kernel has killed in the command's control group for want of memory."""
        return bool(self._resources.oom.kills())

    def _work(self) -> None:
        start = told = time.monotonic()
        is_first = True
        while not self._done.wait(self._pause(is_first=is_first)):
            if self._limit is not None and self._is_over(self._limit):
                return
            now = time.monotonic()
            if is_first and now - start >= _FIRST:
                is_first = False
                self._told.sampled(self._pid, self._resources.sample(), [])  # starting is hard work: no warnings yet
            elif now - told >= INTERVAL:
                told = now
                sample = self._resources.sample()
                self._told.sampled(self._pid, sample, self._thresholds.sample(sample))

    def _pause(self, *, is_first: bool) -> float:
        if self._limit is not None:
            return _CHECK
        return _FIRST if is_first else INTERVAL

    def _is_over(self, limit: int) -> bool:
        used = self._resources.memory_over(limit)
        if used is None:
            return False
        self._told.memory_is_over(used, limit)
        self._ending.kill(MEMORY_LIMIT)
        return True
