"""What `configure` returns, and what a person may ask of a running aotel: flush, shutdown, status."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from aotel.distro.arguments import seconds

if TYPE_CHECKING:
    from aotel.pipeline import Pipeline


class Handle:
    """A configured pipeline with its tracer provider; does nothing where everything is switched off."""

    def __init__(self, pipeline: Pipeline | None, provider: Any) -> None:
        self._pipeline = pipeline
        self.provider = provider
        """The tracer provider that the pipeline is attached to; None where everything is switched off."""

    def flush(self, timeout: float = 5.0) -> bool:
        """Deliver what waits: envelopes, and the spans of the provider.

        Args:
            timeout: seconds that it may take in all.

        Returns:
            Whether all of it was delivered in time.
        """
        timeout = seconds(timeout)
        if self._pipeline is None:
            return True
        deadline = monotonic() + timeout
        flushed = self._pipeline.flush(timeout)
        force_flush = getattr(self.provider, "force_flush", None)
        if force_flush is None:
            return flushed
        left = max(deadline - monotonic(), 0.001)
        return force_flush(int(left * 1000) or 1) is not False and flushed

    def shutdown(self, timeout: float = 5.0) -> bool:
        """Deliver what waits and stop making envelopes; the program's own provider is left running.

        Args:
            timeout: seconds that it may take.

        Returns:
            Whether all of it was delivered in time.
        """
        timeout = seconds(timeout)
        if self._pipeline is None:
            return True
        flushed = self.flush(timeout)
        return self._pipeline.shutdown(timeout) and flushed
