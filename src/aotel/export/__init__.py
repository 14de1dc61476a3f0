"""Where envelopes leave the process: log record exporters for pod, OTLP, file and stderr; and spans over OTLP."""

from aotel.export.counting import Counted, ExporterStatus
from aotel.export.exporter import EnvelopeExporter
from aotel.export.file import FileExporter
from aotel.export.health import Backoff
from aotel.export.otlp import OtlpExporter
from aotel.export.pod import PodExporter
from aotel.export.selection import Selection, select
from aotel.export.span_processor import BoundedBatchSpanProcessor, bounded_batch_processor
from aotel.export.spans import CarefulSpanExporter, otlp_span_exporter
from aotel.export.stderr import StderrExporter
from aotel.export.timed import within

__all__ = [
    "Backoff",
    "BoundedBatchSpanProcessor",
    "CarefulSpanExporter",
    "Counted",
    "EnvelopeExporter",
    "ExporterStatus",
    "FileExporter",
    "OtlpExporter",
    "PodExporter",
    "Selection",
    "StderrExporter",
    "bounded_batch_processor",
    "otlp_span_exporter",
    "select",
    "within",
]
