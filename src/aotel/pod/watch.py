"""What a pod does about once a second: see who has started whom, end claims, catch up with the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING

from aotel.pod.processes import Look, look_at_all

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from aotel.pod.core import Core

_TURN = 1.0  # seconds
_LONGEST_TURN = 10.0
_SHARE = 20  # a look at all processes may take this part of the time
_MOST_REMEMBERED = 4096  # processes, while there are no claims

_logger = logging.getLogger("aotel")


class Watch:
    """The turns of a pod.

    Args:
        core: the pod's state.
        executor: where processes are looked at.
    """

    def __init__(self, core: Core, executor: Executor) -> None:
        self._core = core
        self._executor = executor
        self._soon = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0

    def start(self) -> None:
        """Begin."""
        self._core.look_soon = self._soon.set
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._turn()
            except Exception:
                _logger.exception("aotel: a turn of the pod failed")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._soon.wait(), _TURN)

    async def _turn(self) -> None:
        core = self._core
        core.expire_claims()
        core.bad_requests.turn()
        core.actions.tick()
        core.journal.retry()
        core.journal.sync_if_due()
        soon = self._soon.is_set()
        self._soon.clear()
        wanted = core.claims.wanted or len(core.claims.lineages) > _MOST_REMEMBERED
        if wanted and (soon or time.monotonic() >= self._next_look):
            began = time.monotonic()
            looks, took = await asyncio.get_running_loop().run_in_executor(self._executor, _timed_look)
            self._next_look = began + min(_LONGEST_TURN, max(_TURN, took * _SHARE))
            core.ended(core.claims.saw(looks), "its processes are gone")


def _timed_look() -> tuple[list[Look], float]:
    """Look at all processes, and say how much of a processor's time (s) that took."""
    began = time.thread_time()
    return look_at_all(), time.thread_time() - began
