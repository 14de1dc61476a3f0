"""Which envelopes are in the log already: those that came last, within bounds."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aotel.audit import actions, newest_first
from aotel.pod.stamp import key_of_json

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

KEYS: Final = 262_144
"""The least that is remembered; up to twice as many."""
_MOST_READ = 1 << 30  # bytes of envelopes that a start looks through

_logger = logging.getLogger("aotel")


class Duplicates:
    """Remembers keys, the latest ones, in two generations: when the younger is full, the elder is forgotten.

    What is added counts at once, and is taken back if the write that it belongs to fails.

    Args:
        keys: how many are remembered at least.
    """

    def __init__(self, keys: int = KEYS) -> None:
        self._size = keys
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._open: list[bytes] = []

    @classmethod
    def of_log(cls, directory: Path, keys: int = KEYS) -> Self:
        """Return what the end of a pod's log remembers."""
        made = cls(keys)
        for key in reversed(_last_keys(directory, keys)):
            made.add(key)
        made.keep()
        return made

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def add(self, key: bytes) -> bool:
        """Remember a key; say whether it is new."""
        if key in self._young or key in self._old:
            return False
        if len(self._young) >= self._size:
            self._old = self._young
            self._young = set()
        self._young.add(key)
        self._open.append(key)
        return True

    def keep(self) -> None:
        """What was added is in the log."""
        self._open = []

    def take_back(self) -> None:
        """What was added since the last `keep` is not in the log."""
        for key in self._open:
            self._young.discard(key)
            self._old.discard(key)
        self._open = []


def _last_keys(directory: Path, most: int) -> list[bytes]:
    """Return the keys of the last envelopes of a log, the last one first, reading one at a time."""
    keys: list[bytes] = []
    read = 0
    for entry in newest_first(directory):
        if entry.action != actions.AGENT_COAT:
            continue
        key = key_of_json(entry.detail)
        if key is not None:
            keys.append(key)
        read += len(entry.detail)
        if len(keys) >= most:
            break
        if read >= _MOST_READ:
            _logger.info("aotel: of the log, the last %d envelopes are known again, not all of it", len(keys))
            break
    return keys
