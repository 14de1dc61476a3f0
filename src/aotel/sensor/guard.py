"""Holds a policy against what a program does: tells of what it doesn't allow, or blocks it as well."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from aotel.audit import actions
from aotel.sensor import origin
from aotel.sensor.errors import BlockedError
from aotel.sensor.event import Event

if TYPE_CHECKING:
    from aotel.sensor.event import Note

_SHOWN: Final = 200  # characters of a list in a message

HOST: Final = "host"
PATH: Final = "path"


class Guard:
    """The one kind of things that a list allows.

    Args:
        kind: `HOST` or `PATH`.
        entries: the list, as it was given.
        note: takes what happened.
        enforce: whether to block.
    """

    def __init__(self, kind: str, entries: tuple[str, ...], note: Note, *, enforce: bool) -> None:
        self._kind = kind
        self._rule = f"allow_{kind}s: {', '.join(entries)}"[:_SHOWN]
        self._note = note
        self.enforces = enforce

    def violation(self, value: str, doing: str, *, is_told: bool = True) -> None:
        """Tell of something that isn't allowed.

        Args:
            value: the path or the host.
            doing: what the program was about to do with it.
            is_told: whether it goes into the audit log; blocked it is in any case.

        Raises:
            BlockedError: the policy is enforced.
        """
        if is_told:
            decision = "blocked" if self.enforces else "would block"
            fields = (("kind", self._kind), ("value", value), ("decision", decision), ("rule", self._rule))
            with contextlib.suppress(Exception):
                self._note(Event(actions.POLICY_VIOLATION, fields, *origin.span_ids(), time.time_ns()))
        if self.enforces:
            raise BlockedError(
                f"aotel's policy blocks {doing} {value!r}: it is not among {self._rule} (--allow-{self._kind} adds to "
                f"that; this is no sandbox)"
            )

    def unreadable(self, doing: str, reason: str) -> None:
        """Block what can't be judged, if the policy is enforced; else let it be.

        Raises:
            BlockedError: the policy is enforced.
        """
        if self.enforces:
            raise BlockedError(
                f"aotel's policy blocks {doing}, because what it is can't be told: {reason} (this is no sandbox)"
            )
