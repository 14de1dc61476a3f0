"""The doctor looks at where spans and envelopes go, and knocks at each door."""

from __future__ import annotations

import logging
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aotel import backends
from aotel import settings as environment
from aotel.cli.doctor.finding import Finding, Section, State
from aotel.distro import configure, shutdown, status
from aotel.distro.span_export import wanted
from aotel.envelopes import protocol
from aotel.export.connection import Connection, NoReplyError
from aotel.export.outcome import Verdict
from aotel.export.stock import Stock, check_protocol, log_exporter, span_exporter
from aotel.pipeline.provider import current_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.distro.report import Status
    from aotel.export import ExporterStatus
    from aotel.export.outcome import Outcome
    from aotel.settings import Settings

_DEFAULT_ENDPOINTS = {"grpc": "http://localhost:4317", "http/protobuf": "http://localhost:4318"}


class _Said(logging.Handler):
    """Keeps what aotel says while it configures itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage().removeprefix("aotel: "))


def exporters() -> Section:
    """Configure aotel in this process, as the first coated call of a program does, and look at what came of it."""
    said = _Said()
    logger = logging.getLogger("aotel")
    logger.addHandler(said)
    propagates, logger.propagate = logger.propagate, False
    try:
        configure()
        found = status()
        numbers = _numbers(found)
        provider = current_provider()
        shutdown(0.5)
    finally:
        logger.removeHandler(said)
        logger.propagate = propagates
    if not found.enabled:
        return Section("Providers and exporters", [Finding("aotel", "warning", "is switched off by the environment")])
    known = {*environment.load().problems, found.envelopes}
    findings = [
        Finding("provider", "ok", f"{type(provider).__module__}.{type(provider).__name__}"),
        _spans(environment.load()),
        Finding("envelopes", _state(found.exporters), found.envelopes, _where_envelopes_can_go(found.exporters)),
    ]
    findings += numbers
    findings += [Finding("said", "warning", sentence) for sentence in said.sentences if sentence not in known]
    return Section("Providers and exporters", findings)


def _spans(settings: Settings) -> Finding:
    names = wanted(settings)
    to = [target.backend for target in backends.targets(settings)]
    if names or to:
        said = ([f"by {', '.join(names)}"] if names else []) + ([f"to {', '.join(to)}"] if to else [])
        return Finding("spans", "ok", f"are exported {' and '.join(said)}")
    advice = "set AOTEL_BACKEND, OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_TRACES_EXPORTER"
    return Finding("spans", "info", "are exported nowhere", advice)


def _numbers(found: Status) -> list[Finding]:
    """Say what `status()` counts: in this process little, but it shows which exporters a program has."""
    kinds = f" ({found.dropped_by_kind})" if found.dropped_by_kind.total else ""
    queue = f"{found.queued} waiting, {found.queued_size} characters; {found.dropped} dropped{kinds}"
    if found.encode_seconds or found.export_seconds:
        queue += f"; {found.encode_seconds:.3g} s to encode, {found.export_seconds:.3g} s to export"
    return [
        Finding("queue", "info", queue),
        *(_counts(each, "envelopes") for each in found.exporters),
        *(_counts(each, "spans") for each in found.span_exporters),
    ]


def _counts(counts: ExporterStatus, what: str) -> Finding:
    names = ("sent", "retried", "refused", "dropped", "diverted", "waiting", "spooled")
    numbers = ", ".join(f"{getattr(counts, name)} {name}" for name in names)
    error = f"; {counts.last_error}" if counts.last_error else ""
    return Finding(f"{what} to {counts.name}", "info", f"{counts.state}: {numbers}{error}")


def _state(exporters: tuple[object, ...]) -> State:
    return "ok" if exporters else "info"


def _where_envelopes_can_go(exporters: tuple[object, ...]) -> str:
    return "" if exporters else "aotel run -- COMMAND, or AOTEL_ENVELOPES=stderr, file:PATH, otlp or pod"


def endpoints(timeout: float) -> Section:
    """Knock at each endpoint that the environment names.

    Args:
        timeout: seconds to wait for each answer.
    """
    settings = environment.load()
    findings = [*_backends(settings, timeout), *_otlp(settings, timeout), *_pod(settings, timeout)]
    if not findings:
        findings = [
            Finding(
                "endpoints",
                "info",
                "no OTLP endpoint and no pod is named",
                "set OTEL_EXPORTER_OTLP_ENDPOINT for a backend; `aotel run -- COMMAND` brings a pod of its own",
            )
        ]
    return Section("Endpoints", findings)


def _backends(settings: Settings, timeout: float) -> list[Finding]:
    """Knock at each backend that is named; one that lacks a key has no door yet."""
    findings = [
        Finding(f"backend {name}", "problem", sentence, "docs/backends.md says where to get them")
        for name, sentence in backends.missing(settings).items()
    ]
    for target in backends.targets(settings):
        make = partial(span_exporter, target.protocol, {**target.options(), "timeout": timeout})
        findings.append(_knock(target.backend, target.endpoint, target.protocol, make, "check its key"))
    return findings


def _otlp(settings: Settings, timeout: float) -> list[Finding]:
    findings: list[Finding] = []
    traces = settings.otlp_traces_endpoint or settings.otlp_endpoint
    logs = settings.otlp_logs_endpoint or settings.otlp_endpoint
    if (traces and not settings.backend) or "otlp" in (*settings.traces_exporter, *settings.backend):
        protocol_ = settings.otlp_traces_protocol
        make = lambda: span_exporter(protocol_, {"timeout": timeout})  # noqa: E731 - said in one line
        findings.append(_knock("OTLP traces", traces or _DEFAULT_ENDPOINTS[protocol_], protocol_, make))
    asked_for = (*settings.logs_exporter, *settings.envelopes, *settings.backend)
    if (logs and not settings.backend) or settings.otlp_logs_endpoint or "otlp" in asked_for:
        protocol_ = settings.otlp_logs_protocol
        make_logs = lambda: log_exporter(protocol_, {"timeout": timeout})  # noqa: E731
        found = _knock("OTLP logs", logs or _DEFAULT_ENDPOINTS[protocol_], protocol_, make_logs)
        asked = "otlp" in asked_for or settings.otlp_logs_endpoint
        # A backend for traces alone is nothing unusual.
        findings.append(found if asked or found.state == "ok" else found._replace(state="info"))
    return findings


def _knock(
    about: str,
    endpoint: str,
    spoken: str,
    make: Callable[[], object],
    keys: str = "check the keys in OTEL_EXPORTER_OTLP_HEADERS",
) -> Finding:
    shown = f"{environment.without_password(endpoint)} over {spoken}"
    try:
        check_protocol(spoken)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we are looking for
        return Finding(about, "problem", f"{shown}: {error}")
    stock: Stock[object] = Stock(make)
    try:
        outcome = stock.send([])
    finally:
        stock.close()
    if outcome.verdict is Verdict.DELIVERED:
        return Finding(about, "ok", f"{shown} answers")
    # The transport's own words have the password of the URL in them.
    reason = outcome.reason.replace(f"{urlsplit(endpoint).netloc.rpartition('@')[0]}@", "...@")
    return Finding(about, "problem", f"{shown}: {reason or 'no answer'}", _advice(outcome, keys))


def _advice(outcome: Outcome, keys: str) -> str:
    reason = outcome.reason.upper()
    if any(word in reason for word in ("UNAUTHENTICATED", "PERMISSION_DENIED", "401", "403", "UNAUTHORIZED")):
        return keys
    if outcome.verdict is Verdict.UNSUPPORTED:
        return "it does not take this signal: check the path, or send it elsewhere"
    return "is it running, is the port the right one (4317 for gRPC, 4318 for HTTP), http or https?"


def _pod(settings: Settings, timeout: float) -> list[Finding]:
    path = settings.pod_socket
    if not settings.pod_id and "pod" not in (*settings.envelopes, *settings.backend):
        return [Finding("pod", "info", f"{path} exists, but ENVPOD_POD_ID is unset")] if Path(path).exists() else []
    if not Path(path).exists():
        return [Finding("pod", "problem", f"there is no socket at {path}", "start `aotel pod`, or set ENVPOD_SOCKET")]
    connection = Connection(path, timeout=timeout)
    try:
        reply = protocol.decode_hello_reply(connection.exchange(protocol.encode(protocol.Hello())))
    except (NoReplyError, protocol.ProtocolError) as error:
        allowed = "" if os.access(path, os.W_OK) else "this user may not write to it: see the socket's mode"
        return [Finding("pod", "problem", f"{path}: {error}", allowed or "is the pod still running?")]
    finally:
        connection.close()
    if isinstance(reply, protocol.HelloOk):
        named = f"{reply.server or 'a pod'} {reply.version}".strip()
        return [Finding("pod", "ok", f"{path}: {named} answers")]
    # A runtime that does not know the question is a pod all the same.
    return [Finding("pod", "ok", f"{path}: a pod runtime answers")]
