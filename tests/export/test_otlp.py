"""Envelopes over OTLP, against real receivers: down, odd, slow, without logs; and what odd records cost."""

from __future__ import annotations

import logging
import sys
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.errors import ConfigurationError
from aotel.export import Backoff, OtlpExporter
from tests.export.records import RESOURCE, envelope, envelopes, in_child, record, said
from tests.servers import BlackHole, OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable

SUCCESS = LogRecordExportResult.SUCCESS
FAILURE = LogRecordExportResult.FAILURE
AT_ONCE = Backoff(first=0.0, longest=0.0)

Receiver = OtlpReceiver | OtlpHttpReceiver
both = pytest.mark.parametrize("receiver_type", [OtlpReceiver, OtlpHttpReceiver])


def exporter_to(receiver: Receiver | BlackHole, *, timeout: float = 0.5, backoff: Backoff = AT_ONCE) -> OtlpExporter:
    if isinstance(receiver, OtlpHttpReceiver):
        return OtlpExporter("http/protobuf", endpoint=f"{receiver.endpoint}/v1/logs", timeout=timeout, backoff=backoff)
    return OtlpExporter(endpoint=receiver.endpoint, timeout=timeout, backoff=backoff)


def bodies(receiver: Receiver) -> list[object]:
    return [each.body for each in receiver.log_records]


def own_bodies(*seqs: int) -> set[str]:
    return {str(envelope(seq).log_record.body) for seq in seqs}


@both
def test_record_arrives_as_it_was(receiver_type: type[Receiver]) -> None:
    span_context = trace.SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=trace.TraceFlags(1))
    sent = LogRecord(
        timestamp=1_000_000_007,
        context=trace.set_span_in_context(trace.NonRecordingSpan(span_context)),
        body='{"kind":"coat.error"}',
        event_name="coat.error",
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        attributes={"aot.kind": "coat.error", "envpod.pid": 42},
    )
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export([ReadableLogRecord(sent, RESOURCE)]) is SUCCESS
        exporter.shutdown()
        (got,) = receiver.log_records
    assert (got.event_name, got.body, got.timestamp) == ("coat.error", '{"kind":"coat.error"}', 1_000_000_007)
    assert (got.severity, got.severity_text) == (17, "ERROR")
    assert (int(got.trace_id, 16), int(got.span_id, 16)) == (0xABC, 0xDEF)
    assert got.attributes == {"aot.kind": "coat.error", "envpod.pid": 42}
    assert got.resource == {"service.name": "exporter-test"}
    assert exporter.counts.sent == 1


def test_settings_are_the_standard_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", receiver.endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-project-name=agents")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        exporter = OtlpExporter()
        assert exporter.export([envelope(0)]) is SUCCESS
        exporter.shutdown()
        assert receiver.headers[0]["x-project-name"] == "agents"
        assert len(receiver.log_records) == 1


def test_unusable_variable_is_one_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "zip")
    exporter = OtlpExporter(backoff=AT_ONCE)
    for seq in range(3):
        assert exporter.export([envelope(seq)]) is SUCCESS
    exporter.shutdown()
    assert exporter.counts.dropped == 3
    assert len(said(caplog)) == 1
    assert "zip" in said(caplog)[0]


@pytest.mark.parametrize(
    "make", [lambda: OtlpReceiver(logs=False), lambda: OtlpHttpReceiver(logs=False)], ids=["UNIMPLEMENTED", "404"]
)
def test_receiver_without_logs_is_told_once_and_left_alone(
    caplog: pytest.LogCaptureFixture, make: Callable[[], Receiver]
) -> None:
    with make() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export(envelopes(2)) is FAILURE
        requests = receiver.requests
        assert exporter.export(envelopes(3)) is FAILURE
        assert receiver.requests == requests
        assert exporter.force_flush()
        exporter.shutdown()
    assert exporter.counts.refused == 5
    assert len(said(caplog)) == 1
    assert "no log records" in said(caplog)[0]


@pytest.mark.parametrize("level", [logging.CRITICAL, logging.DEBUG])
def test_receiver_without_logs_is_known_whatever_the_log_level(
    level: int, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    logger = logging.getLogger("opentelemetry")
    request.addfinalizer(lambda level=logger.level: logger.setLevel(level))  # type: ignore[misc]
    logger.setLevel(level)
    with OtlpReceiver(logs=False) as receiver:
        exporter = exporter_to(receiver, timeout=5)
        exporter.export(envelopes(2))
        assert exporter.counts.state == "off"
        exporter.shutdown()
    assert len(said(caplog)) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: OtlpReceiver(statuses=["UNAVAILABLE"]),
        lambda: OtlpHttpReceiver(statuses=[503]),
    ],
    ids=["UNAVAILABLE", "503"],
)
def test_passing_trouble_is_ridden_out_in_silence(
    caplog: pytest.LogCaptureFixture, make: Callable[[], Receiver]
) -> None:
    with make() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export(envelopes(2)) is SUCCESS
        exporter.shutdown()
        assert len(receiver.log_records) == 2
    assert said(caplog) == []


