"""What the worker does, and what it takes: counted a batch, for whoever wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from opentelemetry.sdk._logs.export import LogRecordExporter


class Listener(Protocol):
    """Is told what each batch took."""

    def made(self, seconds: float) -> None:
        """Take note that the envelopes of a batch were made."""

    def exported(self, exporter: LogRecordExporter, seconds: float, error: str | None) -> None:
        """Take note that an exporter was called, and what of it failed."""


class Costs(Forking):
    """Adds up what batches take, in this process.

    Attributes:
        handed: envelopes that were made and handed to the exporters.
        encode_seconds: what it took to make them.
        export_seconds: what the exporters took.
        listener: is told of each batch.
    """

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.after_fork_in_child()
        watch(self)

    def after_fork_in_child(self) -> None:
        """Start anew: what was done before is the parent's work."""
        self.handed = 0
        self.encode_seconds = self.export_seconds = 0.0

    def made(self, envelopes: int, seconds: float) -> None:
        """Take note that the envelopes of a batch were made."""
        self.handed += envelopes
        self.encode_seconds += seconds
        if self.listener is not None:
            self.listener.made(seconds)

    def exported(self, exporter: LogRecordExporter, seconds: float, error: str | None) -> None:
        """Take note that an exporter was called with a batch.

        Args:
            exporter: which.
            seconds: what it took.
            error: what failed, in a word; None where nothing did.
        """
        self.export_seconds += seconds
        if self.listener is not None:
            self.listener.exported(exporter, seconds, error)
