"""From what is recorded to what is shown: entries of an audit log, or envelopes alone, become events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aotel.audit import actions
from aotel.view.events import Event, Kind, Level
from aotel.view.facts import moment, read_object
from aotel.view.machine import machine_event
from aotel.view.operations import Operations
from aotel.view.summary import Summary, Tally

if TYPE_CHECKING:
    from aotel.audit.entry import Entry


class EntryReader:
    """Reads what comes, in its order, and adds it up; one thread at a time, and nothing makes it raise."""

    def __init__(self) -> None:
        self._operations = Operations()
        self._tally = Tally()

    def feed(self, entry: Entry) -> list[Event]:
        """Return the events of a line of an audit log; none for what says nothing new."""
        written = moment(entry.timestamp)
        detail = read_object(entry.detail)
        if entry.action == actions.AGENT_COAT and detail:
            return self._taken(self._operations.read(detail, written, entry.agent or ""))
        when = moment(detail.get("ts")) or written or time.time()
        if entry.action == actions.AGENT_COAT:
            return self._taken(_unreadable(when))
        return self._taken(
            machine_event(entry.action, detail, success=entry.success, agent=entry.agent or "", when=when)
        )

    def feed_envelope(self, envelope: bytes | str) -> list[Event]:
        """Return the events of an envelope, given as JSON."""
        detail = read_object(envelope)
        return self._taken(self._operations.read(detail) if detail else _unreadable(time.time()))

    def summary(self) -> Summary:
        """Return what all of it comes to by now."""
        return self._tally.summary(self._operations.still_open)

    def _taken(self, event: Event | None) -> list[Event]:
        if event is None:
            return []
        self._tally.add(event)
        return [event]


def _unreadable(when: float) -> Event:
    words = "an envelope that can't be read: it is no JSON object"
    return Event(Kind.WARNING, Level.WARNING, when, words, {"event": "unreadable"})
