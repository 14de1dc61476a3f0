"""The stock OTLP exporters: which one a protocol needs, and one of them per process, called quietly."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast

from aotel.errors import ConfigurationError
from aotel.export import forking
from aotel.export.outcome import Outcome, Report, Verdict, judge
from aotel.export.quiet import Hush, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from enum import Enum

    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.sdk.trace.export import SpanExporter

GRPC = "grpc"
HTTP = "http/protobuf"

_FORK_PATIENCE = 0.05  # seconds that a fork waits for a call to end by itself
_FORK_INTERRUPTED = 0.25  # seconds that it waits for an interrupted one

T_contra = TypeVar("T_contra", contravariant=True)
T = TypeVar("T")


class StockExporter(Protocol[T_contra]):
    """What the exporters of every signal have in common."""

    def export(self, batch: Sequence[T_contra], /) -> Enum:
        """Send a batch; the result is named SUCCESS or FAILURE."""
        ...

    def shutdown(self) -> None:
        """Stop, also in the middle of an `export`."""


def check_protocol(protocol: str) -> None:
    """See that a protocol can be spoken.

    Raises:
        ConfigurationError: it is unknown, or its package is not installed.
    """
    if protocol not in {GRPC, HTTP}:
        raise ConfigurationError(f"OTLP protocol {protocol!r} is not supported: use {GRPC!r} or {HTTP!r}")
    if protocol == HTTP and not _installed("opentelemetry.exporter.otlp.proto.http"):
        raise ConfigurationError("OTLP over HTTP needs a package that is not installed: pip install aotel[http]")


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def log_exporter(protocol: str, options: dict[str, object]) -> LogRecordExporter:
    """Build the stock log exporter of a protocol; what `options` doesn't say, OTEL_EXPORTER_OTLP_* does."""
    kind: Callable[..., LogRecordExporter]
    if protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as OverHttp

        kind = OverHttp
    else:
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as OverGrpc

        kind = OverGrpc
    return kind(**_with_own_channel(protocol, options))


def span_exporter(protocol: str, options: dict[str, object]) -> SpanExporter:
    """Build the stock span exporter of a protocol; what `options` doesn't say, OTEL_EXPORTER_OTLP_* does."""
    kind: Callable[..., SpanExporter]
    if protocol == HTTP:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

        kind = OverHttp
    else:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

        kind = OverGrpc
    return kind(**_with_own_channel(protocol, options))


def _with_own_channel(protocol: str, options: dict[str, object]) -> dict[str, object]:
    if protocol == HTTP or "channel_options" in options:
        return options
    # Channels share connections by default, also with those of before a fork: "Wrong file descriptor generation".
    return {**options, "channel_options": (("grpc.use_local_subchannel_pool", 1),)}
