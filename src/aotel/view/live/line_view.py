"""The rich view inside the program that is watched: lines among the program's own, and nothing that stays in place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aotel.view.events import Event, Level
from aotel.view.flowing import FlowingView
from aotel.view.live.look import Look
from aotel.view.live.page import page
from aotel.view.live.region import at_once, insert, new_line
from aotel.view.live.roots import Roots
from aotel.view.live.rows import Rows
from aotel.view.plain import left_out_event
from aotel.view.sink import size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.view.lines import Line
    from aotel.view.sink import Sink
    from aotel.view.summary import Summary

_MOST: Final = 200  # lines that are written at once


class LineView(FlowingView):
    """Shows each outermost operation as a tree, when it ends; one that takes longer grows line by line.

    The terminal is the program's: there is no panel, no mode of the terminal is changed, no signal handled.

    Args:
        sink: a terminal.
        level: the least that is shown.
        title: what is run.
        environ: where the terminal's abilities stand.
    """

    form = "rich"
    reason = ""

    def __init__(self, sink: Sink, level: Level, title: str, environ: Mapping[str, str]) -> None:
        super().__init__(sink, level, due=lambda: self._roots.due(time.time()))
        self._title = title
        self._look = Look(sink.encoding, environ)
        self._rows = Rows(self._look)
        self._roots = Roots(eager=level is Level.DEBUG)

    def _turn(self, events: list[Event], left_out: int) -> None:
        if left_out:
            self._write(self._roots.rest())
            self._roots.forget()
            events = [left_out_event(left_out, events), *events]
        lines = [line for event in events for line in self._roots.take(event)]
        self._write(lines + self._roots.overdue(time.time()))

    def _finish(self, summary: Summary | None) -> None:
        self._write(self._roots.rest())
        if summary is not None:
            columns = size(self._sink.descriptor)[0]
            rows = page(summary, self._look, self._title, columns)
            self._sink.write(at_once(new_line(columns) + "".join([f"{row}\r\n" for row in rows])))

    def _write(self, lines: list[Line]) -> None:
        columns, rows = size(self._sink.descriptor)
        for start in range(0, len(lines), _MOST):
            written = [self._rows.row(line, columns) for line in lines[start : start + _MOST]]
            self._sink.write(at_once(insert(written, rows)))
