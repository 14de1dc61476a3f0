"""Which hosts and paths are allowed, and whether the rest is blocked: no sandbox, only Python's own doings are seen."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from aotel.errors import ConfigurationError

_CODE = (".py", ".pyc", ".so", ".pyi", ".pth")
_KEYS = frozenset({"allow_hosts", "allow_paths", "enforce"})


@dataclass(frozen=True)
class Policy:
    """What is allowed; None allows everything of its kind.

    Attributes:
        allow_hosts: names, addresses and patterns (`*.example.com`), with a port or without.
        allow_paths: files, directories with all that is in them, and patterns; links are followed first.
        enforce: whether what is not allowed is blocked, and not only told of.
    """

    allow_hosts: tuple[str, ...] | None = None
    allow_paths: tuple[str, ...] | None = None
    enforce: bool = False

    def allows_host(self, host: str, port: int | None) -> bool:
        """Say whether a host may be looked up, or connected to."""
        if self.allow_hosts is None:
            return True
        name = host.lower().rstrip(".")
        full = name if port is None else f"{name}:{port}"
        return any(fnmatchcase(name, allowed) or fnmatchcase(full, allowed) for allowed in self.allow_hosts)

    def allows_path(self, path: str, *, writes: bool) -> bool:
        """Say whether a file may be opened; what Python itself needs may always be read."""
        if self.allow_paths is None:
            return True
        real = os.path.realpath(path)
        if not writes and (any(_is_in(real, root) for root in _PYTHONS) or _is_code(real)):
            return True
        return any(_is_in(real, allowed) or fnmatchcase(real, allowed) for allowed in self.allow_paths)


def parse(text: str) -> Policy:
    """Read a policy as `aotel run` hands it on, in `AOTEL_SENSOR_POLICY`.

    Raises:
        ConfigurationError: it is not a JSON object of `allow_hosts`, `allow_paths` and `enforce`.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigurationError(f"a policy is a JSON object, got {text[:80]!r}: {error}") from error
    if not isinstance(found, dict) or not found.keys() <= _KEYS:
        raise ConfigurationError(
            f"a policy is a JSON object with some of {', '.join(sorted(_KEYS))}, got {text[:80]!r}"
        )
    hosts, paths = _texts(found, "allow_hosts"), _texts(found, "allow_paths")
    return Policy(
        None if hosts is None else tuple(host.lower() for host in hosts),
        None if paths is None else tuple(os.path.realpath(Path(path).expanduser()) for path in paths),
        found.get("enforce") is True,
    )


def _texts(found: dict[str, object], key: str) -> list[str] | None:
    value = found.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{key} of a policy is a list of texts, got {value!r:.80}")
    return value


def _is_in(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _is_code(path: str) -> bool:
    """Say whether a file is a module where Python looks for modules, or the program itself."""
    if path.endswith(_CODE) and any(_is_in(path, os.path.realpath(place)) for place in sys.path):
        return True
    program = getattr(sys.modules.get("__main__"), "__file__", None) or (sys.argv[0] if sys.argv else "")
    return bool(program) and path == os.path.realpath(program)


def pythons() -> tuple[str, ...]:
    """Return where Python and what is installed lie, links followed."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    system = ("/dev", "/proc", "/sys", "/etc/ssl", "/usr/share/zoneinfo", "/usr/lib", "/lib", "/etc/localtime")
    return tuple(os.path.realpath(place) for place in (*places, *system))


_PYTHONS = pythons()
