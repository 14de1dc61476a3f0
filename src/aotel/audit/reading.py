"""Reading the log: as a stream of entries, from its end, and while it grows."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from aotel.audit import files, scanning
from aotel.audit.entry import Entry
from aotel.audit.envelopes import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_decoder: Final = msgspec.json.Decoder(Entry)
_BEFORE_TIME: Final = b'{"timestamp":"'
_TIME: Final = slice(len(_BEFORE_TIME), len(_BEFORE_TIME) + 24)
_AFTER_TIME: Final = slice(_TIME.stop - 1, _TIME.stop + 1)


def parse(line: bytes) -> Entry | None:
    """Return the entry of a line, or None where it is none."""
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read(
    path: Path,
    *,
    since: datetime | None = None,
    follow: Callable[[], bool] | bool = False,
    on_bad_line: Callable[[Path, int], None] | None = None,
) -> Iterator[Entry]:
    """Yield the entries of a log in their order, one at a time, however large it is.

    Half a line at the end of the log is none: it is being written, or a crash has left it.

    Args:
        path: of a directory with a log, or of its newest file; files that were put away come first.
        since: the time of the first entry to yield; one without a time zone is local.
        follow: whether to wait for more at the end, also over rotations; a function is asked some ten times a second
            for as long as there is nothing to read.
        on_bad_line: is told of lines that are no entries, by file and number; they are passed over.
    """
    earliest = None if since is None else _Earliest(since)
    goes_on = follow if callable(follow) else (_always if follow else None)
    for line in scanning.forwards(path, goes_on):
        if earliest is not None and earliest.is_after_line(line.data):
            continue
        entry = parse(line.data)
        if entry is None:
            is_end = not line.is_whole and not line.is_too_long and line.file == files.newest(path)
            if on_bad_line is not None and not is_end and not line.data.isspace():
                on_bad_line(line.file, line.number)
        elif earliest is None or not earliest.is_after_entry(entry):
            yield entry


def newest_first(path: Path) -> Iterator[Entry]:
    """Yield the entries of a log, the last one first, reading no more of it than is asked for.

    Args:
        path: of a directory with a log, or of its newest file.
    """
    for line in scanning.backwards(path):
        entry = parse(line)
        if entry is not None:
            yield entry


def tail(path: Path, lines: int) -> list[Entry]:
    """Return the last entries of a log, in their order, reading no more of it than that.

    Args:
        path: of a directory with a log, or of its newest file.
        lines: how many entries at most.
    """
    return list(islice(newest_first(path), lines))[::-1]


class _Earliest:
    """Tells what was written before a time: lines of ours by their first bytes, which is all that is read of them."""

    def __init__(self, since: datetime) -> None:
        moment_ = since.astimezone(timezone.utc)
        self._text = f"{moment_:%Y-%m-%dT%H:%M:%S}.{moment_.microsecond // 1000:03d}Z".rjust(24, "0").encode()
        self._seconds = moment_.timestamp()

    def is_after_line(self, line: bytes) -> bool:
        ours = line.startswith(_BEFORE_TIME) and line[_AFTER_TIME] == b'Z"'
        return ours and line[_TIME] < self._text

    def is_after_entry(self, entry: Entry) -> bool:
        written = moment(entry.timestamp)
        return written is not None and written < self._seconds - 0.001


def _always() -> bool:
    return True