def test_rate_limit_over_http_is_waited_for() -> None:
    with OtlpHttpReceiver(statuses=[429, 429], retry_after=0.1) as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export(envelopes(2)) is SUCCESS
        while not exporter.force_flush():  # the stock exporter itself waits since 1.42
            time.sleep(0.1)
        exporter.shutdown()
        assert bodies(receiver) == [each.log_record.body for each in envelopes(2)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: OtlpReceiver(statuses=["UNAVAILABLE"] * 9),
        lambda: OtlpReceiver(statuses=["RESOURCE_EXHAUSTED"] * 9),
        lambda: OtlpReceiver(delay=0.7),
        lambda: OtlpHttpReceiver(statuses=[503] * 9),
        lambda: OtlpHttpReceiver(statuses=[429] * 9, retry_after=3600),
        BlackHole,
    ],
    ids=["UNAVAILABLE", "RESOURCE_EXHAUSTED", "slow", "503", "429", "black hole"],
)
def test_lasting_trouble_is_one_warning_and_keeps_the_envelopes(
    caplog: pytest.LogCaptureFixture, make: Callable[[], Receiver | BlackHole]
) -> None:
    with make() as receiver:
        exporter = exporter_to(receiver)
        assert exporter.export(envelopes(2)) is SUCCESS
        assert exporter.export(envelopes(2, first=2)) is SUCCESS
        assert (exporter.counts.waiting, exporter.counts.state) == (4, "down")
        exporter.shutdown()
    assert exporter.counts.dropped == 4
    assert len(said(caplog)) == 1
    assert exporter.counts.last_error
    assert exporter.counts.last_error in said(caplog)[0]


def test_receiver_down_at_start_gets_everything_once_it_is_up(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="aotel")
    receiver = OtlpReceiver()
    exporter = exporter_to(receiver)
    for seq in range(3):
        assert exporter.export([envelope(seq)]) is SUCCESS
    assert len(said(caplog)) == 1
    with receiver:
        deadline = time.monotonic() + 10
        while exporter.counts.waiting and time.monotonic() < deadline:
            exporter.export([])
        exporter.export([envelope(3)])
        assert bodies(receiver) == [each.log_record.body for each in envelopes(4)]
    exporter.shutdown()
    assert [message.rpartition(" ")[2] for message in said(caplog, logging.INFO)][1:] == ["again"]
    assert exporter.counts.sent == 4


def test_receiver_down_in_between_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver() as receiver:
        exporter = exporter_to(receiver)
        exporter.export([envelope(0)])
        receiver.stop()
        exporter.export([envelope(1)])
        exporter.export([envelope(2)])
        assert len(said(caplog)) == 1
        receiver.start()
        deadline = time.monotonic() + 10
        while not exporter.force_flush() and time.monotonic() < deadline:
            pass
        assert bodies(receiver) == [each.log_record.body for each in envelopes(3)]
        exporter.shutdown()
    assert len(said(caplog)) == 1


def test_down_receiver_is_left_alone_between_attempts() -> None:
    with BlackHole() as hole:
        exporter = exporter_to(hole, backoff=Backoff(first=60))
        exporter.export([envelope(0)])
        started = time.monotonic()
        for seq in range(1, 100):
            exporter.export([envelope(seq)])
        assert time.monotonic() - started < 1
        assert exporter.counts.waiting == 100
        exporter.shutdown()


def test_memory_for_an_outage_is_bounded() -> None:
    receiver = OtlpReceiver()
    exporter = exporter_to(receiver, backoff=Backoff(first=60))
    results = [exporter.export([envelope(seq, "x" * 1_000_000)]) for seq in range(30)]
    assert results[0] is SUCCESS
    assert results[-1] is FAILURE
    assert exporter.counts.waiting <= 16
    assert exporter.counts.waiting + exporter.counts.dropped == 30
    with receiver:
        deadline = time.monotonic() + 10
        while not exporter.force_flush() and time.monotonic() < deadline:
            pass
        assert bodies(receiver)[-1] == envelope(29, "x" * 1_000_000).log_record.body
        assert max(receiver.sizes) < 3_500_000
    exporter.shutdown()


@pytest.mark.parametrize("down", [True, False], ids=["down", "black hole"])
def test_shutdown_interrupts_an_export(down: bool) -> None:
    with BlackHole() as hole:
        exporter = exporter_to(OtlpReceiver() if down else hole, timeout=30)
        worker = threading.Thread(target=exporter.export, args=(envelopes(2),))
        worker.start()
        time.sleep(1.0)
        started = time.monotonic()
        exporter.shutdown()
        worker.join(5)
        assert time.monotonic() - started < 1
        assert not worker.is_alive()
    assert (exporter.counts.state, exporter.counts.dropped) == ("closed", 2)


def test_shutdown_does_not_wait_for_http_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    with BlackHole() as hole:
        exporter = OtlpExporter("http/protobuf", endpoint=f"{hole.endpoint}/v1/logs", timeout=2)
        worker = threading.Thread(target=exporter.export, args=(envelopes(2),))
        worker.start()
        time.sleep(0.5)
        started = time.monotonic()
        exporter.shutdown()
        assert time.monotonic() - started < 1
        worker.join(10)
    assert exporter.counts.state == "closed"
    assert said(caplog) == []


