"""A pod inside another program: in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from typing import TYPE_CHECKING

from aotel.forking import Forking, watch
from aotel.pod.errors import PodError
from aotel.pod.server import Pod

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, TypeVar

    from typing_extensions import Self

    from aotel.audit.entry import Entry
    from aotel.pod.claims import Claim
    from aotel.pod.options import PodOptions
    from aotel.pod.sockets import Sockets

    T = TypeVar("T")

_PATIENCE = 30.0  # seconds for what the pod's thread is asked to do

_logger = logging.getLogger("aotel")


class EmbeddedPod(Forking):
    """A `Pod` that any thread can use; also a context manager. A forked child leaves it to its parent.

    Args:
        options: how it is to be.
        on_written: gets entries when they are in the log, in order, in the pod's thread; it has to be quick.
    """

    def __init__(self, options: PodOptions, on_written: Callable[[list[Entry]], None] | None = None) -> None:
        self._pod = Pod(options, on_written)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sockets: Sockets | None = None
        watch(self)

    @property
    def pod_id(self) -> str:
        """The pod's name."""
        return self._pod.pod_id

    @property
    def sockets(self) -> Sockets:
        """Paths that can be connected to."""
        if self._sockets is None:
            raise PodError("the pod isn't started")
        return self._sockets

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start; return when the sockets can be connected to.

        Raises:
            AotelError: it can't be started; the message says why.
        """
        if self._thread is not None:
            raise PodError("the pod is started already")
        ready = threading.Event()
        failure: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(ready, failure), name="aotel-pod", daemon=True)
        self._thread.start()
        ready.wait()
        if failure:
            self._thread.join()
            raise failure[0]

    def stop(self, reason: str = "stopped") -> None:
        """Write and answer what was read, then close. Bounded in time; does nothing if the pod isn't running."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive():
            return
        try:
            self._ask(self._pod.stop(reason))
        except (PodError, concurrent.futures.TimeoutError, concurrent.futures.CancelledError) as error:
            _logger.warning("aotel: the pod did not stop as it should: %s", str(error) or type(error).__name__)
        thread.join(_PATIENCE)

    def append(self, action: str, detail: dict[str, object], *, success: bool = True, agent: str | None = None) -> None:
        """Put an entry into the log, soon; after the pod's end, nothing."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(lambda: self._pod.append(action, detail, success=success, agent=agent))
        except RuntimeError:  # closed meanwhile
            _logger.debug("aotel: an entry came after the pod's end: %s", action)

    def claim_for(self, pid: int, agent: str) -> Claim:
        """Claim an agent's identity for a process and all that it starts, as long as the pod lives.

        It holds when this returns.

        Args:
            pid: the process; it may be the caller's own.
            agent: the agent; one that the configuration doesn't have has no role and no capabilities.

        Raises:
            PodError: there is no such process, or the pod isn't running.
        """

        async def claim() -> Claim:
            return self._pod.claim_for(pid, agent)

        return self._ask(claim())

    def deny_control(self, pid: int) -> None:
        """Answer nothing on `control.sock` to a process and all that it starts; it holds when this returns.

        Args:
            pid: the process; it may be the caller's own.

        Raises:
            PodError: there is no such process, or the pod isn't running.
        """

        async def deny() -> None:
            self._pod.deny_control(pid)

        self._ask(deny())

    def status(self) -> dict[str, object]:
        """Return what there is to say of the pod now.

        Raises:
            PodError: the pod isn't running.
        """

        async def status() -> dict[str, object]:
            return self._pod.status()

        return self._ask(status())

    def after_fork_in_child(self) -> None:
        """Be a pod that isn't running: the thread is the parent's, and so are the sockets."""
        self._loop = self._thread = self._sockets = None
        self._pod.forget()

    def _ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or not thread.is_alive() or loop.is_closed():
            coroutine.close()
            raise PodError("the pod isn't running")
        try:
            asked = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError as error:  # closed meanwhile
            coroutine.close()
            raise PodError("the pod isn't running") from error
        return asked.result(_PATIENCE)

    def _run(self, ready: threading.Event, failure: list[BaseException]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except BaseException as error:
            if ready.is_set():
                _logger.exception("aotel: the pod has failed")
            failure.append(error)
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        await self._pod.start()
        self._loop = asyncio.get_running_loop()
        self._sockets = self._pod.sockets
        ready.set()
        await self._pod.stopped()
