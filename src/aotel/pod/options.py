"""How a pod is to be: what its operator says, and what `pod.toml` says, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aotel.errors import ConfigurationError
from aotel.pod.config import PodConfig

if TYPE_CHECKING:
    from pathlib import Path

    from aotel.pod.config import Fsync

ROTATE_BYTES: Final = 256 << 20
SOCKET_MODE: Final = 0o660
_SHORTEST_KEY = 16  # bytes


@dataclass(frozen=True, slots=True)
class PodOptions:
    """What a pod is started with; what is None is as `config` says, else the default.

    Attributes:
        directory: where sockets, log and state are; made if there is none.
        pod_id: the pod's name; by default, the directory's.
        config: agents, actions and the rest, as `pod.toml` has them.
        otlp: endpoint that envelopes are forwarded to.
        key: key of the log's chain.
        rotate_bytes: size at which the log goes on in a new file.
        fsync: when the log is written to the disk itself: never, every second, or before each answer.
        socket_mode: who may connect, as a file's mode.
        directory_mode: mode of the directory; a directory that exists is left as it is by default.
    """

    directory: Path
    pod_id: str | None = None
    config: PodConfig = field(default_factory=PodConfig)
    otlp: str | None = None
    key: bytes | None = field(default=None, repr=False)
    rotate_bytes: int | None = None
    fsync: Fsync | None = None
    socket_mode: int | None = None
    directory_mode: int | None = None

    def settled(self) -> SettledOptions:
        """Return the options with nothing left open.

        Raises:
            ConfigurationError: the key file can't be used.
        """
        config = self.config
        key = self.key
        if key is None and config.audit.key_file is not None:
            key = read_key(config.audit.key_file)
        socket_mode = config.sockets.mode if self.socket_mode is None else self.socket_mode
        return SettledOptions(
            directory=self.directory.absolute(),  # whoever embeds the pod may change where relative paths begin
            pod_id=self.pod_id or config.pod_id or self.directory.resolve().name or "pod",
            config=config,
            otlp=self.otlp or config.otlp,
            key=key,
            rotate_bytes=self.rotate_bytes or config.audit.rotate_bytes or ROTATE_BYTES,
            fsync=self.fsync or config.audit.fsync or "interval",
            socket_mode=SOCKET_MODE if socket_mode is None else socket_mode,
            directory_mode=config.sockets.directory_mode if self.directory_mode is None else self.directory_mode,
        )


@dataclass(frozen=True, slots=True)
class SettledOptions:
    """`PodOptions` with nothing left open."""

    directory: Path
    pod_id: str
    config: PodConfig
    otlp: str | None
    key: bytes | None = field(repr=False)
    rotate_bytes: int
    fsync: Fsync
    socket_mode: int
    directory_mode: int | None


def read_key(path: Path) -> bytes:
    """Return the key in a file, white space around it left out.

    Raises:
        ConfigurationError: it can't be read, or is too short to be a key.
    """
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"the key file {path} can't be read: {error.strerror or error}") from error
    if len(key) < _SHORTEST_KEY:
        raise ConfigurationError(f"the key in {path} has {len(key)} bytes; expected at least {_SHORTEST_KEY}")
    return key
