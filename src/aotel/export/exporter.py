"""What every exporter of envelopes has in common: a name, counts, one call at a time, no exception, no own spans."""

from __future__ import annotations

import json
import logging
import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult

from aotel.calls import describe_error
from aotel.export.counting import Counted
from aotel.export.health import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord


class EnvelopeExporter(LogRecordExporter, Counted):
    """A log record exporter whose records carry one envelope each, as a JSON string in the body.

    `export` may be called by several threads, which then take turns. SUCCESS says that no envelope of the call (or
    of earlier ones, kept until now) was lost: it is delivered, kept for a later attempt, or with the fallback.
    FAILURE says that some were refused or dropped; `counts` says how many. Retrying is the exporter's own business.

    Args:
        name: what it is called in `status()`.

    Attributes:
        closing_patience: seconds that `shutdown` grants a call it has just interrupted.
    """

    closing_patience: float = 0.5
    can_be_away: ClassVar[bool] = False
    """Whether the destination may be down for a while: a journal waits for it, and for no other."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._shipping = False
        self._left = 0
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._closed = False
        self._busy = False
        self._late: list[Sequence[ReadableLogRecord]] = []
        self.count_as(name)

    @abstractmethod
    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        """Send a batch; return whether nothing was lost. An empty one sends what waits, if it is time to."""

    def _interrupt(self) -> None:
        """Make a `_deliver` that runs in another thread return soon; `_closing` is set already."""

    def _close(self) -> None:
        """Give connections back, and count what is left; once, after the last `_deliver`."""

    def _flush(self) -> bool:
        """Send what waits, also if it isn't time to; return whether nothing waits any more."""
        return True

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Send a batch of envelopes; never raises, except for what the interpreter itself raises (Ctrl-C)."""
        with self._lock:
            if self._closing.is_set():
                self.counts.dropped += len(batch)
                return LogRecordExportResult.FAILURE
            if self._busy:
                # A signal handler interrupted the export below it on this very stack: that one sends these as well.
                self._late.append(batch)
                return LogRecordExportResult.SUCCESS
            complete = self._in_turn(batch)
            if self._closing.is_set():
                self._finish()
        return LogRecordExportResult.SUCCESS if complete else LogRecordExportResult.FAILURE

    def ship(self, batch: Sequence[ReadableLogRecord]) -> int:
        """Send envelopes that the caller keeps; what the destination doesn't take now stays there, and is not lost.

        Args:
            batch: in the order in which they are sent.

        Returns:
            How many of them, from the first on, are settled: delivered, or refused for good.
        """
        with self._lock:
            if self._busy or self._closing.is_set():
                return 0
            self._shipping, self._left = True, 0
            try:
                self._in_turn(batch)
            finally:
                self._shipping = False
            if self._closing.is_set():
                self._finish()
            return len(batch) - self._left

    def _leave(self, batch: Sequence[ReadableLogRecord], first: ReadableLogRecord) -> None:
        """Leave a record, and those after it in the batch, to whoever ships."""
        place = next((place for place, record in enumerate(batch) if record is first), 0)
        self._left = len(batch) - place

    def _in_turn(self, batch: Sequence[ReadableLogRecord]) -> bool:
        self._busy = True
        try:
            complete = self._guarded(batch)
            while self._late:
                complete = self._guarded(self._late.pop(0)) and complete
        finally:
            self._busy = False
        return complete

    def _guarded(self, batch: Sequence[ReadableLogRecord]) -> bool:
        try:
            # Here for all exporters: what we send must not become spans of the program's own instrumentation.
            with suppress_instrumentation():
                return self._deliver(batch)
        except Exception as error:  # noqa: BLE001  telemetry must not break the program it watches
            if self.counts.last_error is None:
                say(
                    logging.WARNING,
                    "aotel: the %s exporter failed, envelopes are lost: %s",
                    self.name,
                    describe_error(error),
                )
            if self._shipping:
                self._left = 0  # what makes an exporter fail would make it fail again
            self.counts.dropped += len(batch)
            self.counts.last_error = describe_error(error)
            return False

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Try once to send what is kept; best called in the thread that exports, because it sends in its own.

        Args:
            timeout_millis: milliseconds to wait for an export that runs in another thread. The attempt itself is
                bounded by the destination's own timeout, and by `shutdown`.

        Returns:
            Whether nothing is kept any more.
        """
        if not self._lock.acquire(timeout=max(timeout_millis, 0) / 1000):
            return False
        try:
            if self._closing.is_set():
                return not self.counts.waiting
            if self._busy:
                return False
            with suppress_instrumentation():
                return self._flush()
        except Exception as error:  # noqa: BLE001  as above
            self.counts.last_error = describe_error(error)
            return False
        finally:
            self._lock.release()

    def shutdown(self) -> None:
        """Stop, within half a second or so: an export that runs in another thread is interrupted."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._interrupt()
        # An export that can't be interrupted finishes the exporter itself, when it returns.
        if self._lock.acquire(timeout=self.closing_patience):
            try:
                if not self._busy:
                    self._finish()
            finally:
                self._lock.release()

    def _finish(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            with suppress_instrumentation():
                self._close()
        except Exception as error:  # noqa: BLE001  as above
            self.counts.last_error = describe_error(error)
        self.counts.state = "closed"

    def before_fork(self) -> None:
        """Nothing: a child never uses the parent's connection."""

    def after_fork_in_parent(self) -> None:
        """Nothing was held."""

    def after_fork_in_child(self) -> None:
        """Start anew: the parent's lock may be held for ever, and its counts and kept envelopes are its own."""
        super().after_fork_in_child()
        self._lock = threading.RLock()
        self._busy = self._shipping = False
        self._late.clear()
        closing = self._closing.is_set()
        self._closing = threading.Event()
        if closing:
            self._closing.set()


def envelope_line(record: ReadableLogRecord) -> bytes:
    """Return a record's envelope as one line of UTF-8, without its line end."""
    body = record.log_record.body
    text = body if isinstance(body, str) else json.dumps(body, default=repr)
    # A lone surrogate can't be written in UTF-8; a bare line end in JSON is white space between tokens.
    line = text.encode("utf-8", "replace")
    if b"\n" in line or b"\r" in line:
        line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    return line
