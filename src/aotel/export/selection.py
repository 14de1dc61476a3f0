"""Where envelopes go: the exporters that the environment, and what surrounds the process, ask for."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aotel.errors import ConfigurationError
from aotel.export.file import FileExporter
from aotel.export.otlp import OtlpExporter
from aotel.export.pod import PodExporter
from aotel.export.stderr import StderrExporter
from aotel.export.stock import GRPC, HTTP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.export.exporter import EnvelopeExporter
    from aotel.settings import Settings

# What OTEL_LOGS_EXPORTER may name: the specification's "otlp", and Python's own names for one protocol each.
_OTLP_PROTOCOLS: Final = {"otlp": None, "otlp_proto_grpc": GRPC, "otlp_proto_http": HTTP}


@dataclass(frozen=True)
class Selection:
    """The exporters for a process, none of them connected yet.

    Attributes:
        exporters: one for every destination; empty if envelopes go nowhere.
        reason: why these, as a sentence to log or show once.
        problems: destinations that were asked for and can't be had, one sentence each.
    """

    exporters: tuple[EnvelopeExporter, ...]
    reason: str
    problems: tuple[str, ...] = ()


def select(settings: Settings, *, stderr_is_terminal: bool, span_exporter: bool) -> Selection:
    """Choose the exporters of envelopes; never raises, connects to nothing, imports no gRPC.

    Args:
        settings: `envelopes` is what counts; with "auto", also the pod's and the OTLP variables.
        stderr_is_terminal: whether a person may be reading standard error.
        span_exporter: whether spans go anywhere.
    """
    asked = list(dict.fromkeys(settings.envelopes)) or ["auto"]
    destinations: list[str] = []
    reasons: list[str] = []
    for item in asked:
        found, reason = (
            _automatic(settings, stderr_is_terminal=stderr_is_terminal, span_exporter=span_exporter)
            if item == "auto"
            else ((item,), f"AOTEL_ENVELOPES names {item}")
        )
        destinations += [each for each in found if each not in destinations]
        reasons.append(reason)
    wanted = [each for each in destinations if each != "none"]
    exporters, problems = _build(wanted, settings)
    return Selection(exporters, "; ".join(reasons), problems)


def _automatic(settings: Settings, *, stderr_is_terminal: bool, span_exporter: bool) -> tuple[tuple[str, ...], str]:
    """Return the destination that suits the surroundings, or those of named backends, and the reason for it."""
    if "pod" in settings.backend:
        destinations = ("pod", "otlp") if "otlp" in settings.backend else ("pod",)
        return destinations, f"envelopes go to the pod: the backend {' and '.join(destinations)} asks for them"
    if settings.pod_id and _is_socket(settings.pod_socket):
        return ("pod",), f"envelopes go to the pod: ENVPOD_POD_ID is set and {settings.pod_socket} is there"
    asked_by = _logs_asked_for(settings)
    if asked_by is not None:
        return ("otlp",), f"envelopes go out as OTLP log records: {asked_by} asks for logs"
    if stderr_is_terminal and not span_exporter:
        return ("stderr",), "envelopes go to stderr: it is a terminal, and spans go nowhere"
    return ("none",), "envelopes go nowhere: no pod, no OTLP logs asked for; AOTEL_ENVELOPES names a place for them"


def _logs_asked_for(settings: Settings) -> str | None:
    if "none" in settings.logs_exporter:
        return None
    if any(name in _OTLP_PROTOCOLS for name in settings.logs_exporter):
        return "OTEL_LOGS_EXPORTER"
    if "otlp" in settings.backend:
        return "the backend otlp"
    return "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT" if settings.otlp_logs_endpoint else None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)  # noqa: PTH116  takes any string, also an impossible path
    except (OSError, ValueError):
        return False


def _build(destinations: Iterable[str], settings: Settings) -> tuple[tuple[EnvelopeExporter, ...], tuple[str, ...]]:
    wanted = tuple(destinations)
    exporters: list[EnvelopeExporter] = []
    problems: list[str] = []
    for destination in wanted:
        try:
            exporters.append(_exporter(destination, settings, beside=wanted))
        except ConfigurationError as error:
            problems.append(f"envelopes don't go to {destination}: {error}")
    return tuple(exporters), tuple(problems)


def _exporter(destination: str, settings: Settings, *, beside: tuple[str, ...]) -> EnvelopeExporter:
    if destination == "pod":
        # What stands on stderr already isn't written there a second time.
        return PodExporter(settings.pod_socket, fallback=None if "stderr" in beside else StderrExporter())
    if destination == "otlp":
        receiver = settings.otlp_logs_endpoint or settings.otlp_endpoint
        return OtlpExporter(_logs_protocol(settings), receiver=receiver)
    if destination == "stderr":
        return StderrExporter()
    kind, _, path = destination.partition(":")
    if kind == "file" and path:
        return FileExporter(path)
    raise ConfigurationError("use pod, otlp, stderr, file:PATH, none or auto")


def _logs_protocol(settings: Settings) -> str:
    named = (_OTLP_PROTOCOLS.get(name) for name in settings.logs_exporter)
    return next((protocol for protocol in named if protocol), settings.otlp_logs_protocol)
