"""What a process has promised to deliver: its threads add, readers read and settle, the next process has the rest."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.journal.directory import SegmentDirectory
    from aotel.journal.segment import Segment

_SPARE_AT: Final = 0.5  # of a segment: from there on the next one is made ready


class Journal(Forking):
    """Records in the segments of a directory.

    `append` is for any thread, also inside a signal handler. All else is the shipper's, one thread at a time.

    Args:
        directory: where the segments are.
        facts: what whoever delivers the records has to know of this process; a JSON object.
    """

    def __init__(self, directory: SegmentDirectory, facts: Mapping[str, Any]) -> None:
        self.directory = directory
        self.facts = facts
        self._readers: list[Reader] = []
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._current: Segment | None = None
        self._spare: Segment | None = None
        self._segments: list[Segment] = []
        for reader in self._readers:
            reader.forget()

    def append(self, payload: bytes) -> None:
        """Keep a record: it is there whatever becomes of the process.

        Args:
            payload: its bytes.

        Raises:
            JournalError: there is no room for it.
        """
        with self._lock:
            current = self._current
            if current is not None and current.append(payload):
                return
            self._turn(len(payload)).append(payload)

    def _turn(self, holding: int) -> Segment:
        """Go on in the next segment: the one that was made ready, if the record fits."""
        spare, self._spare = self._spare, None
        if spare is not None and not spare.has_room(holding):
            spare.delete()
            spare = None
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
            needed = self._spare is None and (self._current is None or self._current.fullness >= _SPARE_AT)
        if not needed:
            return
        spare = self.directory.create(self.facts)
        spare.touch()
        with self._lock:
            if self._spare is None:
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
        found = [segment for segment in self.directory.orphans() if _is_worth_reading(segment)]
        with self._lock:
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
                self._segments.pop(0)
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
        self._settled = self._position = 0

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
                self._settled = self._position = following.settled

    def _take(self, segment: Segment, max_items: int, max_bytes: int) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        self._position = self._settled
        for payload, offset in segment.read(self._settled):
            size += len(payload)
            if taken and (size > max_bytes or len(taken) >= max_items):
                return taken
            taken.append(payload)
            self._position = offset
        self._position = segment.end  # damaged ones are behind us too
        return taken

    def settle(self) -> None:
        """Note that what was read last is delivered, or never will be."""
        self._settled = self._position

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


def _is_worth_reading(segment: Segment) -> bool:
    if segment.count():
        return True
    segment.delete()
    return False
