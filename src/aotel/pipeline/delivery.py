"""Envelopes leave here: every exporter gets every batch, and no fault of one is another's trouble."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.calls import describe_error
from aotel.export import EnvelopeExporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter

    from aotel.envelopes import Envelope
    from aotel.pipeline.costs import Costs
    from aotel.pipeline.worker import Worker

    Make = Callable[[Any], tuple[Envelope, int] | None]

_logger = logging.getLogger("aotel")


class Delivery:
    """Hands envelopes to exporters, which keep in memory what can't go out now.

    Args:
        exporters: where envelopes go; none means that none are made.
        costs: adds up what the exporters take.
        faults: says what fails.
    """

    def __init__(self, exporters: Sequence[LogRecordExporter], costs: Costs, faults: Faults) -> None:
        self.exporters = tuple(exporters)
        self._costs = costs
        self._faults = faults

    def entrance(self, make: Make, worker: Worker, wake: object) -> Callable[..., None]:  # noqa: ARG002 - for others
        """Return what takes items, from any thread.

        Args:
            make: makes the envelope that an item stands for, and says when it happened; None for no envelope.
            worker: delivers.
            wake: an item that stands for nothing.
        """
        return worker.put

    @property
    def keeps_on_disk(self) -> bool:
        """Whether all that waits survives the process."""
        return False

    @property
    def is_waiting(self) -> bool:
        """Whether an exporter keeps envelopes for another attempt."""
        return any(isinstance(exporter, EnvelopeExporter) and exporter.counts.waiting for exporter in self.exporters)

    def deliver(self, records: Sequence[ReadableLogRecord]) -> None:
        """Hand records to every exporter; an empty batch is a chance to send what was kept."""
        for exporter in self.exporters:
            began = perf_counter()
            failed = None
            try:
                if exporter.export(records) is LogRecordExportResult.FAILURE:
                    failed = "lost"
            except Exception as error:  # noqa: BLE001 - the worker outlives an exporter's faults
                failed = type(error).__qualname__
                self._faults.report(exporter, error)
            if records:
                self._costs.exported(exporter, perf_counter() - began, failed)

    def flush(self, seconds: float) -> bool:
        """Have every exporter send what it keeps; say whether nothing is kept any more."""
        complete = True
        for exporter in self.exporters:
            try:
                # The SDK asks for one, but its own in-memory exporter had none for a while.
                force_flush = getattr(exporter, "force_flush", None)
                if force_flush is not None and force_flush(int(seconds * 1000)) is False:
                    complete = False
            except Exception as error:  # noqa: BLE001 - one exporter must not keep the others from flushing
                self._faults.report(exporter, error)
        return complete

    def shutdown(self) -> None:
        """Shut the exporters down."""
        for exporter in self.exporters:
            try:
                exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK's
            except Exception as error:  # noqa: BLE001 - one exporter must not keep the others from closing
                self._faults.report(exporter, error)


class Faults:
    """Says what failed, once a kind of thing."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def report(self, where: object, error: Exception) -> None:
        """Take note of a failure.

        Args:
            where: what failed.
            error: how.
        """
        name = type(where).__name__
        if name not in self._said:
            self._said.add(name)
            _logger.warning("aotel: %s failed (%s); this is said once", name, describe_error(error))
