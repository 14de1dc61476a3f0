"""What a process has promised to deliver: its threads add, one shipper reads and settles, the next process has the rest."""

from __future__ import annotations

import threading
from collections import deque
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
        facts: what whoever delivers the records has to know of this process.
    """

    def __init__(self, directory: SegmentDirectory, facts: Mapping[str, Any]) -> None:
        self.directory = directory
        self.facts = facts
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._current: Segment | None = None
        self._spare: Segment | None = None
        self._unread: deque[Segment] = deque()
        self._read: deque[Segment] = deque()
        self.adopted = 0
        """Segments that were taken over from dead processes."""

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
        self._unread.append(made)
        return made

    def prepare(self) -> None:
        """Make the next segment ready where it is needed soon, so that no caller waits for the disk."""
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

    def adopt(self) -> int:
        """Take over what dead processes left, to be read before what is our own; return how many segments it is."""
        found = [segment for segment in self.directory.orphans() if self._is_worth_reading(segment)]
        with self._lock:
            self._unread.extendleft(reversed(found))
        self.adopted += len(found)
        return len(found)

    @staticmethod
    def _is_worth_reading(segment: Segment) -> bool:
        if segment.count():
            return True
        segment.delete()
        return False

    def read(self, max_items: int, max_bytes: int) -> tuple[Mapping[str, Any], list[bytes]]:
        """Return the next records, all of one process, with that one's facts; none where all were read.

        Args:
            max_items: how many at most.
            max_bytes: of payload, at most; one record is returned however large it is.
        """
        while (segment := self._first_unread()) is not None:
            records = self._take(segment, max_items, max_bytes)
            if records:
                return segment.facts, records
            with self._lock:
                if segment is self._current:
                    return segment.facts, []
                self._read.append(self._unread.popleft())
        return self.facts, []

    def _first_unread(self) -> Segment | None:
        with self._lock:
            return self._unread[0] if self._unread else None

    def _take(self, segment: Segment, max_items: int, max_bytes: int) -> list[bytes]:
        taken: list[bytes] = []
        size = 0
        with self._lock:  # no record is half there while somebody holds it
            before = segment.position
            for payload in segment.read():
                size += len(payload)
                if taken and size > max_bytes:
                    segment.position = before
                    break
                before = segment.position
                taken.append(payload)
                if len(taken) >= max_items:
                    break
        return taken

    def settle(self) -> None:
        """Note that all that was read is delivered, or never will be; segments that are done with are removed."""
        with self._lock:
            while self._read:
                self._read.popleft().delete()
            if self._unread:
                segment = self._unread[0]
                segment.settle(segment.position)

    def rewind(self) -> None:
        """Read again what was read and not settled."""
        with self._lock:
            while self._read:
                self._unread.appendleft(self._read.pop())
            for segment in self._unread:
                segment.position = segment.settled

    @property
    def waiting(self) -> bool:
        """Whether there is something that was not read."""
        with self._lock:
            return any(segment.position < segment.end for segment in self._unread)

    def sync(self) -> None:
        """Wait until all that was added is on the disk."""
        with self._lock:
            segments = [segment for segment in (*self._unread, *self._read) if segment is not self._spare]
        for segment in segments:
            segment.sync()

    def close(self) -> None:
        """Let go: what is settled is removed, what is not stays for the next process."""
        with self._lock:
            for segment in (*self._read, *self._unread):
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
        for segment in (*self._read, *self._unread, *([self._spare] if self._spare else [])):
            segment.close()
        self._renew()
