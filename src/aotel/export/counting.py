"""What became of what an exporter was given: the numbers of `status()` and of the metrics, in one shape for all."""

from __future__ import annotations

from dataclasses import dataclass

from aotel import forking


@dataclass
class ExporterStatus:
    """What became of the envelopes (or spans) an exporter was given, in this process; every number counts those.

    Attributes:
        name: the exporter: "pod", "otlp", "stderr" or "file:PATH"; of spans, "spans" or the backend's name.
        state: "ready", "down" (tried again from time to time), "off" (left alone for good) or "closed".
        sent: taken by the destination.
        retried: sent once more after a failure or at the destination's wish.
        refused: the destination doesn't want them, or they can't be sent; not tried again.
        dropped: lost, because the destination was down for too long or gone at the end.
        diverted: handed to the fallback instead.
        waiting: kept in memory for a later attempt.
        spooled: kept on disk for a later attempt.
        last_error: the latest failure or refusal, in words.
    """

    name: str
    state: str = "ready"
    sent: int = 0
    retried: int = 0
    refused: int = 0
    dropped: int = 0
    diverted: int = 0
    waiting: int = 0
    spooled: int = 0
    last_error: str | None = None


class Counted(forking.Forking):
    """An exporter whose numbers are shown; whatever counts here is in `status()` and in the metrics.

    Attributes:
        counts: the numbers, written by one thread at a time.
    """

    counts: ExporterStatus

    def count_as(self, name: str) -> None:
        """Begin to count, under a name; a forked child begins anew."""
        self.counts = ExporterStatus(name)
        forking.watch(self)

    def after_fork_in_child(self) -> None:
        """Begin anew: what was counted is the parent's."""
        self.counts = ExporterStatus(self.counts.name, state=self.counts.state)
