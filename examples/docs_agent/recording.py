"""Where the demo's recording goes, and how it is shown: as text or as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from tree import SpanCollector, Style, grow, render

import aotel
from aotel.export import FileExporter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# With one of these set, somebody waits for envelopes elsewhere; without, "auto" might choose this very terminal.
AWAITED = ("ENVPOD_POD_ID", "OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
SPANS_TO = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_EXPORTER")


class Recording:
    """Configures aotel: envelopes go to a file and wherever the environment says; spans are kept to be shown too.

    Args:
        file: where the envelopes go.
    """

    def __init__(self, file: Path) -> None:
        awaited = any(os.environ.get(name) for name in AWAITED)
        handle = aotel.configure(
            envelopes="auto" if awaited else None, exporters=[FileExporter(str(file))], instrument="openai"
        )
        self._spans = SpanCollector()
        if handle.provider is not None:
            handle.provider.add_span_processor(self._spans)

    def as_text(self) -> Iterator[str]:
        """Yield the lines that say what happened and where the recording of it is."""
        aotel.flush()
        status = aotel.status()
        if not status.enabled:
            yield "Nothing was recorded: AOTEL_DISABLED is set."
            return
        yield from ["What happened", "", *render(self._spans.spans, Style.of(sys.stdout)), ""]
        yield "Where it went"
        yield f"   {len(self._spans.spans)} spans: {self._spans_went()}"
        for exporter in status.exporters:
            trouble = f" ({exporter.last_error})" if exporter.last_error else ""
            yield f"   {exporter.sent} envelopes: {exporter.name}{trouble}"

    def as_json(self, answers: list[Any]) -> str:
        """Return the answers and all that is known of how they came about."""
        aotel.flush()
        found = {
            "answers": [dataclasses.asdict(answer) for answer in answers],
            "spans": [dataclasses.asdict(root) for root in grow(self._spans.spans)],
            "exporters": [dataclasses.asdict(exporter) for exporter in aotel.status().exporters],
        }
        return json.dumps(found, indent=2, ensure_ascii=False)

    def _spans_went(self) -> str:
        asked = next((name for name in SPANS_TO if os.environ.get(name)), None)
        return f"sent as {asked} says" if asked else "shown here only; OTEL_EXPORTER_OTLP_ENDPOINT sends them on"
