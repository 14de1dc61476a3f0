"""`control.sock`: what the pod's operator asks; who may is `aotel.pod.control`'s to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from aotel.pod import control
from aotel.pod.service import Service

if TYPE_CHECKING:
    from aotel.pod.connection import Connection
    from aotel.pod.core import Core
    from aotel.pod.server import Pod


class ControlService(Service):
    """Answers what comes over `control.sock`.

    Args:
        core: what all sockets share.
        pod: the pod.
    """

    name: ClassVar[str] = "control.sock"

    def __init__(self, core: Core, pod: Pod) -> None:
        super().__init__(core)
        self._pod = pod

    def respond(self, connection: Connection, line: bytes) -> None:
        """Answer a line."""
        self.answer(connection, control.handle(line, connection.peer, self._pod))
