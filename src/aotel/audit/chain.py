"""Checking the chain: whether the lines of a log are those that were written, all of them, in their order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.audit import files, links, scanning
from aotel.audit.reading import tail
from aotel.errors import AotelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Self

    from aotel.audit.scanning import Line

_ANCHOR: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


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
        match = _ANCHOR.fullmatch(text.strip().lower())
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
        lines: how many lines are in order.
        head: the last of them.
        broken: the first line that is not; None if all are.
        half_line: whether the log ends in half a line, which is being written or was torn: the pod puts it aside.
        follows: the number of the line that comes before the first one: 0, or that of the anchor which it goes on from.
    """

    lines: int
    head: Anchor
    broken: Break | None
    half_line: bool = False
    follows: int = 0

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
        anchor: an end of the log that was kept elsewhere, which it has to contain, or to go on from: older files may
            then be gone.
    """
    return _Check(path, key, anchor).verdict()


def anchor(path: Path) -> Anchor:
    """Return the end of a log, to be kept where the log's writers can't reach; it is not checked.

    Args:
        path: of a directory with a log, or of its newest file.
    """
    last = tail(path, 1)
    return Anchor(last[0].seq, last[0].hash) if last and last[0].hash else Anchor(0, links.FIRST)


class _Check:
    def __init__(self, path: Path, key: bytes | None, anchor: Anchor | None) -> None:
        self._path = path
        self._has_key = key is not None
        self._digest: Callable[[bytes], str] = links.hasher(key)
        self._anchor = anchor
        self._file, self._number = files.newest(path), 0

    def verdict(self) -> Verdict:
        follows: Anchor | None = None
        head, lines, half = Anchor(0, links.FIRST), 0, False
        for line in scanning.forwards(self._path):
            if follows is None:
                head = follows = self._before(line)
            self._file, self._number = line.file, line.number
            if not (line.is_whole or line.is_too_long or line.file != files.newest(self._path)):
                half = True
                break
            found = self._next(line, head)
            if found is None:
                broken = Break(line.file, line.number, _seq(line), self._why(line, head))
                return Verdict(lines, head, broken, follows=follows.seq)
            head, lines = found, lines + 1
        return Verdict(lines, head, self._missing(head), half_line=half, follows=follows.seq if follows else 0)

    def _before(self, line: Line) -> Anchor:
        """Return what the first line of the log goes on from: nothing, or the anchor."""
        if self._anchor is not None and self._anchor.seq:
            link = links.link_of(line.data)
            if link is not None and link.seq == self._anchor.seq + 1 and link.prev == self._anchor.hash:
                return self._anchor
        return Anchor(0, links.FIRST)

    def _next(self, line: Line, before: Anchor) -> Anchor | None:
        """Return what a line adds to the chain, None if it is not the next one."""
        data, seq, prev = line.data, before.seq + 1, before.hash
        content = data[: -links.HASH_LENGTH]
        if not content.endswith(links.place(seq, prev)):
            return None
        digest = self._digest(prev.encode() + content)
        if not data.endswith(links.ending(digest)):
            return None
        if self._anchor is not None and self._anchor.seq == seq and self._anchor.hash != digest:
            return None
        return Anchor(seq, digest)

    def _why(self, line: Line, before: Anchor) -> str:
        link = links.link_of(line.data)
        if not line.is_whole or link is None or link.seq is None:
            return _unlike(line, link)
        if link.seq != before.seq + 1:
            return _gap(link.seq, before.seq)
        if link.prev != before.hash:
            return "it was written after another line than the one before it"
        if self._digest(link.prev.encode() + link.content) == link.hash:
            return "it is another line than the anchor's"
        with_key = "the key is another, or it was changed" if self._has_key else "it was changed, or written with a key"
        return f"its hash is not that of its content: {with_key}"

    def _missing(self, head: Anchor) -> Break | None:
        if self._anchor is None or head.seq >= self._anchor.seq:
            return None
        why = f"the log ends with line {head.seq}, before the anchor's line {self._anchor.seq}"
        return Break(self._file, self._number + 1, None, why)


def _unlike(line: Line, link: links.Link | None) -> str:
    if line.is_too_long:
        return f"it is longer than {scanning.LONGEST:,} bytes: it was not written by a pod"
    if not line.is_whole:
        return "it has no end: it was cut off"
    if link is None:
        return "it has no hash at its end: it was not written by a pod, or was changed"
    return "it has no number and no hash of the line before"


def _gap(seq: int, before: int) -> str:
    if not before:
        return f"it is line {seq} of the log: those before it are missing"
    if seq > before + 1:
        return f"line {seq} follows line {before}: what was between them is missing"
    return f"line {seq} follows line {before}: it was put there later, or moved"


def _seq(line: Line) -> int | None:
    """Return the number that a line says it has, even where its hash is lost."""
    found = re.findall(rb',"seq":([0-9]{1,18}),"prev":"', line.data)
    return int(found[-1]) if found else None
