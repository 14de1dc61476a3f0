"""The chunk that counts a stream's tokens: asked for by us, it is taken out again before the program sees it.

The others say then that they count none, which they would not have said unasked: that goes too.
"""

from __future__ import annotations

import re
from typing import Final

from aotel.instrumentation.wire.event_stream import decoded

_EMPTY: Final = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_NONE: Final = re.compile(rb',\s*"usage"\s*:\s*null')  # within a text, quotes have a backslash before them
_END: Final = re.compile(rb"\n\r?\n|\r\r")
_LONGEST: Final = 1_048_576  # bytes that wait for the end of an event


class UsageChunkFilter:
    """Takes one event out of server-sent events as they pass; all others pass whole, as if nobody had asked.

    An event is held back until it is complete: nobody could read it sooner.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def passed(self, chunk: bytes) -> bytes:
        """Return what of a chunk, and of what was held back, is to be passed on."""
        held = self._held + chunk
        end = _last_end(held, len(self._held))
        if end == 0 and len(held) > _LONGEST:
            self._held = b""
            return held
        self._held = held[end:]
        events = _NONE.sub(b"", held[:end])
        return events if _EMPTY.search(events) is None else _without_usage(events)

    def rest(self) -> bytes:
        """Return what is held back at the end."""
        held, self._held = self._held, b""
        return _NONE.sub(b"", held)


def _last_end(held: bytes, seen: int) -> int:
    """Return where the last complete event ends; the first `seen` bytes hold no end of one."""
    end = 0
    for found in _END.finditer(held, max(0, seen - 2)):
        end = found.end()
    return end


def _without_usage(events: bytes) -> bytes:
    kept: list[bytes] = []
    start = 0
    for end in _END.finditer(events):
        event = events[start : end.end()]
        start = end.end()
        if not (_EMPTY.search(event) and _counts_tokens(event)):
            kept.append(event)
    kept.append(events[start:])
    return b"".join(kept)


def _counts_tokens(event: bytes) -> bool:
    lines = [line[5:].strip() for line in event.splitlines() if line.startswith(b"data:")]
    said = decoded(b"\n".join(lines))
    return type(said) is dict and said.get("choices") == [] and type(said.get("usage")) is dict
