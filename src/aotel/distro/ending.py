"""The end of the process: what waits is delivered within one flush timeout, whoever begins with it and wherever."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics

from aotel.distro.span_export import abandon_spans, finish_span_export, flush_processors_of_others, spans_wait
from aotel.export import EnvelopeExporter, within
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from aotel.pipeline import Pipeline

_logger = logging.getLogger("aotel")

# Of the time, for both at once; the rest is for metrics and closing. Envelopes are asked for after spans took theirs.
_SPANS_SHARE, _ENVELOPES_SHARE = 0.6, 0.7
_CLOSING_PATIENCE = 0.05  # seconds for each exporter that hangs, once the time is used up


class Ending(Forking):
    """The end of this process, of which there is one.

    Attributes:
        pipeline: what is to be delivered; None before `configure`.
        provider: whose spans others may export.
        signal: what ends the process as soon as a delivery that is under way is over; None if nothing does.
    """

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.provider: Any = None
        self._renew()
        watch(self)

    def _renew(self) -> None:
        self.signal: int | None = None
        self._until: float | None = None
        self._thread: int | None = None

    def after_fork_in_child(self) -> None:
        """The child has an end of its own."""
        self._renew()

    @property
    def is_under_way_here(self) -> bool:
        """Whether it is this very thread that delivers, and was interrupted at it."""
        return self._thread == threading.get_ident()

    @property
    def something_waits(self) -> bool:
        """Whether anything was made in this process that may not have been delivered."""
        return (self.pipeline is not None and self.pipeline.has_worked) or spans_wait()

    def left(self) -> float:
        """Return the seconds that the end may still take; a year as long as it has not begun."""
        return 366 * 86_400.0 if self._until is None else max(self._until - monotonic(), 0.0)

    def finish(self) -> None:
        """Deliver what waits; the program ends, and calls this more than once perhaps."""
        pipeline = self.pipeline
        if pipeline is None:
            return
        if self._until is None:
            self._until = monotonic() + pipeline.flush_timeout
        self._thread = threading.get_ident()
        delivered = False
        try:
            delivered = self._deliver(pipeline)
        except KeyboardInterrupt:  # whoever presses Ctrl-C again wants to wait no longer, and to read nothing of ours
            self._until = monotonic()
            abandon_spans()
        finally:
            self._thread = None
            # Providers flush at their end too: what did not go in time is not tried again.
            pipeline.flush_timeout = self.left() if delivered else 0.0
            _keep_exit_status()
            if self.signal is not None:
                os.kill(os.getpid(), self.signal)

    def _deliver(self, pipeline: Pipeline) -> bool:
        whole = self.left()
        deadline = monotonic() + whole * _ENVELOPES_SHARE
        pipeline.flush(0)  # only says so: its thread sends while the spans are sent
        pipeline.end_runs(whole)
        finish_span_export(whole * _SPANS_SHARE)
        left = max(deadline - monotonic(), 0)
        if pipeline.is_inline:  # it sends in the thread that calls, for as long as that takes
            delivered = not pipeline.keeps_some or within(left, partial(pipeline.flush, left))
        else:
            delivered = pipeline.flush(left)
        if delivered:
            return True
        own = [exporter for exporter in pipeline.exporters if isinstance(exporter, EnvelopeExporter)]
        said = pipeline.keeps_on_disk or any(exporter.counts.state == "down" for exporter in own)
        for exporter in own:
            exporter.closing_patience = _CLOSING_PATIENCE
            exporter.shutdown()  # what it would have to say from here on is said here
        if not said:
            _logger.warning("aotel: the last envelopes could not be delivered in time, and are lost")
        return False

    def finish_elsewhere(self, seconds: float | None = None) -> None:
        """Do the same in a thread of its own, for whoever may have been interrupted while holding any lock.

        Args:
            seconds: to wait at most; the flush timeout by default.
        """
        pipeline = self.pipeline
        if pipeline is not None:
            within(pipeline.flush_timeout if seconds is None else seconds, self._finish_all)

    def _finish_all(self) -> None:
        self.finish()
        # There is no `atexit` on this way out, for others neither.
        flush_processors_of_others(self.provider, self._until or 0.0)
        flush = getattr(metrics.get_meter_provider(), "force_flush", None)
        with contextlib.suppress(Exception):
            if flush is not None and self.left():
                flush(int(self.left() * 1000) or 1)


def _keep_exit_status() -> None:
    """Have a program that Ctrl-C has ended say so by its exit status, as it does without us.

    CPython notes an unhandled KeyboardInterrupt, but forgets it when a string is evaluated later: what we import at
    the end may do that. An interrupt out of a string has it noted again.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - see above


ENDING = Ending()
