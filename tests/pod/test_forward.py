"""Forwarding to OTLP: what arrives, that nothing is ever waited for, and what happens when nobody takes it."""

from __future__ import annotations

import json
import logging
import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource

from aotel.errors import ConfigurationError
from aotel.export import stock
from aotel.export.rebuilding import log_record
from aotel.pod import forward
from aotel.pod.forward import Forwarder
from tests.pod.pod_process import PodProcess, ask, batch
from tests.servers.otlp import BlackHole, OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def envelope(number: int = 0, **changed: object) -> bytes:
    """Return an envelope as the pod writes it, from a claimed process."""
    return json.dumps(
        {
            "spec": "aotp/0.1",
            "kind": "agent.tool.result",
            "ts": "2026-04-14T01:30:00.123Z",
            "producer": "p_5f0e6c1b2a3d4e5f",
            "seq": number,
            "ids": {
                "session_id": "sess_1",
                "run_id": "run_a3ce929d0e0e4736",
                "step_id": f"step_{SPAN}",
                "trace_id": f"tr_{TRACE}",
                "span_id": f"sp_{SPAN}",
                "parent_span_id": "",
            },
            "subject": {"agent_id": "writer-1", "agent_role": "writer", "framework": "aotel"},
            "capture": {"mode": "none", "content": "redacted"},
            "payload": {"fn": "write_file", "result_preview": "'ä'", "duration_ms": 1.0, "ok": True},
            "envpod": {"pod_id": "pod-7", "pid": 4242, "claim_kind": "claimed", "agent_claim_id": "claim_1"},
            **changed,
        },
        ensure_ascii=False,
    ).encode()


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as made:
        yield made


def test_envelopes_arrive_as_log_records_with_the_pods_word(receiver: OtlpReceiver) -> None:
    forwarder = Forwarder(receiver.endpoint, "pod-7")
    try:
        forwarder.put([envelope()])
        (record,) = receiver.wait_for_log_records(1)
    finally:
        forwarder.close()
    assert record.event_name == "agent.tool.result"
    assert record.body == envelope().decode()
    assert (record.trace_id, record.span_id) == (TRACE, SPAN)
    assert record.timestamp == 1_776_130_200_123_000_000
    assert (record.severity, record.severity_text) == (9, "INFO")
    assert record.attributes == {
        "aot.kind": "agent.tool.result",
        "aot.session_id": "sess_1",
        "aot.run_id": "run_a3ce929d0e0e4736",
        "aot.capture.content": "redacted",
        "gen_ai.agent.id": "writer-1",
        "envpod.pod_id": "pod-7",
        "envpod.pid": 4242,
        "envpod.claim_kind": "claimed",
        "envpod.agent_claim_id": "claim_1",
    }
    assert record.resource["service.name"] == "aotel-pod"
    assert record.resource["envpod.pod_id"] == "pod-7"
    assert forwarder.counts.sent == 1


def test_an_anonymous_sender_and_an_error_are_told(receiver: OtlpReceiver) -> None:
    anonymous = {"pid": 7, "uid": 1000, "session": "sess_7_1f", "fingerprint": "anon_pid7_uid1000_sesssess_7_1f"}
    envpod = {"pod_id": "pod-7", "pid": 7, "uid": 1000, "claim_kind": "anonymous", "anonymous": anonymous}
    forwarder = Forwarder(receiver.endpoint)
    try:
        forwarder.put([envelope(kind="coat.error", envpod=envpod, subject={"agent_id": ""})])
        (record,) = receiver.wait_for_log_records(1)
    finally:
        forwarder.close()
    assert (record.severity, record.severity_text) == (17, "ERROR")
    assert "gen_ai.agent.id" not in record.attributes
    assert record.attributes["envpod.claim_kind"] == "anonymous"
    assert record.attributes["envpod.anonymous.fingerprint"] == "anon_pid7_uid1000_sesssess_7_1f"
    assert record.attributes["envpod.anonymous.session"] == "sess_7_1f"


def test_ids_of_64_bits_are_filled_up(receiver: OtlpReceiver) -> None:
    """envpod-coat's trace ids are half as long as OpenTelemetry's."""
    ids = {"trace_id": "tr_a3ce929d0e0e4736", "span_id": f"sp_{SPAN}"}
    forwarder = Forwarder(receiver.endpoint)
    try:
        forwarder.put([envelope(ids=ids)])
        (record,) = receiver.wait_for_log_records(1)
    finally:
        forwarder.close()
    assert (record.trace_id, record.span_id) == ("0000000000000000a3ce929d0e0e4736", SPAN)


def test_closing_sends_what_waits(receiver: OtlpReceiver) -> None:
    forwarder = Forwarder(receiver.endpoint)
    for start in range(0, 3000, 100):
        forwarder.put([envelope(number) for number in range(start, start + 100)])
    forwarder.close(10)
    numbers = [json.loads(str(record.body))["seq"] for record in receiver.log_records]
    assert numbers == list(range(3000))
    counts = forwarder.counts
    assert (counts.sent, counts.dropped, counts.waiting, counts.state) == (3000, 0, 0, "closed")


def test_what_comes_after_the_end_is_counted(receiver: OtlpReceiver) -> None:
    forwarder = Forwarder(receiver.endpoint)
    forwarder.close()
    forwarder.close()
    forwarder.put([envelope()])
    assert (forwarder.counts.dropped, forwarder.counts.waiting) == (1, 0)


