"""Where what waits is kept on the disk, if anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.journal import SUPPORTED, JournalError, SegmentDirectory
from aotel.pipeline import Durability
from aotel.settings.directories import spool_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.settings import Settings

_MEMORY: Final = "memory"
_FSYNC: Final = "fsync"
_made: dict[tuple[str, int, bool], Durability] = {}


def durability_of(settings: Settings, say: Callable[[str], None]) -> Durability | None:
    """Return what keeps envelopes as `AOTEL_DURABILITY` asks for; None for memory alone.

    Args:
        settings: what the environment says.
        say: takes what is to be said where it can't be had.
    """
    if settings.durability == _MEMORY:
        return None
    if not SUPPORTED:
        say("AOTEL_DURABILITY needs locks on files, which this system has not: what waits is kept in memory")
        return None
    path = spool_directory(settings)
    key = str(path), settings.spool_max_bytes, settings.durability == _FSYNC
    if key not in _made:
        try:
            directory = SegmentDirectory(path, "envelopes", settings.spool_max_bytes)
        except JournalError as error:
            say(f"what waits is kept in memory, AOTEL_DURABILITY={settings.durability} can't be had: {error}")
            return None
        _made[key] = Durability(directory, fsync=key[2])
    return _made[key]
