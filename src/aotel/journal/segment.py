"""One file of the journal: records are copied into a memory map, and found again whatever became of the process.

A segment (version 1, numbers little-endian) begins with a header of one page:

    0   magic, version in its last byte    8 bytes
    8   made at, ns since the epoch        8 bytes
    16  length of the facts                4 bytes
    20  CRC-32 of bytes 0 to 20 and facts  4 bytes
    64  offset up to which all is settled  8 bytes, then their CRC-32
    80  1 where no record is added         1 byte
    128 facts, a JSON object               up to the end of the page

Records follow: a marker that no UTF-8 text has in it, the payload's length and CRC-32, the CRC-32 of these 12 bytes,
the payload. What is not a whole record, or not as it was written, is skipped: nothing damaged is ever handed out.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from aotel.journal.locks import lock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MAGIC: Final = b"AOTSEG\0\x01"
HEADER_BYTES: Final = 4096
MARKER: Final = b"\xff\xa0TL"
RECORD_BYTES: Final = 16
"""Bytes that a record has beside its payload."""

_START: Final = struct.Struct("<8sQI")
_CRC: Final = struct.Struct("<I")
_SETTLED: Final = struct.Struct("<QI")
_SETTLED_AT: Final = 64
_SEALED_AT: Final = 80
_FACTS_AT: Final = 128
_RECORD: Final = struct.Struct("<4sII")
_ZEROS: Final = bytes(1 << 20)
_PAGE: Final = mmap.PAGESIZE


class Segment:
    """A segment that this process holds the lock of; see `create` and `open_segment`.

    Attributes:
        path: its file.
        facts: what its writer said of itself.
        size: bytes of the file.
        end: offset after the last record that this process added; the file's size where another one wrote it.
    """

    def __init__(self, path: Path, descriptor: int, mapped: mmap.mmap, facts: Mapping[str, Any], *, end: int) -> None:
        self.path = path
        self.facts = facts
        self.size = len(mapped)
        self.end = end
        self._descriptor = descriptor
        self._mapped = mapped

    @classmethod
    def create(cls, path: Path, size: int, facts: Mapping[str, Any] | None = None) -> Segment:
        """Make a segment, with all of its room on the disk already.

        Args:
            path: its file, which must not exist.
            size: bytes of the file.
            facts: a JSON object for whoever reads it; left out where it is too large for the header.

        Raises:
            OSError: it can't be made there, or the disk is full.
        """
        written = json.dumps(facts or {}).encode()
        if len(written) > HEADER_BYTES - _FACTS_AT:
            written = b"{}"
        start = _START.pack(MAGIC, time.time_ns(), len(written))
        # Under another name until it is whole and locked: nobody may take it for one that is left over.
        unfinished = path.with_suffix(".new")
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            lock(descriptor)
            _preallocate(descriptor, size)
            mapped = mmap.mmap(descriptor, size)
            mapped[: len(start)] = start
            mapped[len(start) : len(start) + _CRC.size] = _CRC.pack(crc32(written, crc32(start)))
            mapped[_FACTS_AT : _FACTS_AT + len(written)] = written
            os.rename(unfinished, path)  # noqa: PTH104 - Path.rename makes a Path
        except BaseException:
            os.close(descriptor)
            with suppress(OSError):
                os.unlink(unfinished)  # noqa: PTH108
            raise
        return cls(path, descriptor, mapped, facts or {}, end=HEADER_BYTES)

    def touch(self) -> None:
        """Have the system make all pages ready, which costs the first write to each some microseconds; before any."""
        for offset in range(HEADER_BYTES, self.size, _PAGE):
            self._mapped[offset] = 0

    @property
    def fullness(self) -> float:
        """Which part of it is written."""
        return self.end / self.size

    def has_room(self, length: int) -> bool:
        """Say whether a payload of `length` bytes fits."""
        return self.end + RECORD_BYTES + length <= self.size

    def append(self, payload: bytes) -> bool:
        """Copy a record in; return False where there is no room for it. One thread at a time.

        A signal handler that interrupts this, in the same thread, may append too: room is taken before it is filled.
        """
        length = len(payload)
        start = self.end
        filled = start + RECORD_BYTES + length
        if filled > self.size:
            return False
        self.end = filled
        head = _RECORD.pack(MARKER, length, crc32(payload))
        mapped = self._mapped
        mapped[start + RECORD_BYTES : filled] = payload
        mapped[start : start + RECORD_BYTES] = head + _CRC.pack(crc32(head))
        return True

    def read(self, offset: int) -> Iterator[tuple[bytes, int]]:
        """Yield the records from an offset on, each with the offset after it; what is damaged is skipped."""
        while (found := self._find(offset)) is not None:
            payload, offset = found
            yield payload, offset

    def _find(self, offset: int) -> tuple[bytes, int] | None:
        """Return the first whole record from an offset on, and the offset after it."""
        mapped, end = self._mapped, self.end
        while 0 <= (offset := mapped.find(MARKER, offset, end)) <= end - RECORD_BYTES:
            head = mapped[offset : offset + _RECORD.size]
            payload_at = offset + RECORD_BYTES
            if mapped[offset + _RECORD.size : payload_at] == _CRC.pack(crc32(head)):
                _, length, check = _RECORD.unpack(head)
                payload = mapped[payload_at : payload_at + length]
                if payload_at + length <= end and crc32(payload) == check:
                    return payload, payload_at + length
            offset += 1
        return None

    def count(self) -> int:
        """Return how many records are not settled."""
        return sum(1 for _ in self.read(self.settled))

    @property
    def settled(self) -> int:
        """Offset up to which nobody has to send anything any more; the first record where that can't be read."""
        data = self._mapped[_SETTLED_AT : _SETTLED_AT + _SETTLED.size]
        offset, check = _SETTLED.unpack(data)
        if check != crc32(data[:8]) or not HEADER_BYTES <= offset <= self.size:
            return HEADER_BYTES
        return int(offset)

    def settle(self, offset: int) -> None:
        """Note that all before `offset` is delivered, or never will be."""
        data = _SETTLED.pack(offset, 0)[:8]
        self._mapped[_SETTLED_AT : _SETTLED_AT + _SETTLED.size] = data + _CRC.pack(crc32(data))

    def rename(self, path: Path) -> None:
        """Call the file something else in the same directory, if that can be."""
        with suppress(OSError):
            os.rename(self.path, path)  # noqa: PTH104 - Path.rename makes a Path
            self.path = path

    def seal(self) -> None:
        """Note that no record will be added."""
        self._mapped[_SEALED_AT] = 1

    def sync(self) -> None:
        """Wait until what was added is on the disk, and would survive the machine too."""
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file, and of its lock."""
        with suppress(BufferError, ValueError):
            self._mapped.close()
        with suppress(OSError):
            os.close(self._descriptor)

    def delete(self) -> None:
        """Remove the file, and let go of it."""
        with suppress(OSError):
            os.unlink(self.path)  # noqa: PTH108
        self.close()


def open_segment(path: Path) -> Segment | None:
    """Take over a segment whose process is gone; None where it still runs, or the file is no segment that we can read.

    Args:
        path: its file.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        lock(descriptor)
        # Whoever had the lock before may have removed the file meanwhile.
        if os.fstat(descriptor).st_nlink and (facts := _facts(mapped := mmap.mmap(descriptor, 0))) is not None:
            return Segment(path, descriptor, mapped, facts, end=len(mapped))
    except (OSError, ValueError):  # locked; or empty, which can't be mapped
        pass
    os.close(descriptor)
    return None


def is_sealed(path: Path) -> bool:
    """Say whether no record will be added to a segment, as its header says."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError:
        return False
    return header[: len(MAGIC)] == MAGIC and header[_SEALED_AT : _SEALED_AT + 1] == b"\x01"


def _facts(mapped: mmap.mmap) -> dict[str, Any] | None:
    """Return what a segment's header says, None where it is none of this version; damaged facts are left out."""
    if len(mapped) < HEADER_BYTES or mapped[: len(MAGIC)] != MAGIC:
        return None
    start = mapped[: _START.size]
    (_, _, length) = _START.unpack(start)
    written = mapped[_FACTS_AT : min(_FACTS_AT + length, HEADER_BYTES)]
    if mapped[_START.size : _START.size + _CRC.size] != _CRC.pack(crc32(written, crc32(start))):
        return {}
    try:
        facts = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _preallocate(descriptor: int, size: int) -> None:
    """Have the room on the disk before it is written to: a map of a file on a full disk ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    left = size  # pragma: no cover - macOS
    while left > 0:  # pragma: no cover
        left -= os.write(descriptor, _ZEROS[:left])
