"""Which entries of a log are shown: the options of `aotel audit`, as one question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import click

from aotel.audit import Happening, Operation, actions
from aotel.audit.envelopes import read_envelope, read_object

if TYPE_CHECKING:
    from aotel.audit import Entry

_AGO: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LEFT_OUT: Final = frozenset({actions.RESOURCE, actions.POD_START, actions.POD_STOP})
"""What few ask for; `--all` shows it."""


def read_since(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Return the time that was meant: RFC 3339, or how long ago it was."""
    if value is None:
        return None
    text = value.strip()
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        found = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except (ValueError, OverflowError):
        accepted = "a time like 2026-04-14T01:30:00Z, or how long ago, like 10m"
        raise click.BadParameter(f"expected {accepted}, got {text!r}", ctx, param) from None
    return found if found.tzinfo is not None else found.astimezone()


@dataclass(frozen=True)
class Choice:
    """What is asked for; nothing asked is everything.

    Attributes:
        kinds: patterns of envelope kinds and actions; one has to match.
        agent: whose doings.
        errors: only what failed or was refused.
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
        return named and not (self.errors and envelope.phase != "error")

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
        if self.kinds and not any(self._matches(envelope.kind) for envelope in found):
            return self._matches(actions.AGENT_COAT)
        return operation.failed or not self.errors

    def _matches(self, name: str) -> bool:
        return any(name == pattern or fnmatchcase(name, pattern) for pattern in self.kinds)
