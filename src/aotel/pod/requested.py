"""An action that somebody asked for, and the file in which all of them outlive the pod."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, Union

import msgspec
from msgspec import Struct

from aotel.errors import AotelError

if TYPE_CHECKING:
    from pathlib import Path

    from aotel.pod.peers import Peer

QUEUED: Final = "queued"
APPROVED: Final = "approved"
EXECUTED: Final = "executed"
CANCELLED: Final = "cancelled"
BLOCKED: Final = "blocked"
WAITING: Final = frozenset({QUEUED, APPROVED})
"""The statuses that may still change; the others are final."""

_VERSION = 1


class StateError(AotelError):
    """The file can't be written; nothing of what it should have said holds."""


class Asker(Struct, frozen=True, omit_defaults=True):
    """Who asked.

    Attributes:
        pid: the process.
        uid: the user it runs as.
        started: when the process started, which tells it from a later one of the same id; None if it isn't known.
        claim: the id of the claim that covered it, if one did.
    """

    pid: int
    uid: int
    started: Union[float, None] = None  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    claim: Union[str, None] = None  # noqa: UP007

    @classmethod
    def of(cls, peer: Peer, claim: str | None) -> Asker:
        """Return a peer, with the id of the claim that covers it, as it is kept."""
        return cls(peer.pid, peer.uid, peer.process.started if peer.process else None, claim)

    def is_one_with(self, other: Asker) -> bool:
        """Whether what one asked for is the other's business: the same process, or one under the same claim."""
        if self.claim is not None and self.claim == other.claim:
            return True
        return (self.pid, self.uid, self.started) == (other.pid, other.uid, other.started)

    @property
    def by(self) -> dict[str, int]:
        """The asker as the audit log names it."""
        return {"pid": self.pid, "uid": self.uid}


class Requested(Struct, omit_defaults=True):
    """An action that was asked for.

    Attributes:
        id: its name, a UUID.
        description: what it is, in full, as a person reads who decides.
        tier: immediate, delayed, staged or blocked.
        status: one of the statuses above.
        asker: who asked.
        created: when, in seconds since the epoch.
        updated: when its status changed last.
        due: of a delayed one, when it is approved by itself.
        action: of a call, the configured action.
        params: of a call, what it was called with.
    """

    id: str
    description: str
    tier: str
    status: str
    asker: Asker
    created: float
    updated: float
    due: Union[float, None] = None  # noqa: UP007
    action: Union[str, None] = None  # noqa: UP007
    params: dict[str, Any] = {}


class _State(Struct):
    version: int
    actions: list[Requested]


_decoder = msgspec.json.Decoder(_State)
_encoder = msgspec.json.Encoder()


class StateFile:
    """Keeps actions in a file that is replaced as a whole, readable by its owner alone.

    A machine that loses its power may lose the latest changes: after that there is no process left that could use them.

    Args:
        path: the file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[list[Requested], str]:
        """Return what the file says, and what is wrong with it, "" for nothing; one that can't be read is put aside."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return [], ""
        except OSError as error:
            return [], f"{self._path} can't be read: {error.strerror or error}"
        try:
            state = _decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return [], self._put_aside(str(error))
        if state.version != _VERSION:
            return [], self._put_aside(f"it has version {state.version}, {_VERSION} is known")
        return state.actions, ""

    def save(self, actions: list[Requested]) -> None:
        """Write all actions.

        Raises:
            StateError: it can't be done, and the file is as it was.
        """
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            data = _encoder.encode(_State(_VERSION, actions))
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            beside.replace(self._path)
        except (OSError, RecursionError, ValueError) as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            reason = getattr(error, "strerror", None) or error
            raise StateError(f"{self._path} can't be written, so nothing was changed: {reason}") from error

    def _put_aside(self, reason: str) -> str:
        aside = self._path.with_name(f"{self._path.name}.broken-{time.time_ns()}")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
        return f"{self._path} is no list of actions and was put aside as {aside.name}: {reason}"
