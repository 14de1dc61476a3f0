"""Which entries of a log are shown: the options of `aotel audit`, as one question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import click

from aotel.audit import Happening, Operation, actions
from aotel.audit.envelopes import read_envelope, read_object, text

if TYPE_CHECKING:
    from aotel.audit import Entry

_AGO: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])(?:\s+ago)?")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LEFT_OUT: Final = frozenset({actions.RESOURCE, actions.POD_START, actions.POD_STOP})
"""What few ask for; `--all` shows it."""


def read_since(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Return the time that was meant: RFC 3339, or how long ago it was."""
    if value is None:
        return None
    given = value.strip()
    ago = _AGO.fullmatch(given)
    try:
        if ago is not None:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        found = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", given))
        return found.astimezone(timezone.utc)  # one without a time zone is local
    except (ValueError, OverflowError, OSError):
        accepted = "a time like 2026-04-14T01:30:00Z, or how long ago, like 10m"
        raise click.BadParameter(f"expected {accepted}, got {given!r}", ctx, param) from None


@dataclass(frozen=True)
class Choice:
    """What is asked for; nothing asked is everything.

    Attributes:
        kinds: patterns of envelope kinds and actions; one has to match.
        agent: whose doings.
        errors: only what failed or was refused; what was cancelled or paused is no error.
        everything: also what few ask for.
    """

    kinds: tuple[str, ...] = ()
    agent: str | None = None
    errors: bool = False
    everything: bool = False

    def takes(self, entry: Entry) -> bool:
        """Say whether an entry is asked for."""
        if self.agent is not None and entry.agent != self.agent:
            return False
        if entry.action != actions.AGENT_COAT:
            named = not self.kinds or self._matches(entry.action)
            shown = self.everything or bool(self.kinds) or entry.action not in _LEFT_OUT
            return named and shown and not (self.errors and entry.success)
        if not self.kinds and not self.errors:
            return True
        envelope = read_envelope(read_object(entry.detail))
        named = not self.kinds or self._matches(envelope.kind) or self._matches(entry.action)
        failed = not entry.success or (envelope.phase == "error" and not text(envelope.payload, "outcome"))
        return named and (failed or not self.errors)

    def keeps(self, thing: Operation | Happening) -> bool:
        """Say whether a tree has something in it that is asked for; what has nothing is taken out of it."""
        if isinstance(thing, Happening):
            return self.takes(thing.entry)
        thing.inside = [each for each in thing.inside if self.keeps(each)]
        return bool(thing.inside) or self._takes_operation(thing)

    def _takes_operation(self, operation: Operation) -> bool:
        found = [envelope for envelope in (operation.start, operation.end) if envelope is not None]
        if self.agent is not None and operation.agent != self.agent:
            return False
        named = not self.kinds or self._matches(actions.AGENT_COAT) or any(self._matches(each.kind) for each in found)
        return named and (operation.failed or not self.errors)

    def _matches(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.kinds)
