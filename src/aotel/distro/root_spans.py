"""The end of a root span waits for delivery: on a serverless platform nothing runs once the handler has returned."""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from time import monotonic
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics

from aotel.calls.port import PORT
from aotel.distro.handle import Handle
from aotel.export import within

if TYPE_CHECKING:
    from aotel.pipeline import Pipeline

_logger = logging.getLogger("aotel")

_LEFT_ALONE = 30.0  # seconds without waiting, after a receiver has let us wait for nothing


class WaitAtRoot:
    """Has the end of every root span return when all that waits is delivered, or the flush timeout is over.

    After a delivery that came to nothing, the program does not wait again for a while; what waits is sent in the
    background then, as elsewhere.

    Args:
        pipeline: delivers envelopes.
        provider: whose processors export spans.
    """

    def __init__(self, pipeline: Pipeline, provider: Any) -> None:
        self._pipeline = pipeline
        self._handle = Handle(pipeline, provider)
        self._again = 0.0
        self._said = False

    def started(self, span: Any) -> None:
        """Take a root span up. Its own `end` is wrapped: processors that export it may come after ours."""
        end = type(span).end
        this = weakref.ref(span)  # no cycle: a span is gone when the program lets go of it

        def end_and_wait(end_time: int | None = None) -> None:
            found = this()
            if found is not None:
                end(found, end_time)
                self._deliver()

        with contextlib.suppress(AttributeError, TypeError):  # a span of another make is served in the background
            vars(span)["end"] = end_and_wait

    def _deliver(self) -> None:
        begin = monotonic()
        if begin < self._again or self._pipeline.is_own_thread:
            return
        try:
            seconds = self._pipeline.flush_timeout
            within(seconds, lambda: self._flush(begin + seconds))
            if monotonic() - begin >= seconds * 0.9:
                self._again = monotonic() + _LEFT_ALONE
                self._say(seconds)
        except Exception as error:  # noqa: BLE001 - the program only ended a span
            PORT.report("the flush at the end of a root span", error)

    def _flush(self, until: float) -> None:
        sending = threading.Thread(target=_flush_metrics, args=(until,), name="aotel-metrics", daemon=True)
        sending.start()
        self._handle.flush(max(until - monotonic(), 0.001))
        sending.join(max(until - monotonic(), 0))

    def _say(self, seconds: float) -> None:
        if not self._said:
            self._said = True
            _logger.warning(
                "aotel: the end of a root span has waited %.3g s for a delivery that came to nothing; "
                "the next ones don't wait for %.3g s, and so each time (this is said once)",
                seconds,
                _LEFT_ALONE,
            )


def _flush_metrics(until: float) -> None:
    flush = getattr(metrics.get_meter_provider(), "force_flush", None)
    with contextlib.suppress(Exception):
        if flush is not None:
            flush(max(int((until - monotonic()) * 1000), 1))
