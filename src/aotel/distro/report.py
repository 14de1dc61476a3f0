"""`status`: what is configured, where it goes, and how much of it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aotel.calls.port import PORT
from aotel.distro.configuration import STATE
from aotel.distro.handle import Handle
from aotel.distro.span_export import SPANS
from aotel.export import EnvelopeExporter
from aotel.instrumentation import instrumented
from aotel.pipeline.losses import NOTHING, Dropped

if TYPE_CHECKING:
    from aotel.export import ExporterStatus
    from aotel.pipeline.keeping import KeepingStatus


class Status(NamedTuple):
    """A look at a running aotel.

    Args:
        enabled: False where `AOTEL_DISABLED` or `OTEL_SDK_DISABLED` switched everything off.
        configured: whether `configure` ran, by itself or asked.
        instrumented: libraries whose calls become spans, once they are imported.
        envelopes: where envelopes go, and why.
        exporters: one a destination of envelopes, with its counts.
        span_exporters: likewise of spans, where aotel made the exporter.
        queued: envelopes that wait to be made and sent.
        queued_size: the content that waits with them, in characters.
        dropped: envelopes dropped, because too many waited or because their destination was away for too long.
        dropped_by_kind: those of them that were dropped because too many waited.
        sent: envelopes delivered, over all exporters.
        retried: envelopes that were sent once more.
        refused: envelopes that a receiver refused.
        diverted: envelopes that a fallback got.
        waiting: envelopes that exporters keep in memory until their destination is back.
        spooled: envelopes that wait on disk.
        encode_seconds: what it took to make the envelopes, since the process began.
        export_seconds: what the exporters took with them.
        session_id: the session that was supplied for the whole process, if one was.
        last_error: what went wrong last, if anything did.
        keeping: runs that the sampler dropped; None without `AOTEL_KEEP`.
    """

    enabled: bool
    configured: bool
    instrumented: tuple[str, ...]
    envelopes: str
    exporters: tuple[ExporterStatus, ...]
    span_exporters: tuple[ExporterStatus, ...]
    queued: int
    queued_size: int
    dropped: int
    dropped_by_kind: Dropped
    sent: int
    retried: int
    refused: int
    diverted: int
    waiting: int
    spooled: int
    encode_seconds: float
    export_seconds: float
    session_id: str | None
    last_error: str | None
    keeping: KeepingStatus | None = None


def status() -> Status:
    """Return what is configured, where envelopes go, and how many were queued, sent, dropped and refused."""
    pipeline = STATE.pipeline
    exporters = pipeline.exporters if pipeline is not None else ()
    statuses = tuple(exporter.counts for exporter in exporters if isinstance(exporter, EnvelopeExporter))
    losses = pipeline.losses if pipeline is not None else None
    by_kind = losses.full if losses is not None else NOTHING
    late = losses.late.total if losses is not None else 0
    errors = [found.last_error for found in statuses if found.last_error]
    return Status(
        enabled=PORT.enabled,
        configured=STATE.request is not None,
        instrumented=instrumented(),
        envelopes=STATE.destination,
        exporters=statuses,
        span_exporters=SPANS.statuses(),
        queued=pipeline.queued if pipeline is not None else 0,
        queued_size=pipeline.queued_size if pipeline is not None else 0,
        dropped=by_kind.total + late + sum(found.dropped for found in statuses),
        dropped_by_kind=by_kind,
        sent=sum(found.sent for found in statuses),
        retried=sum(found.retried for found in statuses),
        refused=sum(found.refused for found in statuses),
        diverted=sum(found.diverted for found in statuses),
        waiting=sum(found.waiting for found in statuses),
        spooled=sum(found.spooled for found in statuses),
        encode_seconds=pipeline.costs.encode_seconds if pipeline is not None else 0.0,
        export_seconds=pipeline.costs.export_seconds if pipeline is not None else 0.0,
        session_id=pipeline.session_id if pipeline is not None else None,
        last_error=errors[-1] if errors else None,
        keeping=pipeline.keeping.status if pipeline is not None and pipeline.keeping is not None else None,
    )


def flush(timeout: float = 5.0) -> bool:
    """Deliver what waits: envelopes and spans.

    Args:
        timeout: seconds that it may take.

    Returns:
        Whether all of it was delivered in time.
    """
    return Handle(STATE.pipeline, STATE.provider).flush(timeout)


def shutdown(timeout: float = 5.0) -> bool:
    """Deliver what waits and stop making envelopes; the program's own provider is left running.

    Args:
        timeout: seconds that it may take.

    Returns:
        Whether all of it was delivered in time.
    """
    return Handle(STATE.pipeline, STATE.provider).shutdown(timeout)
