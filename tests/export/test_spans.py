"""Span exporters made careful: quiet, split, whole but for the odd span, and of one process only."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aotel.errors import ConfigurationError
from aotel.export import CarefulSpanExporter, otlp_span_exporter
from aotel.export.spans import careful
from tests.export.records import in_child, said, span
from tests.servers import BlackHole, OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

SUCCESS = SpanExportResult.SUCCESS
FAILURE = SpanExportResult.FAILURE

Receiver = OtlpReceiver | OtlpHttpReceiver
both = pytest.mark.parametrize("receiver_type", [OtlpReceiver, OtlpHttpReceiver])


def exporter_to(receiver: Receiver | BlackHole, *, timeout: float = 0.5) -> CarefulSpanExporter:
    if isinstance(receiver, OtlpHttpReceiver):
        return otlp_span_exporter("http/protobuf", endpoint=f"{receiver.endpoint}/v1/traces", timeout=timeout)
    return otlp_span_exporter("grpc", endpoint=receiver.endpoint, timeout=timeout)


def names(receiver: Receiver) -> list[str]:
    return [each.name for each in receiver.spans]


@both
def test_span_arrives_as_it_was(receiver_type: type[Receiver]) -> None:
    sent = span("write_file", {"aot.kind": "agent.tool.call", "list": ("a", "b")})
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export([sent]) is SUCCESS
        assert exporter.force_flush()
        exporter.shutdown()
        (got,) = receiver.spans
    assert sent.context is not None
    assert (int(got.trace_id, 16), int(got.span_id, 16)) == (sent.context.trace_id, sent.context.span_id)
    assert (got.start_time, got.end_time) == (sent.start_time, sent.end_time)
    assert got.attributes == {"aot.kind": "agent.tool.call", "list": ["a", "b"]}


def test_settings_are_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=k")
        exporter = otlp_span_exporter("grpc")
        assert exporter.export([span()]) is SUCCESS
        exporter.shutdown()
        assert receiver.headers[0]["api-key"] == "k"


def test_unknown_protocol_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="http/json"):
        otlp_span_exporter("http/json")


@both
def test_outage_is_one_warning_and_one_all_clear(
    receiver_type: type[Receiver], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="aotel")
    with receiver_type() as receiver:
        exporter = exporter_to(receiver)
        if isinstance(receiver, OtlpHttpReceiver):
            receiver.statuses.extend([503] * 2)
        else:
            receiver.statuses.extend(["UNAVAILABLE"] * 2)
        assert exporter.export([span("lost")]) is FAILURE
        assert exporter.export([span("lost")]) is FAILURE
        assert exporter.down
        assert exporter.export([span("there")]) is SUCCESS
        assert names(receiver) == ["there"]
        exporter.shutdown()
    assert len(said(caplog)) == 1
    assert len(said(caplog, logging.INFO)) == 2


@both
def test_requests_stay_below_what_servers_take(receiver_type: type[Receiver]) -> None:
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=20)
        spans = [span(str(n), {"input.value": "é" * 400_000}) for n in range(10)]
        assert exporter.export(spans) is SUCCESS
        exporter.shutdown()
        assert names(receiver) == [str(n) for n in range(10)]
        assert max(receiver.sizes) < 3_500_000


@both
@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (("\udc80", {}), r"span '\\\\udc80' can't be encoded"),
        (("huge", {"input.value": "x" * 4_000_000}), r"span 'huge' has 4000\d\d\d bytes"),
    ],
    ids=["surrogate", "huge"],
)
def test_odd_span_is_lost_alone_and_told_of_once(
    receiver_type: type[Receiver], caplog: pytest.LogCaptureFixture, odd: tuple[str, dict[str, str]], words: str
) -> None:
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export([span("before"), span(*odd), span("after"), span(*odd)]) is SUCCESS
        exporter.shutdown()
        assert names(receiver) == ["before", "after"]
    (message,) = said(caplog)
    assert re.search(words, message)


class Fragile(InMemorySpanExporter):
    """Raises at a batch that has a span called "bad" in it."""

    __module__ = "opentelemetry.exporter.otlp.fragile"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if any(each.name == "bad" for each in spans):
            raise TypeError("not encodable")
        return super().export(spans)


def test_span_that_only_the_encoder_finds_odd_is_lost_alone() -> None:
    inner = Fragile()
    exporter = careful(inner)
    assert exporter.export([span(name) for name in ("a", "b", "bad", "c", "d")]) is SUCCESS
    assert [each.name for each in inner.get_finished_spans()] == ["a", "b", "c", "d"]


def test_exporter_of_another_kind_gets_each_span_once(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    class Raising(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            calls.append(len(spans))
            raise RuntimeError("its own affair")

        def shutdown(self) -> None:
            pass

    exporter = careful(Raising())
    assert exporter.export([span(), span()]) is FAILURE
    assert exporter.export([span()]) is FAILURE
    assert calls == [2, 1]
    assert len(said(caplog)) == 1
    exporter.shutdown()


def test_io_is_not_instrumented() -> None:
    seen: list[bool] = []

    class Looking(InMemorySpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            seen.append(is_instrumentation_enabled())
            return super().export(spans)

    careful(Looking()).export([span()])
    assert seen == [False]


def test_careful_exporter_is_not_wrapped_again() -> None:
    exporter = careful(InMemorySpanExporter())
    assert careful(exporter) is exporter


@pytest.mark.parametrize("given", [True, False])
def test_child_sends_on_its_own(given: bool) -> None:
    with OtlpReceiver() as receiver:
        exporter = (
            careful(OTLPSpanExporter(endpoint=receiver.endpoint, timeout=5))
            if given
            else exporter_to(receiver, timeout=5)
        )
        exporter.export([span("parent")])
        for number in range(3):

            def child(number: int = number) -> None:
                assert exporter.export([span(f"child {number}")]) is SUCCESS

            assert in_child(child) == 0
            assert exporter.export([span(f"parent {number}")]) is SUCCESS
        exporter.shutdown()
        assert sorted(names(receiver))[:3] == ["child 0", "child 1", "child 2"]
        assert len(receiver.spans) == 7


@pytest.mark.parametrize("given", [True, False])
def test_fork_during_a_call_leaves_both_processes_whole(given: bool) -> None:
    with BlackHole() as hole, OtlpReceiver() as receiver:
        other = exporter_to(receiver, timeout=5)
        other.export([span("parent")])
        exporter = (
            careful(OTLPSpanExporter(endpoint=hole.endpoint, timeout=3)) if given else exporter_to(hole, timeout=3)
        )
        worker = threading.Thread(target=exporter.export, args=([span()],))
        worker.start()
        time.sleep(0.5)

        def child() -> None:
            assert other.export([span("child")]) is SUCCESS

        assert in_child(child) == 0
        assert names(receiver) == ["parent", "child"]
        exporter.shutdown()
        worker.join(5)
        assert not worker.is_alive()
        other.shutdown()


def test_shutdown_interrupts_an_export(caplog: pytest.LogCaptureFixture) -> None:
    with BlackHole() as hole:
        exporter = exporter_to(hole, timeout=30)
        worker = threading.Thread(target=exporter.export, args=([span()],))
        worker.start()
        time.sleep(0.5)
        started = time.monotonic()
        exporter.shutdown()
        worker.join(5)
        assert time.monotonic() - started < 1
        assert not worker.is_alive()
        assert exporter.export([span()]) is FAILURE
    assert said(caplog) == []
