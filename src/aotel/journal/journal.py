"""What a process has promised to deliver: its threads add, readers read and settle, the next process has the rest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from aotel.forking import Forking, watch
from aotel.journal.directory import JournalError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aotel.journal.directory import SegmentDirectory
    from aotel.journal.segment import Segment

_SPARE_AT: Final = 0.5  # of a segment: from there on the next one is made ready


class Journal(Forking):
    """Records in the segments of a directory.

    `append` is for any thread, also inside a signal handler. All else is the shipper's, one thread at a time.

    Args:
        directory: where the segments are.
        facts: what whoever delivers the records has to know of this process; a JSON object.

    Attributes:
        records: how many there were to read, those of dead processes too.
        closed: whether nothing is taken any more.
    """

    def __init__(self, directory: SegmentDirectory, facts: Mapping[str, Any]) -> None:
        self.directory = directory
        directory.let_go = self._let_go
        self.facts = facts
        self.closed = False
        self._readers: list[Reader] = []
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._current: Segment | None = None
        self._spare: Segment | None = None
        self._segments: list[Segment] = []
        self.records = 0
        for reader in self._readers:
            reader.forget()

    def append(self, payload: bytes) -> None:
        """Keep a record: it is there whatever becomes of the process.

        Args:
            payload: its bytes.

        Raises:
            JournalError: there is no room for it, or the journal is closed.
        """
        with self._lock:
            if self.closed:
                raise JournalError("the journal is closed")
            current = self._current
            if current is None or not current.append(payload):
                self._turn(len(payload)).append(payload)
            self.records += 1

    def _turn(self, holding: int) -> Segment:
        """Go on in the next segment: the one that was made ready, if the record fits."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.has_room(holding):
            spare.delete()
            spare = None
        if spare is not None:
            spare.rename(self.directory.new_path())  # it was made before others that are full by now
        made = spare or self.directory.create(self.facts, holding=holding)
        if self._current is not None:
            self._current.seal()
        self._current = made
        self._segments.append(made)
        return made

    def prepare(self) -> None:
        """Make the next segment ready where it is needed soon, so that no caller waits for the disk.

        Raises:
            JournalError: there is no room for it.
        """
        with self._lock:
            needed = (
                not self.closed
                and self._spare is None
                and (self._current is None or self._current.fullness >= _SPARE_AT)
            )
        if not needed:
            return
        spare = self.directory.create(self.facts)
        spare.touch()
        with self._lock:
            if self._spare is None and not self.closed:
                self._spare = spare
                return
        spare.delete()

    def reader(self) -> Reader:
        """Return a new reader, which begins with what is there; what it has not settled is kept."""
        reader = Reader(self, self._lock)
        self._readers.append(reader)
        return reader

    def adopt(self) -> int:
        """Take over what dead processes left; every reader reads it; return how many segments it is."""
        if self.closed:
            return 0
        found: list[Segment] = []
        records = 0
        for segment in self.directory.orphans():
            count = segment.count()
            if count:
                found.append(segment)
                records += count
            else:
                segment.delete()
        with self._lock:
            self.records += records
            if found and self._current is not None:
                # Readers may be in it already, and never look back: what comes next goes behind what was found.
                self._current.seal()
                self._current = None
            self._segments += found
        return len(found)

    def clean(self) -> None:
        """Note what every reader has settled; remove the segments that are done with."""
        with self._lock:
            while self._segments and self._readers:
                segment = self._segments[0]
                offset = min(reader.settled_in(segment) for reader in self._readers)
                if segment is self._current or offset < segment.end:
                    segment.settle(offset)
                    return
                self._drop(segment)

    def _let_go(self, path: Path) -> int | None:
        """Give up a segment of this process's, to make room; return how many records that loses, None if it stays."""
        with self._lock:
            segment = next((segment for segment in self._segments if segment.path == path), None)
            if segment is None or segment is self._current:
                return None
            offset = min((reader.settled_in(segment) for reader in self._readers), default=segment.settled)
            lost = sum(1 for _ in segment.read(offset))
            self.records -= lost
            self._drop(segment)
            return lost

    def _drop(self, segment: Segment) -> None:
        for reader in self._readers:
            reader.pass_over(segment)
        self._segments.remove(segment)
        segment.delete()

    def sync(self) -> None:
        """Wait until all that was added is on the disk."""
        with self._lock:
            segments = list(self._segments)
        for segment in segments:
            segment.sync()

    def close(self) -> None:
        """Let go: what is settled is removed, what is not stays for the next process."""
        with self._lock:
            self.clean()
            self.closed = True
            for segment in self._segments:
                segment.seal()
                if segment.count():
                    segment.close()
                else:
                    segment.delete()
            if self._spare is not None:
                self._spare.delete()
            self._renew()

    def after_fork_in_child(self) -> None:
        """Start anew, in segments of the child's own: the lock of the parent's must end with the parent."""
        for segment in (*self._segments, *([self._spare] if self._spare else [])):
            segment.close()
        self._renew()

    def segment_after(self, segment: Segment | None) -> Segment | None:
        """Return the segment to read after another one, if there is one."""
        place = self._segments.index(segment) + 1 if segment in self._segments else 0
        return self._segments[place] if place < len(self._segments) else None

    def grows(self, segment: Segment) -> bool:
        """Say whether records are added to a segment."""
        return segment is self._current


