"""`status`: what is configured, where it goes, and how much of it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aotel.calls.port import PORT
from aotel.distro.configuration import STATE
from aotel.distro.handle import Handle
from aotel.export import EnvelopeExporter
from aotel.instrumentation import instrumented

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
        exporters: one a destination, with its counts.
        queued: envelopes that wait.
        dropped: envelopes dropped because too many waited.
        sent: envelopes delivered, over all exporters.
        refused: envelopes that a receiver refused.
        session_id: the session that was supplied for the whole process, if one was.
        last_error: what went wrong last, if anything did.
        keeping: runs that the sampler dropped; None without `AOTEL_KEEP`.
    """

    enabled: bool
    configured: bool
    instrumented: tuple[str, ...]
    envelopes: str
    exporters: tuple[ExporterStatus, ...]
    queued: int
    dropped: int
    sent: int
    refused: int
    session_id: str | None
    last_error: str | None
    keeping: KeepingStatus | None = None


def status() -> Status:
    """Return what is configured, where envelopes go, and how many were queued, sent, dropped and refused."""
    pipeline = STATE.pipeline
    exporters = pipeline.exporters if pipeline is not None else ()
    statuses = tuple(exporter.counts for exporter in exporters if isinstance(exporter, EnvelopeExporter))
    errors = [found.last_error for found in statuses if found.last_error]
    return Status(
        enabled=PORT.enabled,
        configured=STATE.request is not None,
        instrumented=instrumented(),
        envelopes=STATE.destination,
        exporters=statuses,
        queued=pipeline.queued if pipeline is not None else 0,
        dropped=(pipeline.dropped if pipeline is not None else 0) + sum(found.dropped for found in statuses),
        sent=sum(found.sent for found in statuses),
        refused=sum(found.refused for found in statuses),
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
