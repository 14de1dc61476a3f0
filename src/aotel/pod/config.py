"""`pod.toml`: which agents there are, who may claim them, which actions can be called, how the pod keeps its log."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from aotel.errors import ConfigurationError
from aotel.pod.tables import Table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

Tier: TypeAlias = Literal["immediate", "delayed", "staged", "blocked"]
Fsync: TypeAlias = Literal["none", "interval", "always"]

TIERS: tuple[Tier, ...] = ("immediate", "delayed", "staged", "blocked")
FSYNC: tuple[Fsync, ...] = ("none", "interval", "always")
PARAM_TYPES = ("string", "integer", "number", "boolean", "object", "array")
LONGEST_CLAIM = 86_400  # seconds, where an agent has no measure of its own
_MAX_ID = 2**32 - 2
_MODES = 0o7777


_DELAY: Final = 30.0


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent whose identity can be claimed.

    Attributes:
        id: its name.
        role: in which role it acts.
        capabilities: what it may do, in words that its tools understand.
        uids: the users whose processes may claim it; None for the pod's own.
        max_ttl_secs: the longest claim, in seconds.
    """

    id: str
    role: str = ""
    capabilities: tuple[str, ...] = ()
    uids: tuple[int, ...] | None = None
    max_ttl_secs: float = LONGEST_CLAIM


@dataclass(frozen=True, slots=True)
class ParamConfig:
    """A parameter of an action."""

    name: str
    type: str = "string"
    required: bool = False


@dataclass(frozen=True, slots=True)
class ActionConfig:
    """An action that agents can call.

    Attributes:
        name: what it is called by.
        description: what a person reads who is asked.
        tier: whether it happens at once, after a while, when a person has agreed, or never.
        params: what it takes.
        delay_secs: of the tier `delayed`, how long it can still be cancelled, in seconds.
    """

    name: str
    description: str = ""
    tier: Tier = "staged"
    params: tuple[ParamConfig, ...] = ()
    delay_secs: float = _DELAY


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """How the log is kept; None is the pod's default."""

    rotate_bytes: int | None = None
    fsync: Fsync | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SocketsConfig:
    """Who can reach the sockets, as modes of files; None is the pod's default."""

    mode: int | None = None
    directory_mode: int | None = None


@dataclass(frozen=True, slots=True)
class PodConfig:
    """All that a `pod.toml` says."""

    pod_id: str | None = None
    agents: tuple[AgentConfig, ...] = ()
    actions: tuple[ActionConfig, ...] = ()
    audit: AuditConfig = field(default_factory=AuditConfig)
    sockets: SocketsConfig = field(default_factory=SocketsConfig)
    otlp: str | None = None


def load(path: Path) -> PodConfig:
    """Read a `pod.toml`; relative paths in it are relative to where it lies.

    Raises:
        ConfigurationError: it can't be read, is no TOML, or a key is unknown or has a value that can't be used; the
            message names the key and says what was expected.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror or error}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise ConfigurationError(f"{path} is no TOML: {error}") from error
    return parse(content, str(path), path.parent)


def parse(content: dict[str, Any], source: str, directory: Path) -> PodConfig:
    """Read the content of a `pod.toml`.

    Args:
        content: the tables, as a TOML reader gives them.
        source: what to call them in messages.
        directory: what relative paths are relative to.

    Raises:
        ConfigurationError: a key is unknown or has a value that can't be used.
    """
    top = Table(content, source)
    made = PodConfig(
        pod_id=top.text("pod_id", empty=False),
        agents=tuple(_agent(each) for each in top.tables("agents")),
        actions=tuple(_action(each) for each in top.tables("actions")),
        audit=_audit(top.table("audit"), directory),
        sockets=_sockets(top.table("sockets")),
        otlp=_forward(top.table("forward")),
    )
    top.nothing_else()
    top.unique("agents", "id", [agent.id for agent in made.agents])
    top.unique("actions", "name", [action.name for action in made.actions])
    return made


def _agent(table: Table) -> AgentConfig:
    claim = table.table("claim")
    uids = claim.whole_numbers("uids", 0, _MAX_ID)
    claim.nothing_else()
    made = AgentConfig(
        id=table.required_text("id"),
        role=table.text("role") or "",
        capabilities=table.texts("capabilities"),
        uids=uids,
        max_ttl_secs=table.number("max_ttl_secs", above=0) or LONGEST_CLAIM,
    )
    table.nothing_else()
    return made


def _action(table: Table) -> ActionConfig:
    params = tuple(_param(each) for each in table.tables("params"))
    delay = table.number("delay_secs", above=None)
    made = ActionConfig(
        name=table.required_text("name"),
        description=table.text("description") or "",
        tier=table.one_of("tier", TIERS) or "staged",
        params=params,
        delay_secs=_DELAY if delay is None else delay,
    )
    table.nothing_else()
    table.unique("params", "name", [param.name for param in params])
    return made


def _param(table: Table) -> ParamConfig:
    made = ParamConfig(
        name=table.required_text("name"),
        type=table.one_of("type", PARAM_TYPES) or "string",
        required=table.flag("required") or False,
    )
    table.nothing_else()
    return made


def _audit(table: Table, directory: Path) -> AuditConfig:
    key_file = table.text("key_file", empty=False)
    made = AuditConfig(
        rotate_bytes=table.whole_number("rotate_bytes", 1),
        fsync=table.one_of("fsync", FSYNC),
        key_file=None if key_file is None else directory / key_file,
    )
    table.nothing_else()
    return made


def _sockets(table: Table) -> SocketsConfig:
    made = SocketsConfig(table.mode("mode"), table.mode("directory_mode"))
    table.nothing_else()
    return made


def _forward(table: Table) -> str | None:
    endpoint = table.text("otlp", empty=False)
    table.nothing_else()
    return endpoint