def test_an_endpoint_that_comes_back_gets_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "1")  # seconds that the stock exporter tries by itself
    with OtlpReceiver() as first:
        port = first.port
    forwarder = Forwarder(f"http://127.0.0.1:{port}")
    try:
        forwarder.put([envelope(number) for number in range(5)])
        _wait_until(lambda: forwarder.counts.state == "down")
        with OtlpReceiver(port=port) as second:
            assert len(second.wait_for_log_records(5, 20)) == 5
    finally:
        forwarder.close()


def test_a_silent_endpoint_holds_up_nobody(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(forward, "MOST_WAITING", 1000)
    with BlackHole() as hole:
        forwarder = Forwarder(hole.endpoint)
        started = time.monotonic()
        for _ in range(50):
            forwarder.put([envelope(number) for number in range(100)])
        assert time.monotonic() - started < 2.0
        _wait_until(lambda: forwarder.counts.dropped > 0)
        counts = forwarder.counts
        assert counts.waiting <= 1000
        started = time.monotonic()
        forwarder.close(0.5)
        assert time.monotonic() - started < 4.0
    assert forwarder.counts.dropped == 5000
    assert sum("takes envelopes more slowly" in record.message for record in caplog.records) == 1


def test_bytes_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forward, "MOST_BYTES", 100_000)
    with BlackHole() as hole:
        forwarder = Forwarder(hole.endpoint)
        for _ in range(10):
            forwarder.put([envelope(payload={"fn": "x" * 30_000})])
        counts = forwarder.counts
        forwarder.close(0.1)
    assert counts.dropped >= 4


def test_an_endpoint_without_logs_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with OtlpReceiver(logs=False) as receiver:
        forwarder = Forwarder(receiver.endpoint)
        forwarder.put([envelope()])
        _wait_until(lambda: forwarder.counts.state == "off")
        forwarder.put([envelope()])
        _wait_until(lambda: forwarder.counts.refused == 2)
        forwarder.close()
    assert sum("takes no log records" in record.message for record in caplog.records) == 1


def test_over_http_where_the_path_says_so() -> None:
    with OtlpHttpReceiver() as receiver:
        forwarder = Forwarder(f"{receiver.endpoint}/v1/logs", "pod-7")
        try:
            forwarder.put([envelope()])
            (record,) = receiver.wait_for_log_records(1)
        finally:
            forwarder.close()
    assert record.attributes["envpod.agent_claim_id"] == "claim_1"


def test_http_without_its_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "_installed", lambda package: False)
    with pytest.raises(ConfigurationError, match=r"pip install aotel\[http\]"):
        Forwarder("http://127.0.0.1:4318/v1/logs")


def test_the_environment_says_who_the_service_is(monkeypatch: pytest.MonkeyPatch, receiver: OtlpReceiver) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=lab,service.name=auditor")
    forwarder = Forwarder(receiver.endpoint)
    try:
        forwarder.put([envelope()])
        (record,) = receiver.wait_for_log_records(1)
    finally:
        forwarder.close()
    assert (record.resource["service.name"], record.resource["deployment.environment.name"]) == ("auditor", "lab")


def test_a_pod_sends_on_what_it_has_written_under_its_own_word(receiver: OtlpReceiver) -> None:
    forged = json.loads(envelope(subject={"agent_id": "the-boss", "agent_role": "root"}))
    with PodProcess(None, "--pod-id", "pod-9", "--otlp", receiver.endpoint) as pod:
        ask(pod.queue, batch([forged, forged, json.loads(envelope(1))]))
        receiver.wait_for_log_records(2)
        assert pod.stop() == 0
        written = pod.entries("agent_coat")
    assert [record.body for record in receiver.log_records] == [entry["detail"] for entry in written]
    for record in receiver.log_records:
        assert "gen_ai.agent.id" not in record.attributes
        assert record.attributes["envpod.claim_kind"] == "anonymous"
        assert (record.attributes["envpod.pod_id"], record.attributes["envpod.pid"]) == ("pod-9", os.getpid())
        assert (record.trace_id, record.resource["envpod.pod_id"]) == (TRACE, "pod-9")


def test_a_pod_that_stops_sends_on_what_it_took_last(receiver: OtlpReceiver) -> None:
    with PodProcess(None, "--otlp", receiver.endpoint) as pod:
        ask(
            pod.queue,
            *(batch(json.loads(envelope(number)) for number in range(n, n + 100)) for n in range(0, 1000, 100)),
        )
        assert pod.stop() == 0
    assert len(receiver.log_records) == 1000


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_ODD_IDS = st.text("0123456789abcdefxyz_ -+", max_size=40)
_IDS = st.fixed_dictionaries(
    {},
    optional={
        "trace_id": st.builds("tr_{}".format, _ODD_IDS) | _JSON,
        "span_id": st.builds("sp_{}".format, _ODD_IDS) | _JSON,
        "session_id": _JSON,
    },
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "kind": _JSON,
            "ts": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | _JSON,
            "ids": _IDS | _JSON,
            "envpod": st.fixed_dictionaries({}, optional={"pid": _JSON, "anonymous": _JSON}) | _JSON,
            "subject": _JSON,
            "capture": _JSON,
        },
    )
)
def test_any_envelope_makes_a_record_that_can_be_encoded(odd: dict[str, object]) -> None:
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs

    line = json.dumps(odd).encode()
    record = log_record(line, Resource({}))
    assert record.log_record.body == line.decode()
    encode_logs([record]).SerializeToString()


@pytest.mark.parametrize("line", [b"[]", b"\xff{}", b"{" * 5000, b'{"ids":' + b"[" * 5000 + b"]" * 5000 + b"}", b""])
def test_what_is_no_envelope_goes_on_as_it_is(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        record = log_record(line, Resource({}))
    assert record.log_record.event_name == ""
    assert not caplog.records


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
