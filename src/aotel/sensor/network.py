"""Hosts: which are looked up and connected to, and which of that a policy doesn't allow."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

from aotel.audit import actions
from aotel.sensor import arguments, origin
from aotel.sensor.event import Event
from aotel.sensor.host_rules import HostRules, normal_name, parse_address

if TYPE_CHECKING:
    from aotel.sensor.event import Fields, Note
    from aotel.sensor.guard import Guard
    from aotel.sensor.hook import Handler
    from aotel.sensor.lookups import Lookups

_UNKNOWN_PORT = -1


class NetworkWatch:
    """What a program does with hosts.

    Args:
        note: takes what happened.
        lookups: knows which names led to an address.
        is_told: whether hosts are told of; if not, they are only judged.
        rules: which hosts are allowed; None for all.
        guard: does what there is to do about others.
    """

    def __init__(
        self,
        note: Note,
        lookups: Lookups,
        *,
        is_told: bool,
        rules: HostRules | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._note = note
        self._lookups = lookups
        self._is_told = is_told
        self._rules = rules
        self._guard = guard if rules is not None else None
        self._own_name = normal_name(socket.gethostname())

    def handlers(self) -> dict[str, Handler]:
        """Return what handles which event."""
        return {
            "socket.connect": self._connected,
            "socket.sendto": self._connected,
            "socket.sendmsg": self._connected,
            "socket.getaddrinfo": self._looked_up,
            "socket.gethostbyname": self._looked_up,
            "socket.gethostbyaddr": self._asked_back,
        }

    def _connected(self, given: tuple[Any, ...]) -> None:
        parts = arguments.items(given[1])
        if parts is None or len(parts) < 2:  # noqa: PLR2004 - a Unix socket's path, or no address at all
            return
        host, port = arguments.text(parts[0]), arguments.number(parts[1])
        if host is None:  # not of the internet
            return
        names = self._lookups.names(host)
        self._judge(host, _UNKNOWN_PORT if port is None else port, names, "connecting to")
        if self._is_told:
            self._tell(actions.NET_CONNECT, _destination(host, port, names))

    def _looked_up(self, given: tuple[Any, ...]) -> None:
        host = arguments.text(given[0])
        if host and parse_address(host) is None:  # else nobody is asked
            self._ask(host)

    def _asked_back(self, given: tuple[Any, ...]) -> None:
        host = arguments.text(given[0])
        if host:
            self._ask(host)

    def _ask(self, host: str) -> None:
        name = normal_name(host)
        if name != "localhost" and not name.endswith(".localhost") and name != self._own_name:
            self._judge(host, None, (), "looking up")
        if self._is_told:
            self._tell(actions.DNS_QUERY, (("host", host),))

    def _judge(self, host: str, port: int | None, names: tuple[str, ...], doing: str) -> None:
        guard, rules = self._guard, self._rules
        if guard is None or rules is None:
            return
        try:
            allowed = rules.allow(host, port, names) or origin.is_exporting()
        except Exception as error:  # noqa: BLE001 - what can't be judged is not let through
            guard.unreadable(f"{doing} a host", f"{type(error).__name__} on the way to it")
            return
        if not allowed:
            guard.violation(_shown(host, port, names), doing)

    def _tell(self, action: str, fields: Fields) -> None:
        with contextlib.suppress(Exception):
            if not origin.is_ours():
                self._note(Event(action, fields, *origin.span_ids(), time.time_ns()))


def _destination(host: str, port: int | None, names: tuple[str, ...]) -> Fields:
    """Return what is told of a connection: a name for the address if only one led there, else the address."""
    found: Fields = (("host", names[0]), ("address", host)) if len(names) == 1 else (("host", host),)
    return found if port is None else (*found, ("port", port))


def _shown(host: str, port: int | None, names: tuple[str, ...]) -> str:
    name = f"{names[0]} ({host})" if len(names) == 1 else host
    if port is None or port == _UNKNOWN_PORT:
        return name
    return f"[{name}]:{port}" if ":" in name and len(names) != 1 else f"{name}:{port}"
