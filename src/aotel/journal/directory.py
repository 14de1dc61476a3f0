"""The directory of the segments of many processes: private, bounded, and looked through for what was left behind."""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aotel.errors import AotelError
from aotel.journal.segment import HEADER_BYTES, RECORD_BYTES, Segment, is_sealed, open_segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SUFFIX: Final = ".aotseg"
_UNFINISHED: Final = ".new"
_STALE: Final = 60.0  # seconds after which a segment that was not finished never will be
_SEGMENT_BYTES: Final = 2 << 20
_LEAST_BYTES: Final = 64 << 10


class JournalError(AotelError):
    """Nothing can be kept on the disk, for a reason that the text says."""


class SegmentDirectory:
    """Makes, finds and removes segments of one kind.

    Args:
        path: the directory; made, for its owner alone, where there is none.
        kind: what the records are: "envelopes" or "spans".
        max_bytes: what all segments in the directory may take together, of every kind and process.

    Raises:
        JournalError: the directory can't be made, or is not this user's alone.
    """

    def __init__(self, path: Path, kind: str, max_bytes: int) -> None:
        self.path = path
        self.kind = kind
        self.max_bytes = max_bytes
        self._segment_bytes = max(min(_SEGMENT_BYTES, max_bytes // 8), _LEAST_BYTES)
        self.let_go: Callable[[Path], int | None] = lambda _: None
        """Asked to give a segment up that this very process has, which knows how many records that loses."""
        self.lost = 0
        """Records that were removed before they were delivered, to keep the bound."""
        _make_private(path)

    def create(self, facts: Mapping[str, Any], *, holding: int = 0) -> Segment:
        """Make a segment, and room for it: the oldest ones go first, and `lost` counts their records.

        Args:
            facts: what its reader has to know.
            holding: bytes of a record that it must have room for.

        Raises:
            JournalError: there is no room, or the disk says no.
        """
        size = max(self._segment_bytes, HEADER_BYTES + RECORD_BYTES + holding)
        self._make_room(size)
        try:
            return Segment.create(self.new_path(), size, facts)
        except OSError as error:
            raise JournalError(f"{self.path} takes no segment of {size} bytes: {error.strerror or error}") from error

    def new_path(self) -> Path:
        """Return a path for a segment that is begun now: those of all processes are in order by name."""
        return self.path / f"{self.kind}-{time.time_ns():020d}-{secrets.token_hex(4)}{SUFFIX}"

    def orphans(self) -> Iterator[Segment]:
        """Yield the segments that dead processes left, the oldest first; each is this process's from then on."""
        for path in self._segments():
            if path.name.startswith(f"{self.kind}-") and (segment := open_segment(path)) is not None:
                yield segment

    def bytes_used(self) -> int:
        """Return what the segments take, of every kind and process."""
        return sum(map(_size, self._segments()))

    def _make_room(self, size: int) -> None:
        segments = self._segments()
        used = sum(map(_size, segments)) + size
        for path in segments:
            if used <= self.max_bytes:
                return
            used -= self._remove(path)
        if used > self.max_bytes:
            raise JournalError(
                f"{self.path} may take {self.max_bytes} bytes (AOTEL_SPOOL_MAX_BYTES), and what running processes are "
                f"writing leaves no room for {size} more"
            )

    def _remove(self, path: Path) -> int:
        """Remove a segment that no process adds to; return how many bytes that gave back."""
        size = _size(path)
        own = self.let_go(path)
        if own is not None:
            self.lost += own
            return size
        orphan = open_segment(path)
        if orphan is not None:
            self.lost += orphan.count()
            orphan.delete()
            return size
        if not is_sealed(path):
            return 0
        with suppress(OSError):
            # Its process has it open, and may still deliver it; `lost` is about what nobody can.
            path.unlink()
            return size
        return 0

    def _segments(self) -> list[Path]:
        """Return the segments, the oldest first; what was never finished is removed on the way."""
        try:
            names = os.listdir(self.path)  # noqa: PTH208 - Path.iterdir makes a Path of each
        except OSError:
            return []
        found: list[Path] = []
        for name in names:
            if name.endswith(SUFFIX):
                found.append(self.path / name)
            elif name.endswith(_UNFINISHED):
                _remove_stale(self.path / name)
        return sorted(found, key=_made_at)


def _made_at(path: Path) -> str:
    return path.name.partition("-")[2]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove_stale(path: Path) -> None:
    with suppress(OSError):
        if time.time() - path.stat().st_mtime > _STALE:
            path.unlink()


def _make_private(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise JournalError(f"{path} can't be a directory for the journal: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise JournalError(f"{path} is no directory")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise JournalError(f"{path} belongs to another user (uid {found.st_uid}): content would be theirs to read")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise JournalError(
            f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):o}): content is for its owner alone, "
            f"`chmod 700 {path}`"
        )
