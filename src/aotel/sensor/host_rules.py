"""Which hosts a policy allows: names, names with a star, addresses and networks, each with a port or without."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from aotel.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    _Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
    _Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_BRACKETS = re.compile(r"\[([^]]+)\](?::(\d+))?")
_HIGHEST_PORT = 65_535


class HostRule(NamedTuple):
    """One entry of a list of hosts."""

    name: str | None
    """A name, `.example.com` for what stands for all below it, "" for every host; None for a network."""
    network: _Network | None
    port: int | None


class HostRules:
    """A list of hosts.

    Args:
        entries: each a name (`api.example.com`), all names below one (`*.example.com`), an address, a network
            (`10.0.0.0/8`), or `*` for every host; any of them may end in `:port`. IPv6 takes brackets before a port.

    Raises:
        ConfigurationError: an entry is none of these.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._rules = tuple(map(_rule, entries))

    def allow(self, host: str, port: int | None, names: Iterable[str] = ()) -> bool:
        """Say whether a host may be reached.

        Args:
            host: a name or an address.
            port: the port; None for a look-up, which is allowed if any port is.
            names: of an address, the names that were looked up and led to it.
        """
        address = parse_address(host)
        if address is None:
            return self._allow_name(normal_name(host), port)
        for _, network, at in self._rules:
            if network is not None and address in network and _same_port(at, port):
                return True
        return self._allow_name("", port) or any(self._allow_name(normal_name(name), port) for name in names)

    def _allow_name(self, name: str, port: int | None) -> bool:
        for allowed, _, at in self._rules:
            if allowed is None or not _same_port(at, port):
                continue
            if not allowed or allowed == name or (allowed[0] == "." and name.endswith(allowed)):
                return True
        return False


def normal_name(name: str) -> str:
    """Return a host's name as rules have it: in lower case, in ASCII, without the dot at its end."""
    name = name.lower().removesuffix(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def parse_address(host: str) -> _Address | None:
    """Return an address, one of IPv4 as such even in the clothes of IPv6; None for a name."""
    if ":" not in host and not host[-1:].isdigit():
        return None  # as most names
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _same_port(allowed: int | None, port: int | None) -> bool:
    return allowed is None or port is None or allowed == port


def _rule(entry: str) -> HostRule:
    text = entry.strip()
    network = _network(text)
    if network is not None:
        return HostRule(None, network, None)
    brackets = _BRACKETS.fullmatch(text)
    host, port = (brackets[1], brackets[2]) if brackets else _split(text)
    number = None if port is None else int(port)
    network = _network(host)
    if network is not None:
        found = HostRule(None, network, number)
    elif host == "*":
        found = HostRule("", None, number)
    else:
        name = normal_name(host)
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{entry!r} is no host to allow: expected a name (api.example.com), all names below one "
                f"(*.example.com), an address, a network (10.0.0.0/8) or *, each with a :port if need be"
            )
        found = HostRule(name.removeprefix("*"), None, number)
    if number is not None and not 0 < number <= _HIGHEST_PORT:
        raise ConfigurationError(f"{entry!r} is no host to allow: a port is a number from 1 to {_HIGHEST_PORT}")
    return found


def _split(text: str) -> tuple[str, str | None]:
    host, colon, port = text.rpartition(":")
    return (host, port) if colon and port.isdecimal() and port.isascii() else (text, None)


def _network(text: str) -> _Network | None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:  # noqa: PLR2004 - bits before the IPv4 address
        return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network
