"""Checking the chain: whether the lines of a log are those that were written, all of them, in their order."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.audit import files
from aotel.audit.log import FIRST, chained
from aotel.audit.reading import tail
from aotel.errors import AotelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

_HASH: Final = re.compile(rb',"hash":"([0-9a-f]{64})"}\n?\Z')
_PLACE: Final = re.compile(rb',"seq":([0-9]+),"prev":"([0-9a-f]{64})"\Z')
# Both stand at the very end of a line, where these many bytes hold them: the rest need not be searched.
_HASH_BYTES: Final = 80
_PLACE_BYTES: Final = 120
_ANCHOR: Final = re.compile(r"([0-9]+):([0-9a-f]{64})")


class AnchorError(AotelError, ValueError):
    """A text that is no anchor."""


class Anchor(NamedTuple):
    """The end of a log at some time, to be kept elsewhere: later, the log has to contain it.

    Args:
        seq: the number of the last line.
        hash: its hash.
    """

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return what `str` made a text of.

        Raises:
            AnchorError: it is none.
        """
        match = _ANCHOR.fullmatch(text.strip())
        if match is None:
            raise AnchorError(f"an anchor is NUMBER:HASH, as `aotel audit anchor` prints it, got {text[:80]!r}")
        return cls(int(match[1]), match[2])


class Break(NamedTuple):
    """The first line that is not as it was written.

    Args:
        file: where it is.
        line: its number in the file, from 1.
        seq: its number in the log, as far as it says one.
        why: what is wrong with it.
    """

    file: Path
    line: int
    seq: int | None
    why: str


class Verdict(NamedTuple):
    """What became of a check.

    Args:
        lines: how many lines were checked.
        head: the last line that is in order.
        broken: the first one that is not; None if all are.
        half_line: whether the log ends in half a line, which is being written or was torn: the pod puts it aside.
    """

    lines: int
    head: Anchor
    broken: Break | None
    half_line: bool = False

    @property
    def ok(self) -> bool:
        """Whether every line is as it was written."""
        return self.broken is None


def verify(path: Path, key: bytes | None = None, *, anchor: Anchor | None = None) -> Verdict:
    """Check a log, from the first line of its oldest file to the last of its newest.

    Without a key this shows accidents and casual edits only: whoever can write the file can also chain it anew. Lines
    that were cut off at the end are shown by an anchor alone.

    Args:
        path: of a directory with a log, or of its newest file.
        key: of the chain, if it was written with one.
        anchor: an end of the log that was kept elsewhere, which it has to contain.
    """
    head, lines, file, number = Anchor(0, FIRST), 0, files.newest(path), 0
    for file, number, line in _lines(path):
        if not line.endswith(b"\n"):
            return Verdict(lines, head, _missing(head, anchor, file, number), half_line=True)
        found, why = _check(line, head, key)
        if found is None or (anchor is not None and found.seq == anchor.seq and found.hash != anchor.hash):
            why = why or "it is another line than the anchor's"
            return Verdict(lines, head, Break(file, number, _seq(line), why))
        head, lines = found, lines + 1
    return Verdict(lines, head, _missing(head, anchor, file, number))


def anchor(path: Path) -> Anchor:
    """Return the end of a log, to be kept where the log's writers can't reach; it is not checked.

    Args:
        path: of a directory with a log, or of its newest file.
    """
    last = tail(path, 1)
    return Anchor(last[0].seq, last[0].hash) if last else Anchor(0, FIRST)


def _check(line: bytes, before: Anchor, key: bytes | None) -> tuple[Anchor | None, str]:
    """Return what a line adds to the chain, or None and why it is not the next one."""
    end = _HASH.search(line, max(len(line) - _HASH_BYTES, 0))
    if end is None:
        return None, "it has no hash at its end: it was not written by a pod, or was changed"
    content = line[: end.start()]
    place = _PLACE.search(content, max(len(content) - _PLACE_BYTES, 0))
    if place is None:
        return None, "it has no number and no hash of the line before"
    seq, prev, digest = int(place[1]), place[2].decode(), end[1].decode()
    if seq != before.seq + 1:
        return None, _gap(seq, before.seq)
    if prev != before.hash:
        return None, "it was written after another line than the one before it"
    if not hmac.compare_digest(chained(prev, content, key), digest):
        with_key = "the key is another, or it was changed" if key else "it was changed, or written with a key"
        return None, f"its hash is not that of its content: {with_key}"
    return Anchor(seq, digest), ""


def _gap(seq: int, before: int) -> str:
    if not before:
        return f"it is line {seq} of the log: those before it are missing"
    if seq > before + 1:
        return f"line {seq} follows line {before}: what was between them is missing"
    return f"line {seq} follows line {before}: it was put there later, or moved"


def _missing(head: Anchor, anchor: Anchor | None, file: Path, number: int) -> Break | None:
    if anchor is None or head.seq >= anchor.seq:
        return None
    return Break(file, number + 1, None, f"the log ends with line {head.seq}, before the anchor's line {anchor.seq}")


def _seq(line: bytes) -> int | None:
    found = re.findall(rb',"seq":([0-9]{1,18}),"prev":"', line)
    return int(found[-1]) if found else None


def _lines(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    for file in files.in_order(path):
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                yield file, number, line
