"""Bytes over the network: of a whole network namespace, because the system counts them for nothing smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.sensor.cgroups import PROC

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_RECEIVED: Final = 0  # columns of `/proc/<pid>/net/dev`, after the interface's name
_SENT: Final = 8
_LOOPBACK: Final = "lo"


class Bytes(NamedTuple):
    """Bytes that went over the network."""

    sent: int
    received: int


class Traffic:
    """What a tree of processes sends and receives, where it has a network namespace of its own.

    Where a process of it shares ours, it can't be told who sent what.

    Args:
        pids: the processes as they are now; what their namespaces have counted so far doesn't count.
        proc: where processes are.
    """

    def __init__(self, pids: Iterable[int], *, proc: Path = PROC) -> None:
        self._proc = proc
        self._own = _namespace(proc / "self")
        self._before: dict[str, Bytes] = {}
        self._last: dict[str, Bytes] = {}
        for namespace, pid in (self._namespaces(pids) or {}).items():
            self._before[namespace] = self._counted(pid) or Bytes(0, 0)

    def read(self, pids: Iterable[int]) -> Bytes | None:
        """Return the bytes since the making, None if that can't be told.

        Args:
            pids: the processes as they are now.
        """
        namespaces = self._namespaces(pids)
        if namespaces is None:
            return None
        for namespace, pid in namespaces.items():
            counted = self._counted(pid)
            if counted is not None:
                before = self._before.setdefault(namespace, Bytes(0, 0))
                self._last[namespace] = Bytes(counted.sent - before.sent, counted.received - before.received)
        if not self._last:
            return None
        return Bytes(sum(each.sent for each in self._last.values()), sum(each.received for each in self._last.values()))

    def _namespaces(self, pids: Iterable[int]) -> dict[str, int] | None:
        """Return a process for each namespace, None if one is ours, or is not known."""
        found: dict[str, int] = {}
        for pid in pids:
            namespace = _namespace(self._proc / str(pid))
            if namespace is None:
                if (self._proc / str(pid)).exists():
                    return None
                continue  # it has ended meanwhile
            if self._own is None or namespace == self._own:
                return None
            found.setdefault(namespace, pid)
        return found

    def _counted(self, pid: int) -> Bytes | None:
        try:
            lines = (self._proc / str(pid) / "net" / "dev").read_text(encoding="ascii").splitlines()[2:]
        except (OSError, UnicodeDecodeError):
            return None
        sent = received = 0
        for line in lines:
            name, _, counts = line.partition(":")
            numbers = counts.split()
            if name.strip() != _LOOPBACK and len(numbers) > _SENT:
                sent += int(numbers[_SENT])
                received += int(numbers[_RECEIVED])
        return Bytes(sent, received)


def _namespace(process: Path) -> str | None:
    try:
        return str((process / "ns" / "net").readlink())
    except OSError:
        return None
