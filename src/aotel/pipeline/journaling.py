"""Envelopes that are in the journal before the operation's call returns, and go on to exporters from there."""

from __future__ import annotations

import logging
from struct import Struct
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource

from aotel.export import EnvelopeExporter
from aotel.export.rebuilding import log_record
from aotel.journal import Journal, JournalError
from aotel.pipeline.delivery import Delivery, Faults
from aotel.pipeline.records import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter

    from aotel.journal import Reader, SegmentDirectory
    from aotel.pipeline.costs import Costs
    from aotel.pipeline.delivery import Make
    from aotel.pipeline.worker import Worker

_logger = logging.getLogger("aotel")

# Time in ns since the epoch, length of the operation's tag; the tag and the envelope's JSON follow.
_HEAD: Final = Struct("<QB")
_LONGEST_TAG: Final = 255
_ENVELOPES, _BYTES = 256, 1 << 20  # that are read at a time
_LOOK_AROUND: Final = 30.0
"""Seconds between two looks at what dead processes left."""


def can_be_journaled(exporters: Sequence[LogRecordExporter]) -> bool:
    """Say whether one of some exporters has a destination that can be away."""
    return any(_can_be_away(exporter) for exporter in exporters)


def pack(envelope: bytes, timestamp: int, tag: str) -> bytes:
    """Return an envelope as a record of the journal.

    Args:
        envelope: its JSON.
        timestamp: when it happened, ns since the epoch: the envelope says it to the millisecond.
        tag: the operation's.
    """
    operation = tag.encode("utf-8", "replace")[:_LONGEST_TAG]
    return _HEAD.pack(timestamp, len(operation)) + operation + envelope


def unpack(record: bytes, resource: Resource) -> ReadableLogRecord:
    """Return the log record of an envelope that was written down.

    Args:
        record: what `pack` returned.
        resource: who made the envelope.
    """
    timestamp, length = _HEAD.unpack_from(record)
    envelope = _HEAD.size + length
    tag = record[_HEAD.size : envelope].decode("utf-8", "replace")
    return log_record(record[envelope:], resource, timestamp=timestamp, operation=tag)


