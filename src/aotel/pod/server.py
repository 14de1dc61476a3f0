"""The pod: its sockets, its log, and what goes on between them, in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from aotel._version import __version__
from aotel.audit import AuditLog, actions
from aotel.pod import sockets
from aotel.pod.accepting import Acceptor
from aotel.pod.actions import ActionQueue
from aotel.pod.claims import Claims
from aotel.pod.config import AgentConfig
from aotel.pod.connection import Connection
from aotel.pod.control_service import ControlService
from aotel.pod.core import Core
from aotel.pod.duplicates import Duplicates
from aotel.pod.errors import PodError
from aotel.pod.identity_service import IdentityService
from aotel.pod.journal import Journal
from aotel.pod.processes import look
from aotel.pod.queue_service import QueueService
from aotel.pod.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.audit.entry import Entry
    from aotel.pod.claims import Claim
    from aotel.pod.forward import Forwarder
    from aotel.pod.options import PodOptions
    from aotel.pod.peers import Peer
    from aotel.pod.service import Service

_SPARE_FILES = 64  # descriptors that connections leave for the log, /proc and the rest
_DRAIN = 5.0  # seconds that a stop waits for syncs, and for clients to read what they are answered

_logger = logging.getLogger("aotel")


class Pod:
    """Receives envelopes on sockets in a directory, and keeps the audit log there.

    All methods belong to the thread of the event loop that `start` runs in.

    Args:
        options: how it is to be.
        on_written: gets entries when they are in the log, in order; it runs in the loop, so it has to be quick.
    """

    def __init__(self, options: PodOptions, on_written: Callable[[list[Entry]], None] | None = None) -> None:
        self.options = options.settled()
        self.uid = os.getuid()
        self.core: Core
        self.actions: ActionQueue
        self._on_written = on_written
        self._log: AuditLog | None = None
        self._forwarder: Forwarder | None = None
        self._listeners: sockets.Listeners | None = None
        self._acceptors: list[Acceptor] = []
        self._executor = ThreadPoolExecutor(2, thread_name_prefix="aotel-pod")
        self._watch: Watch | None = None
        self._stopping: asyncio.Future[None] | None = None
        self._stop_asked = asyncio.Event()

    @property
    def pod_id(self) -> str:
        """The pod's name."""
        return self.options.pod_id

    @property
    def sockets(self) -> sockets.Sockets:
        """Paths of the sockets."""
        if self._listeners is None:
            raise PodError("the pod isn't started")
        return self._listeners.paths

    async def start(self) -> None:
        """Open the log, then the sockets; return when they can be connected to.

        Raises:
            AotelError: another pod has the directory, or something there can't be used; nothing is left behind.
        """
        options = self.options
        sockets.make_directory(options.directory, options.directory_mode)
        loop = asyncio.get_running_loop()
        log = self._log = AuditLog(
            options.directory,
            pod_id=options.pod_id,
            key=options.key,
            rotate_bytes=options.rotate_bytes,
            fsync=options.fsync,
        )
        try:
            duplicates = Duplicates.of_log(options.directory)
            journal = Journal(
                log,
                loop,
                self._executor,
                durable=options.fsync == "always",
                duplicates=duplicates,
                on_written=self._on_written,
            )
            self.core = Core(
                pod_id=options.pod_id,
                uid=self.uid,
                claims=Claims(options.config.agents, uid=self.uid),
                journal=journal,
                duplicates=duplicates,
                most_connections=_most_connections(),
            )
            self.actions = self.core.actions = ActionQueue(
                options.config.actions,
                options.directory / "actions.json",
                time.time,
                audit=lambda action, detail, success: self.append(
                    action, detail, success=success, agent=self.core.acting
                ),
                claim_of=self._claim_of,
            )
            if options.otlp is not None:
                from aotel.pod.forward import Forwarder

                self._forwarder = journal.sink = Forwarder(options.otlp, pod_id=options.pod_id)
            self._listeners = sockets.Listeners(options.directory, options.socket_mode)
            self._serve(loop)
            journal.record(actions.POD_START, {"version": __version__, "pid": os.getpid()})
            journal.commit()
            self._watch = Watch(self.core, self._executor)
            self._watch.start()
        except BaseException:
            await self._abandon()
            raise

    async def stop(self, reason: str = "stopped") -> None:
        """Stop: take no more, write and answer what was read, close. Bounded in time; more calls wait for the first."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop(reason))
            self._stop_asked.set()
        await asyncio.shield(self._stopping)

    async def stopped(self) -> None:
        """Return when somebody has stopped the pod, and it has."""
        await self._stop_asked.wait()
        await self.stop()

    def forget(self) -> None:
        """In a forked child: let go of the sockets, which would else seem in use after the parent's end."""
        if self._listeners is not None:
            self._listeners.forget()

    def append(self, action: str, detail: dict[str, object], *, success: bool = True, agent: str | None = None) -> None:
        """Put an entry of the embedder's into the log; if that can't be written now, later."""
        self.core.journal.record(action, detail, success=success, agent=agent)

    def claim_for(self, pid: int, agent: str) -> Claim:
        """Claim an agent's identity for a process and all that it starts, as long as the pod lives.

        Args:
            pid: the process; it may be the pod's own.
            agent: the agent; one that the configuration doesn't have has no role and no capabilities.

        Raises:
            PodError: there is no such process.
        """
        seen = look(pid)
        if seen is None:
            raise PodError(f"there is no process {pid} to claim {agent!r} for")
        known = next((each for each in self.options.config.agents if each.id == agent), None)
        claim = self.core.claims.grant(known or AgentConfig(agent), seen.process, self.uid)
        self.append(actions.CLAIM, {"claim_id": claim.id, "agent": agent, "pid": pid, "uid": self.uid}, agent=agent)
        self.core.look_soon()
        return claim

    def deny_control(self, pid: int) -> None:
        """Answer nothing on `control.sock` to a process and all that it starts, whoever's they are.

        Args:
            pid: the process; it may be the pod's own.

        Raises:
            PodError: there is no such process.
        """
        seen = look(pid)
        if seen is None:
            raise PodError(f"there is no process {pid} to keep from {sockets.CONTROL}")
        self.core.claims.mark(seen.process)

    def is_agent(self, peer: Peer) -> bool:
        """Say whether a peer is under a claim, or was, or descends from a process that is or was."""
        return self.core.is_agent(peer)

    def agent_of(self, peer: Peer) -> str | None:
        """Return the agent that a peer acts as now."""
        claim = self.core.covering(peer)
        return None if claim is None else claim.agent.id

    def status(self) -> dict[str, object]:
        """Return what there is to say of the pod now."""
        found = self.core.status()
        if self._forwarder is not None:
            found["forward"] = self._forwarder.counts
        return found

    def _claim_of(self, peer: Peer) -> str | None:
        claim = self.core.covering(peer)
        return None if claim is None else claim.id

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        assert self._listeners is not None  # noqa: S101 - made just before
        services: dict[str, Service] = {
            sockets.QUEUE: QueueService(self.core),
            sockets.IDENTITY: IdentityService(self.core),
            sockets.CONTROL: ControlService(self.core, self),
        }
        for name, service in services.items():
            listening = self._listeners.listening[name]
            self._acceptors.append(Acceptor(loop, listening, partial(Connection, service), self._has_room))

    def _has_room(self) -> bool:
        pending = sum(acceptor.pending for acceptor in self._acceptors)
        return len(self.core.connections) + pending < self.core.most_connections

    async def _stop(self, reason: str) -> None:
        deadline = time.monotonic() + _DRAIN
        for acceptor in self._acceptors:
            acceptor.close()
        if self._listeners is not None:
            self._listeners.close()
        if self._watch is not None:
            await self._watch.stop()
        for acceptor in self._acceptors:
            await acceptor.settle()
        connections = list(self.core.connections)
        for connection in connections:
            connection.finish()
        self.core.bad_requests.close()
        self.append(actions.POD_STOP, {"reason": reason, "pid": os.getpid()})
        self.core.journal.commit()
        while time.monotonic() < deadline and not (
            self.core.journal.is_settled and all(connection.is_answered for connection in connections)
        ):
            self.core.journal.retry()
            await asyncio.sleep(0.01)
        for connection in connections:
            connection.close()
        await asyncio.sleep(0)
        for connection in list(self.core.connections):
            connection.abort()
        await asyncio.sleep(0)
        await self._abandon()

    async def _abandon(self) -> None:
        """Give back all that was opened so far."""
        for acceptor in self._acceptors:
            acceptor.close()
        self._acceptors.clear()
        if self._listeners is not None:
            self._listeners.close()
        loop = asyncio.get_running_loop()
        if self._forwarder is not None:
            await loop.run_in_executor(self._executor, self._forwarder.close, _DRAIN)
        await loop.run_in_executor(self._executor, self._close_log)
        self._executor.shutdown(wait=False)

    def _close_log(self) -> None:
        assert self._log is not None  # noqa: S101 - opened before anything that has to be given back
        with contextlib.suppress(OSError):
            self._log.sync()
        self._log.close()


def _most_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, (65_536 if soft == resource.RLIM_INFINITY else soft) - _SPARE_FILES)
