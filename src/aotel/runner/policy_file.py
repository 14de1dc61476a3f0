"""A policy file (TOML): the limits of a run, and what it may reach, in a form that can be kept and shared."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aotel.errors import ConfigurationError
from aotel.pod.config import parse
from aotel.pod.tables import Table
from aotel.runner import quantities

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from aotel.pod.config import AgentConfig

    T = TypeVar("T")


@dataclass(frozen=True)
class Policy:
    """What a policy file says; None, or nothing, where it says nothing.

    Attributes:
        allow_hosts: hosts that may be connected to.
        allow_paths: paths that may be opened.
        enforce: whether what is not allowed is blocked in Python.
        timeout: seconds that the command may run.
        memory_limit: bytes of memory that its processes may have together.
        output: directory to collect files from, relative to the working directory of the run.
        output_limit: bytes to collect at most.
        agents: identities that can be claimed.
    """

    allow_hosts: tuple[str, ...] = ()
    allow_paths: tuple[str, ...] = ()
    enforce: bool | None = None
    timeout: float | None = None
    memory_limit: int | None = None
    output: Path | None = None
    output_limit: int | None = None
    agents: tuple[AgentConfig, ...] = ()


def load(path: Path) -> Policy:
    """Read a policy file.

    Raises:
        ConfigurationError: it can't be read, is no TOML, or a key is unknown or has a value that can't be used; the
            message names the key.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        msg = f"the policy file {path} can't be read: {error.strerror or error}"
        raise ConfigurationError(msg) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"the policy file {path} is no TOML: {error}"
        raise ConfigurationError(msg) from None
    return _read(content, path)


def _read(content: dict[str, Any], path: Path) -> Policy:
    source = str(path)
    table = Table(content, source)
    table.tables("agents")  # a key that is known
    output = table.table("output")
    directory = output.text("dir", empty=False)
    made = Policy(
        allow_hosts=table.texts("allow_hosts"),
        allow_paths=table.texts("allow_paths"),
        enforce=table.flag("enforce"),
        timeout=_quantity(table, content, "timeout", quantities.seconds, f"{source}: timeout"),
        memory_limit=_quantity(table, content, "memory_limit", quantities.size, f"{source}: memory_limit"),
        output=None if directory is None else Path(directory),
        output_limit=_quantity(
            output, content.get("output", {}), "max_bytes", quantities.size, f"{source}: output.max_bytes"
        ),
        agents=parse({"agents": content.get("agents", [])}, source, path.parent).agents,
    )
    output.nothing_else()
    table.nothing_else()
    return made


def _quantity(table: Table, content: dict[str, Any], key: str, read: Callable[[str], T], where: str) -> T | None:
    """Return a number, or a text with a unit."""
    value = content.get(key)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(table.number(key, above=0)) if number else table.text(key, empty=False)
    if text is None:
        return None
    try:
        return read(text)
    except ConfigurationError as error:
        msg = f"{where}: {error}"
        raise ConfigurationError(msg) from None
