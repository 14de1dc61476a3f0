"""Bad requests in the audit log: the first of a connection at once, those that follow it closely folded into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aotel.audit import actions

if TYPE_CHECKING:
    from aotel.pod.connection import Connection
    from aotel.pod.journal import Journal

_SHOWN = 400  # characters of a message in the log


@dataclass(slots=True)
class _Folded:
    message: str = ""
    size: int = 0
    count: int = 0


class BadRequests:
    """Counts bad requests, and writes of each connection one entry a turn at most, besides the first.

    Args:
        journal: where they are written.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._recent: dict[Connection, _Folded] = {}
        self.count = 0

    def note(self, connection: Connection, message: str, size: int) -> None:
        """Take notice of one.

        Args:
            connection: where it came from.
            message: what was wrong.
            size: bytes of the line.
        """
        self.count += 1
        folded = self._recent.get(connection)
        if folded is None:
            self._recent[connection] = _Folded()
            self._write(connection, message, size, 1)
        else:
            folded.message, folded.size, folded.count = message, folded.size + size, folded.count + 1

    def turn(self) -> None:
        """Write what was folded since the last turn."""
        for connection, folded in list(self._recent.items()):
            if folded.count:
                self._write(connection, folded.message, folded.size, folded.count)
                self._recent[connection] = _Folded()
            else:
                del self._recent[connection]

    def forget(self, connection: Connection) -> None:
        """Write what was folded of a connection that has ended."""
        folded = self._recent.pop(connection, None)
        if folded is not None and folded.count:
            self._write(connection, folded.message, folded.size, folded.count)

    def close(self) -> None:
        """Write all that was folded."""
        for connection in list(self._recent):
            self.forget(connection)

    def _write(self, connection: Connection, message: str, size: int, count: int) -> None:
        detail: dict[str, object] = {"message": message[:_SHOWN], "bytes": size, **connection.peer.by}
        if count > 1:
            detail["count"] = count
        stamp = connection.stamp
        agent = stamp.agent if stamp is not None else None
        self._journal.record(actions.BAD_REQUEST, detail, success=False, agent=agent)