class JournaledDelivery(Delivery):
    """Keeps envelopes in a journal until every destination that can be away has them, each at its own pace.

    Args:
        exporters: where envelopes go.
        costs: adds up what the exporters take.
        faults: says what fails.
        journal: where they are kept.
        fsync: whether the disk is to confirm them, in the thread that delivers.
    """

    def __init__(
        self, exporters: Sequence[LogRecordExporter], costs: Costs, faults: Faults, journal: Journal, *, fsync: bool
    ) -> None:
        super().__init__(exporters, costs, faults)
        self._journal = journal
        self._fsync = fsync
        self._readers = [(exporter, journal.reader()) for exporter in self.exporters]
        self._resources: dict[str, Resource] = {}
        self._look_again = 0.0
        self._lost = journal.directory.lost
        self._failed = False

    def entrance(self, make: Make, worker: Worker, wake: object) -> Callable[..., None]:
        """Return what takes items: it writes their envelopes down before it returns.

        Args:
            make: makes the envelope that an item stands for, and says when it happened; None for no envelope.
            worker: delivers, and takes the items themselves where the journal can't.
            wake: an item that stands for nothing.
        """

        def put(item: Any, size: int = 0) -> None:
            kept = False
            try:
                made = make(item)
                if made is not None:
                    taxonomy = item[1].taxonomy
                    kept = self.keep(encode(made[0]), made[1], taxonomy.tag if taxonomy is not None else "")
            except Exception as error:  # noqa: BLE001 - the program only called a function
                self._faults.report(self, error)
            if not kept:
                worker.put(item, size)
            elif worker.is_inline or not worker.queued:  # what is queued has not been taken out, and wakes it too
                worker.put(wake)

        return put

    def keep(self, envelope: bytes, timestamp: int, tag: str) -> bool:
        """Write an envelope down; return False, after one warning, where the journal can't take it."""
        try:
            self._journal.append(pack(envelope, timestamp, tag))
        except JournalError as error:
            if not self._failed and not self._journal.closed:
                self._failed = True
                _logger.warning("aotel: the journal takes no envelopes, they are kept in memory: %s", error)
            return False
        if self._failed:
            self._failed = False
            _logger.warning("aotel: the journal takes envelopes again")
        return True

    @property
    def is_waiting(self) -> bool:
        """Whether something is kept for another attempt."""
        return super().is_waiting or any(reader.waiting for _, reader in self._readers)

    @property
    def keeps_on_disk(self) -> bool:
        """Whether all that waits is on the disk."""
        return not super().is_waiting

    def deliver(self, records: Sequence[ReadableLogRecord]) -> None:
        """Hand on records that the journal could not take, then what is in it."""
        if records or super().is_waiting:
            super().deliver(records)
        self._ship()

    def flush(self, seconds: float) -> bool:
        """Send what is kept, as far as the destinations take it."""
        complete = super().flush(seconds)
        self._ship()
        return complete and not self.is_waiting

    def shutdown(self) -> None:
        """Shut the exporters down; what they don't have is left to the next process."""
        super().shutdown()
        self._journal.close()

    def _ship(self) -> None:
        if self._journal.closed:
            return
        try:
            if self._fsync:
                self._journal.sync()
            if monotonic() >= self._look_again:
                self._look_again = monotonic() + _LOOK_AROUND
                self._journal.adopt()
            for exporter, reader in self._readers:
                self._drain(exporter, reader)
            self._journal.clean()
            self._journal.prepare()
        except Exception as error:  # noqa: BLE001 - the worker outlives what the disk does
            self._faults.report(self._journal, error)
        self._say_lost()

    def _drain(self, exporter: LogRecordExporter, reader: Reader) -> None:
        while True:
            facts, found = reader.read(_ENVELOPES, _BYTES)
            if not found:
                break
            # What a dead process wrote it has shown already, wherever nothing can be away.
            if _can_be_away(exporter) or facts is self._journal.facts:
                resource = self._resource(facts)
                records = [unpack(record, resource) for record in found]
                settled = self._send(exporter, records)
            else:
                settled = len(found)
            reader.settle(settled)
            if settled < len(found):
                break
        if isinstance(exporter, EnvelopeExporter):
            exporter.counts.spooled = reader.pending

    def _send(self, exporter: LogRecordExporter, records: list[ReadableLogRecord]) -> int:
        """Send records; return how many are settled."""
        began = perf_counter()
        failed, settled = None, len(records)
        try:
            if isinstance(exporter, EnvelopeExporter) and exporter.can_be_away:
                settled = exporter.ship(records)
            elif exporter.export(records) is LogRecordExportResult.FAILURE:
                failed = "lost"
        except Exception as error:  # noqa: BLE001 - the worker outlives an exporter's faults
            failed = type(error).__qualname__
            self._faults.report(exporter, error)
        self._costs.exported(exporter, perf_counter() - began, failed)
        return settled

    def _resource(self, facts: Mapping[str, Any]) -> Resource:
        """Return who made envelopes, as the header of their segment says."""
        attributes = facts.get("resource")
        key = repr(attributes)
        if key not in self._resources:
            self._resources[key] = Resource(attributes if isinstance(attributes, dict) else {})
        return self._resources[key]

    def _say_lost(self) -> None:
        lost = self._journal.directory.lost - self._lost
        if lost:
            self._lost += lost
            _logger.warning(
                "aotel: the journal is full (AOTEL_SPOOL_MAX_BYTES): the oldest envelopes are dropped, %d until now",
                self._lost,
            )


def _can_be_away(exporter: LogRecordExporter) -> bool:
    return isinstance(exporter, EnvelopeExporter) and exporter.can_be_away


class Durability:
    """What survives of envelopes that wait.

    Args:
        directory: where their journal is.
        fsync: whether the disk is to confirm it.
    """

    def __init__(self, directory: SegmentDirectory, *, fsync: bool) -> None:
        self._directory = directory
        self._fsync = fsync
        self._journal: Journal | None = None

    def delivery(
        self, exporters: Sequence[LogRecordExporter], costs: Costs, faults: Faults, resource: Resource
    ) -> JournaledDelivery:
        """Return a delivery to some exporters; what an earlier one has not delivered is this one's.

        Args:
            exporters: where envelopes go.
            costs: adds up what the exporters take.
            faults: says what fails.
            resource: who sends.
        """
        if self._journal is not None:
            self._journal.close()
        self._journal = Journal(self._directory, {"resource": _plain(resource)})
        return JournaledDelivery(exporters, costs, faults, self._journal, fsync=self._fsync)


def _plain(resource: Resource) -> dict[str, Any]:
    """Return what of a resource JSON can hold."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in resource.attributes.items()
        if isinstance(value, (str, bool, int, float, tuple))
    }
