"""A live view in the process that is watched: what `AOTEL_CONSOLE` asks for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from aotel.export import EnvelopeExporter
from aotel.export.exporter import envelope_line
from aotel.view.events import Level
from aotel.view.opening import check_form, open_view, why_not_rich
from aotel.view.reading import EntryReader
from aotel.view.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from opentelemetry.sdk._logs import ReadableLogRecord

    from aotel.view.views import View

_FLUSH: Final = 2.0  # seconds


class ConsoleExporter(EnvelopeExporter):
    """Shows the process's own envelopes, in a thread of its own; a forked child shows its own in turn.

    Args:
        form: "rich", "simple", "json" or "off"; it degrades as `open_view` says.
        level: the least that is shown.
        stream: what to write to; what `sys.stderr` is by the first envelope if None.

    Raises:
        ConfigurationError: there is no such form.
    """

    def __init__(self, form: str, level: Level = Level.INFO, stream: TextIO | None = None) -> None:
        super().__init__("console")
        self._form = check_form(form)
        self._level = level
        self._stream = stream
        self._reader = EntryReader()
        self._view: View | None = None
        self._has_begun = self._is_child = False

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        view = self._opened()
        for record in batch:
            for event in self._reader.feed_envelope(envelope_line(record)):
                view.show(event)
        self._has_begun = self._has_begun or bool(batch)
        self.counts.sent += len(batch)
        return True

    def _flush(self) -> bool:
        return self._view is None or self._view.drain(_FLUSH)

    def _close(self) -> None:
        if self._view is not None:
            # Of a program with many workers, one summary is enough.
            says_more = self._has_begun and not self._is_child
            self._view.close(self._reader.summary() if says_more else None)

    def _opened(self) -> View:
        if self._view is None:
            self._view = _open(self._form, self._level, self._stream or sys.stderr)
        return self._view

    def after_fork_in_child(self) -> None:
        """Start anew: the parent's view has no thread here, and what it holds is the parent's to show."""
        super().after_fork_in_child()
        self._view = None
        self._reader = EntryReader()
        self._has_begun, self._is_child = False, True


def _open(form: str, level: Level, stream: TextIO) -> View:
    if form == "rich":
        sink = Sink(stream)
        if not why_not_rich(sink, os.environ):
            from aotel.view.live.line_view import LineView

            return LineView(sink, level, "", os.environ)
    return open_view(form, level=level, stream=stream)
