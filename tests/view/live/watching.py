"""Programs with a rich view, for tests to run in a terminal."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from tests.view.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENED = """
import os, signal, sys, time
{before}
from aotel.view import EntryReader, Event, Kind, Level, open_view
from tests.view.agents import Agent, entry
reader = EntryReader()
agent = Agent(reader, begin=time.time())
view = open_view("rich", level=Level.{level}, stream=sys.stderr, title="agent.py")
assert view.form == "rich", view.reason
def show(events):
    for event in events:
        view.show(event)
def at():
    return time.time() - agent.begin
def start(family, name, parent="", **more):
    span, events = agent.start(family, name, parent, at(), **more)
    show(events)
    return span
def end(span, parent="", **more):
    show(agent.end(span, parent, at(), **more))
def tell(action, **detail):
    show(reader.feed(entry(action, at=at(), start=agent.begin, **detail)))
def say(text, **more):
    print(text, flush=True, **more)
"""

# All that the view sends to a terminal, beside text: cursor, margins, erasing, colours, and modes that it sets back.
KNOWN = re.compile(
    rb"\x1b(?:[78D]|\[[0-9;]*m|\[\d+;\d+H|\[\d+A|\[\d+L|\[\d*;?\d*r|\[[JK]|\[\?(?:2026|7|25)[hl])|\r\n|\r|\n"
)


@contextlib.contextmanager
def watching(
    program: str,
    *,
    before: str = "",
    level: str = "INFO",
    columns: int = 80,
    rows: int = 24,
    environ: dict[str, str] | None = None,
) -> Iterator[Terminal]:
    """Run a program that has `view`, `agent` and words to feed them; `before` is what it does first."""
    with terminal(
        _OPENED.format(level=level, before=before) + program, columns=columns, rows=rows, environ=environ
    ) as seen:
        yield seen


def unknown(written: bytes) -> bytes:
    """Return what a terminal was sent that is neither text nor known."""
    rest = KNOWN.sub(b"", written).decode("utf-8", "replace")
    return "".join(each for each in rest if not each.isprintable()).encode()


def is_given_back(seen: Terminal) -> bool:
    """Return whether the terminal is as it was: all of it scrolls, and the cursor is there."""
    return seen.screen.margins is None and not seen.screen.cursor.hidden
