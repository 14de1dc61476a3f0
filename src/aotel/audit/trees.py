"""What a log is grouped into: operations with what is inside, and what belongs to none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aotel.audit.envelopes import moment, text
from aotel.envelopes.times import timestamp

if TYPE_CHECKING:
    from aotel.audit.entry import Entry
    from aotel.audit.envelopes import Object, ReadEnvelope

_LONGEST: Final = 1e12  # milliseconds: what is longer is made up


@dataclass(eq=False, slots=True)
class Happening:
    """Something that is no operation: an entry of the log, by itself or under an operation.

    Attributes:
        entry: the entry.
        detail: what it says, as an object.
        heuristic: whether it stands where it does because of process and time alone.
    """

    entry: Entry
    detail: Object
    heuristic: bool = False

    @property
    def time(self) -> str:
        """When it happened, RFC 3339."""
        told = text(self.detail, "ts")
        return told if moment(told) is not None else self.entry.timestamp


@dataclass(eq=False, slots=True)
class Operation:
    """An operation with all that happened inside.

    Attributes:
        start: its first envelope; None if the log begins later, or its sender could not keep up and dropped it.
        end: its last envelope; None if it goes on, or never ended.
        agent: whose it is, if a claim says so.
        inside: operations, events and what the machine did, in the order in which it happened.
        is_continued: whether a part of it came before, because it was too large to be held.
        continues: whether another part may come.
    """

    start: ReadEnvelope | None = None
    end: ReadEnvelope | None = None
    agent: str | None = None
    inside: list[Operation | Happening] = field(default_factory=list)
    is_continued: bool = False
    continues: bool = False

    @property
    def first(self) -> ReadEnvelope:
        """The envelope that says what it is."""
        found = self.start or self.end
        if found is None:
            raise LookupError("an operation has a start or an end")
        return found

    @property
    def time(self) -> str:
        """When it began, as far as the log says: an end whose start was dropped says how long it took."""
        first = self.first
        took, ended = first.duration_ms, moment(first.time)
        if self.start is not None or ended is None or took is None or not 0 <= took <= _LONGEST:
            return first.time
        return timestamp(round((ended - took / 1000) * 1e9))

    @property
    def outcome(self) -> str:
        """How it was stopped, where it was: "cancelled", "paused"; that is no error."""
        return "" if self.end is None else text(self.end.payload, "outcome")

    @property
    def failed(self) -> bool:
        """Whether it ended with an error."""
        return self.end is not None and self.end.phase == "error" and not self.outcome