class Reader:
    """One who reads a journal at a pace of its own.

    Args:
        journal: what to read.
        lock: of the journal: no record is half there while somebody holds it.
    """

    def __init__(self, journal: Journal, lock: Any) -> None:
        self._journal = journal
        self._lock = lock
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._lock = getattr(self._journal, "_lock", self._lock)
        self._segment: Segment | None = None
        self._settled = 0
        self._offsets: list[int] = []
        self._passed = 0

    def read(self, max_items: int, max_bytes: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """Return the next records, all of one process, with that one's facts; none where there are no more yet.

        The same ones again, until `settle` comes.

        Args:
            max_items: how many at most.
            max_bytes: of payload, at most; one record is returned however large it is.
        """
        with self._lock:
            while True:
                segment = self._segment
                records = [] if segment is None else self._take(segment, max_items, max_bytes)
                if segment is not None and (records or self._journal.grows(segment)):
                    return segment.facts, records
                following = self._journal.segment_after(segment)
                if following is None:
                    return self._journal.facts, []
                self._segment = following
                self._settled = following.settled

    def _take(self, segment: Segment, max_items: int, max_bytes: int) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        self._offsets = []
        for payload, offset in segment.read(self._settled):
            size += len(payload)
            if taken and (size > max_bytes or len(taken) >= max_items):
                return taken
            taken.append(payload)
            self._offsets.append(offset)
        if taken:
            self._offsets[-1] = segment.end  # what is damaged behind it is behind us too
        else:
            self._settled = segment.end
        return taken

    def settle(self, records: int | None = None) -> None:
        """Note that what was read last is delivered, or never will be.

        Args:
            records: how many of them, from the first on; all by default.
        """
        settled = self._offsets[: len(self._offsets) if records is None else records]
        if settled:
            self._settled = settled[-1]
            self._passed += len(settled)
        self._offsets = []

    @property
    def pending(self) -> int:
        """How many records it has not settled."""
        return max(self._journal.records - self._passed, 0) if self.waiting else 0

    def pass_over(self, segment: Segment) -> None:
        """Leave a segment that goes; the lock is held."""
        if segment is self._segment:
            self._segment, self._offsets = None, []

    def settled_in(self, segment: Segment) -> int:
        """Return the offset up to which this reader has settled a segment."""
        if segment is self._segment:
            return self._settled
        following = self._segment
        while following is not None:  # the segment is behind us, unless it is still to come
            following = self._journal.segment_after(following)
            if following is segment:
                return segment.settled
        return segment.settled if self._segment is None else segment.end

    @property
    def waiting(self) -> bool:
        """Whether something may be there that was not settled."""
        with self._lock:
            segment = self._segment
            if segment is not None and self._settled < segment.end:
                return True
            return self._journal.segment_after(segment) is not None
