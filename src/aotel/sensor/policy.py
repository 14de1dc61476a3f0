"""What a run may reach: hosts and paths, and whether anything else is blocked or only told of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

import msgspec

from aotel.errors import ConfigurationError
from aotel.sensor.errors import NO_SANDBOX
from aotel.sensor.host_rules import HostRules
from aotel.sensor.path_rules import PathRules, check_entry

__all__ = ["NO_SANDBOX", "Policy", "parse"]


@dataclass(frozen=True)
class Policy:
    """What a run may reach; an empty list allows everything of its kind.

    Args:
        allow_hosts: hosts that may be looked up and connected to, as `HostRules` has them. This machine is a host like
            any other, and has to be listed (`localhost`, `127.0.0.0/8`, `::1`); Unix sockets never have to.
        allow_paths: files and directories that may be opened, as `PathRules` has them; relative ones start in the
            working directory, `~` is the home directory. What Python itself reads need not be listed.
        enforce: whether anything else is blocked, with a `PermissionError`; otherwise it is told of.

    Raises:
        ConfigurationError: an entry can't be understood.
    """

    allow_hosts: tuple[str, ...] = ()
    allow_paths: tuple[str, ...] = ()
    enforce: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "allow_hosts", _entries("allow_hosts", self.allow_hosts))
        paths = _entries("allow_paths", self.allow_paths)
        for entry in paths:
            check_entry(entry)
        object.__setattr__(self, "allow_paths", tuple(map(_absolute, paths)))
        self.hosts()
        self.paths()

    def hosts(self) -> HostRules | None:
        """Return the rules of the hosts, None if all are allowed."""
        return HostRules(self.allow_hosts) if self.allow_hosts else None

    def paths(self) -> PathRules | None:
        """Return the rules of the paths, None if all are allowed."""
        return PathRules(self.allow_paths) if self.allow_paths else None

    def json(self) -> str:
        """Return the policy as `parse` reads it, its paths absolute: as good in any other working directory."""
        return msgspec.json.encode(_Written(list(self.allow_hosts), list(self.allow_paths), self.enforce)).decode()


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    """A policy in JSON."""

    allow_hosts: Union[list[str], None] = None  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    allow_paths: Union[list[str], None] = None  # noqa: UP007
    enforce: bool = False


def parse(text: str) -> Policy:
    """Read a policy.

    Args:
        text: a JSON object with `allow_hosts`, `allow_paths` (lists of texts) and `enforce` (true or false), each of
            which may be left out; null is the same.

    Raises:
        ConfigurationError: it is no such object, or an entry of a list can't be understood.
    """
    try:
        found = msgspec.json.decode(text, type=_Written)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ConfigurationError(f"{text[:80]!r} is no policy: {error}") from None
    return Policy(tuple(found.allow_hosts or ()), tuple(found.allow_paths or ()), found.enforce)


def _entries(key: str, entries: Iterable[str]) -> tuple[str, ...]:
    if isinstance(entries, str) or not isinstance(entries, Iterable):
        raise ConfigurationError(f"{key} is a list of texts, got {entries!r}")
    found = tuple(entries)
    for each in found:
        if not isinstance(each, str):
            raise ConfigurationError(f"{key} is a list of texts, got {each!r} in it")
    return found


def _absolute(entry: str) -> str:
    # Joined, not normalised: what `..` means behind a link is for whoever follows links.
    return os.path.join(os.getcwd(), os.path.expanduser(entry))  # noqa: PTH109, PTH111, PTH118
