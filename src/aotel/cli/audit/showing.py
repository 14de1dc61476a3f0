"""From entries to lines: one after the other or grouped, for a person or a program."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from aotel import audit
from aotel.audit.envelopes import read_object
from aotel.cli.audit.output import say
from aotel.cli.audit.trees import LONGEST_TIME, as_json, tree_lines
from aotel.view import EntryReader, Level
from aotel.view.clean_text import clean_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from aotel.audit import Entry, Happening, Operation
    from aotel.cli.audit.choosing import Choice
    from aotel.cli.audit.following import UntilInterrupted
    from aotel.cli.audit.output import Output

_LONGEST: Final = 300  # characters of a line's text
_DEEPEST: Final = 20
_COLOURS: Final = {Level.ERROR: "red", Level.WARNING: "yellow"}


class Bad:
    """Lines that are no entries: counted, and told of.

    Args:
        at_once: whether to tell of each, rather than at the end.
    """

    def __init__(self, *, at_once: bool) -> None:
        self.count = 0
        self._at_once = at_once
        self._first = ""

    def note(self, file: Path, number: int) -> None:
        """Take note of a line."""
        self.count += 1
        self._first = self._first or f"{file}:{number}"
        if self._at_once:
            say(f"{file}:{number} is no entry of an audit log")

    def tell(self) -> None:
        """Say how many there were."""
        if self.count and not self._at_once:
            more = f", nor are {self.count - 1:,} more" if self.count > 1 else ""
            say(f"{self._first} is no entry of an audit log{more}; `aotel audit verify` says more")


class Shown:
    """Shows what was chosen of a log.

    Args:
        output: where it goes.
        choice: what was chosen.
        json_lines: whether programs read it.
        until: if the log is followed, for how long.
    """

    def __init__(
        self, output: Output, choice: Choice, *, json_lines: bool, until: UntilInterrupted | None = None
    ) -> None:
        self.read = 0
        """How many entries were read."""
        self._output = output
        self._choice = choice
        self._json = json_lines
        self._until = until

    def entries(self, path: Path, since: datetime | None, bad: Bad) -> None:
        """Show entries, one after the other."""
        reader = EntryReader()
        for entry in self._read(path, since, bad):
            if self._json:
                if self._choice.takes(entry):
                    self._output.json(_entry_as_json(entry))
                continue
            events = reader.feed(entry)  # also of those that aren't shown: later ones may refer to them
            if self._choice.takes(entry):
                for event in events:
                    text = self._output.paint(clean_text(event.text, _LONGEST), fg=_COLOURS.get(event.level))
                    depth = event.fields.get("depth")
                    indent = "  " * min(depth, _DEEPEST) if isinstance(depth, int) else ""
                    self._output.line(f"{self._time(entry)}  {indent}{text}{self._agent(entry)}")

    def trees(self, path: Path, since: datetime | None, bad: Bad) -> None:
        """Show operations with what is inside, and between them what belongs to none."""
        grouping = audit.Grouping(follows=self._until is not None)
        for entry in self._read(path, since, bad, lambda: self._trees(grouping.passed(time.time()))):
            self._trees(grouping.add(entry))
        self._trees(grouping.rest())

    def _read(
        self, path: Path, since: datetime | None, bad: Bad, on_wait: Callable[[], None] | None = None
    ) -> Iterator[Entry]:
        until = self._until

        def goes_on() -> bool:
            if on_wait is not None:
                on_wait()
            return until is not None and not until.is_over

        for entry in audit.read(path, since=since, follow=until is not None and goes_on, on_bad_line=bad.note):
            self.read += 1
            yield entry
            if until is not None and until.is_over:
                return

    def _trees(self, things: Iterable[Operation | Happening]) -> None:
        for thing in things:
            if not self._choice.keeps(thing):
                continue
            if self._json:
                self._output.json(_dumped(as_json(thing)))
            else:
                for line in tree_lines(thing, self._output):
                    self._output.line(line)

    def _time(self, entry: Entry) -> str:
        return self._output.paint(clean_text(entry.timestamp, LONGEST_TIME), dim=True)

    def _agent(self, entry: Entry) -> str:
        return self._output.paint(f"  @{clean_text(entry.agent, 80)}", fg="magenta") if entry.agent else ""


def _entry_as_json(entry: Entry) -> str:
    found: dict[str, Any] = {name: getattr(entry, name) for name in entry.__struct_fields__}
    detail = read_object(entry.detail)
    try:
        return _dumped({**found, "detail": detail or entry.detail})
    except RecursionError:  # as deep as could just be read
        return _dumped(found)


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
