"""Envelopes to standard error, one `[coat] {json}` a line."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import TYPE_CHECKING

from aotel.export.exporter import EnvelopeExporter, envelope_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from opentelemetry.sdk._logs import ReadableLogRecord

_PREFIX = "[coat] "
_PATIENCE = 1.0  # seconds that a full pipe may take to be read


class StderrExporter(EnvelopeExporter):
    """Writes to whatever `sys.stderr` is at the time; a closed, full or broken one costs the lines, nothing else."""

    def __init__(self) -> None:
        super().__init__("stderr")

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        lost = 0
        for record in batch:
            try:
                _write(sys.stderr, f"{_PREFIX}{envelope_line(record).decode()}\n")
            except (OSError, ValueError) as error:  # ValueError: I/O on a closed file
                self.counts.last_error = str(error) or repr(error)
                lost += 1
        # Without a word: the place where it would be said is the one that is broken.
        self.counts.dropped += lost
        self.counts.sent += len(batch) - lost
        self.counts.state = "down" if lost else "ready"
        return not lost


def _write(stream: TextIO | None, line: str) -> None:
    """Write a line in one piece.

    Raises:
        OSError, ValueError: there is no stream, it is closed, or its other end is.
    """
    if stream is None:  # pythonw, and daemons that gave it away
        raise ValueError("there is no stderr")
    real = sys.__stderr__
    if real is not None and stream is real:
        # Past the stream's buffer: its lock, held by a daemon thread, would be fatal while the interpreter ends.
        _write_all(real.fileno(), line.encode(real.encoding, "backslashreplace"))
        return
    try:
        stream.write(line)
    except UnicodeEncodeError:
        stream.write(line.encode("ascii", "backslashreplace").decode())
    stream.flush()


def _write_all(descriptor: int, data: bytes) -> None:
    deadline = time.monotonic() + _PATIENCE
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            select.select([], [descriptor], [], left)