@both
def test_requests_stay_below_what_servers_take(receiver_type: type[Receiver]) -> None:
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=20)
        assert exporter.export([envelope(seq, "é" * 400_000) for seq in range(10)]) is SUCCESS
        exporter.shutdown()
        assert len(receiver.log_records) == 10
        assert len(receiver.sizes) == 3
        assert max(receiver.sizes) < 3_500_000


@both
@pytest.mark.parametrize(
    "odd",
    [
        '{"a": "\udc80"}',
        {"at": datetime(2026, 1, 1, tzinfo=timezone.utc)},
        {"int": 1 << 70},
        "x" * 3_500_000,
    ],
    ids=["surrogate", "datetime", "huge int", "huge"],
)
def test_odd_record_is_refused_alone(
    receiver_type: type[Receiver], caplog: pytest.LogCaptureFixture, odd: object
) -> None:
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        batch = [*envelopes(3), record(odd), *envelopes(4, first=3)]
        assert exporter.export(batch) is FAILURE
        exporter.shutdown()
        assert bodies(receiver) == [each.log_record.body for each in envelopes(7)]
    assert (exporter.counts.sent, exporter.counts.refused) == (7, 1)
    assert len(said(caplog)) == 1


def test_odd_attribute_is_left_out_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver() as receiver:
        exporter = exporter_to(receiver, timeout=5)
        assert exporter.export([record("{}", attributes={"good": 1, "bad": "\udc80"})]) is SUCCESS
        exporter.shutdown()
        assert receiver.log_records[0].attributes == {"good": 1}
    assert said(caplog) == []


def test_protocol_that_is_not_there_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    with pytest.raises(ConfigurationError, match=r"pip install aotel\[http\]"):
        OtlpExporter("http/protobuf")


def test_unknown_protocol_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="'grpc' or 'http/protobuf'"):
        OtlpExporter("http/json")


def test_users_own_exporter_keeps_its_log(caplog: pytest.LogCaptureFixture) -> None:
    users = OTLPLogExporter(endpoint="http://127.0.0.1:1", timeout=0.3)
    ours = OtlpExporter(endpoint="http://127.0.0.1:1", timeout=0.3, backoff=AT_ONCE)
    ours.export([envelope(0)])
    assert [each.name.partition(".")[0] for each in caplog.records] == ["aotel"]
    # The same words, from the same logger, within the seconds in which its own filter drops repetitions.
    users.export([envelope(0)])
    assert any(each.name.startswith("opentelemetry.exporter") for each in caplog.records)
    users.shutdown()
    ours.shutdown()


@both
def test_child_sends_on_its_own(receiver_type: type[Receiver]) -> None:
    with receiver_type() as receiver:
        exporter = exporter_to(receiver, timeout=10)
        exporter.export([envelope(0)])
        for number in range(1, 5):

            def child(number: int = number) -> None:
                assert exporter.counts.sent == 0
                assert exporter.export([envelope(number * 10)]) is SUCCESS
                exporter.shutdown()

            assert in_child(child) == 0
            assert exporter.export([envelope(number)]) is SUCCESS
        exporter.shutdown()
        assert set(bodies(receiver)) == own_bodies(*range(5), 10, 20, 30, 40)
        assert len(receiver.log_records) == 9


def test_fork_during_a_call_leaves_both_processes_whole() -> None:
    with OtlpReceiver(delay=0.4) as receiver:
        exporter = exporter_to(receiver, timeout=10)
        exporter.export([envelope(0)])
        for number in range(1, 5):
            worker = threading.Thread(target=exporter.export, args=([envelope(number)],))
            worker.start()
            time.sleep(0.1)

            def child(number: int = number) -> None:
                assert exporter.export([envelope(number * 10)]) is SUCCESS

            assert in_child(child) == 0
            worker.join(10)
        exporter.shutdown()
        # A call that a fork cuts short is made again: its envelopes may come twice, and receivers deduplicate.
        assert set(bodies(receiver)) == own_bodies(*range(5), 10, 20, 30, 40)
    assert exporter.counts.sent == 5


def test_fork_with_a_call_in_a_black_hole_is_not_held_up() -> None:
    with BlackHole() as hole:
        exporter = exporter_to(hole, timeout=30)
        worker = threading.Thread(target=exporter.export, args=([envelope(0)],))
        worker.start()
        time.sleep(1.0)
        started = time.monotonic()
        assert in_child(lambda: None) == 0
        assert time.monotonic() - started < 2
        exporter.shutdown()
        worker.join(5)
        assert not worker.is_alive()


def test_child_does_not_send_what_its_parent_keeps() -> None:
    receiver = OtlpReceiver()
    exporter = exporter_to(receiver)
    exporter.export([envelope(0)])

    def child() -> None:
        assert exporter.counts.waiting == 0
        assert exporter.force_flush()

    assert in_child(child) == 0
    assert exporter.counts.waiting == 1
    exporter.shutdown()
