"""`@coat`: the same function in every capture mode, batched spans and both envelopes, to exporters that drop them."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from otel import NullExporter
from workload import lookup, main

import aotel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord


class NullLogExporter(LogRecordExporter):
    """Takes envelopes and does nothing with them."""

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002 - the SDK's signature
        """Drop a batch."""
        return LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing to close."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        """Nothing waits."""
        return True


def tool() -> Callable[..., Any]:
    """Return the function that is called, decorated."""

    @aotel.coat("tool")
    def call(path: str, limit: int) -> dict[str, Any]:
        return lookup(path, limit)

    return call


def coated(mode: str | None = None) -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up `@coat("tool")` in a capture mode."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(NullExporter()))
    handle = aotel.configure(tracer_provider=provider, capture=mode, exporters=[NullLogExporter()])
    return tool(), handle.flush


def unsampled() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up a provider that samples nothing, with envelopes off."""
    provider = TracerProvider(sampler=ALWAYS_OFF)
    handle = aotel.configure(tracer_provider=provider, envelopes="none")
    return tool(), handle.flush


def disabled() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up with everything switched off."""
    os.environ["AOTEL_DISABLED"] = "true"
    handle = aotel.configure()
    return tool(), handle.flush


def socket() -> tuple[Callable[..., Any], Callable[[], Any]]:
    """Set up delivery to the pod socket that the environment names."""
    provider = TracerProvider()
    handle = aotel.configure(tracer_provider=provider, envelopes="pod")
    return tool(), functools.partial(handle.flush, 60)


if __name__ == "__main__":
    modes = {
        f"coat, {mode}": functools.partial(coated, mode) for mode in ("none", "redacted", "hash", "summary", "raw")
    }
    main({**modes, "coat, unsampled": unsampled, "coat, disabled": disabled, "coat, pod socket": socket})
