"""The pod exporter against a real socket: every reply, every way to go away, forks, and the end."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, LogRecordExportResult

from aotel.export import Backoff, PodExporter
from tests.export.records import envelope, envelopes, in_child, record, said, seqs
from tests.servers import PodServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUCCESS = LogRecordExportResult.SUCCESS
FAILURE = LogRecordExportResult.FAILURE
SOON = Backoff(first=0.05, longest=0.2)


@pytest.fixture
def fallback() -> InMemoryLogRecordExporter:
    return InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]


@pytest.fixture
def exporter(tmp_path: Path, fallback: InMemoryLogRecordExporter) -> Iterator[PodExporter]:
    made = PodExporter(str(tmp_path / "queue.sock"), fallback=fallback, timeout=1.0, patience=2.0, backoff=SOON)
    yield made
    made.shutdown()


def fallen(fallback: InMemoryLogRecordExporter) -> list[object]:
    return [json.loads(str(each.log_record.body))["seq"] for each in fallback.get_finished_logs()]


def test_envelope_is_one_single_request(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        assert exporter.export([envelope(0)]) is SUCCESS
        assert pod.types == ["agent_coat"]
        assert seqs(pod.envelopes) == [0]
    assert exporter.counts.sent == 1


def test_several_envelopes_are_one_batch_after_one_hello(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        exporter.export(envelopes(5))
        exporter.export(envelopes(5, first=5))
        assert pod.types == ["hello", "agent_coat_batch", "agent_coat_batch"]
        assert seqs(pod.envelopes) == list(range(10))
        assert pod.connections == 1
    assert exporter.counts.sent == 10


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    "knowledge", [{"batches": False}, {"hello": False, "batches": False}, {"hello_reply": "close", "batches": False}]
)
def test_runtime_without_batches_gets_single_requests(
    tmp_path: Path, exporter: PodExporter, keep: bool, knowledge: dict[str, bool]
) -> None:
    with PodServer(tmp_path, keep=keep, **knowledge) as pod:  # type: ignore[arg-type]
        exporter.export(envelopes(3))
        exporter.export(envelopes(3, first=3))
        assert pod.types.count("hello") == 1
        assert "agent_coat_batch" not in pod.types
        assert seqs(pod.envelopes) == list(range(6))
    assert exporter.counts.retried == 0


@pytest.mark.parametrize("odd", ["garbage", "silence", "oversize", "partial"])
def test_odd_answer_to_hello_means_single_requests(tmp_path: Path, exporter: PodExporter, odd: str) -> None:
    with PodServer(tmp_path, hello_reply=odd) as pod:
        assert exporter.export(envelopes(3)) is SUCCESS
        assert seqs(pod.envelopes) == [0, 1, 2]
        assert "agent_coat_batch" not in pod.types


def test_hello_that_is_rate_limited_is_asked_again(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, hello_reply="rate_limited") as pod:
        exporter.export(envelopes(2))
        exporter.export(envelopes(2))
        assert pod.types.count("hello") == 2
        assert len(pod.envelopes) == 4


def test_server_that_closes_after_each_reply_is_reconnected(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, keep=False) as pod:
        for seq in range(5):
            assert exporter.export([envelope(seq)]) is SUCCESS
        assert seqs(pod.envelopes) == [0, 1, 2, 3, 4]
        assert pod.connections == 5
    assert exporter.counts.retried == 0


def test_kept_connection_is_reused(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        for seq in range(5):
            exporter.export([envelope(seq)])
        assert pod.connections == 1


def test_rate_limited_is_sent_again_until_it_is_taken(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["rate_limited"] * 3) as pod:
        assert exporter.export([envelope(0)]) is SUCCESS
        assert seqs(pod.envelopes) == [0]
        assert pod.types == ["agent_coat"] * 4
    assert (exporter.counts.sent, exporter.counts.retried) == (1, 3)


def test_rate_limited_batch_is_sent_again(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["rate_limited"]) as pod:
        assert exporter.export(envelopes(4)) is SUCCESS
        assert seqs(pod.envelopes) == [0, 1, 2, 3]


def test_retry_after_is_honoured(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["rate_limited"], retry_after=0.4) as pod:
        started = time.monotonic()
        exporter.export([envelope(0)])
        assert time.monotonic() - started >= 0.4
        assert len(pod.envelopes) == 1


def test_endless_rate_limit_falls_back_once_patience_is_over(
    tmp_path: Path, fallback: InMemoryLogRecordExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with PodServer(tmp_path, replies=["rate_limited"] * 1000) as pod:
        exporter = PodExporter(pod.path, fallback=fallback, patience=0.3)
        assert exporter.export(envelopes(2)) is SUCCESS
        exporter.shutdown()
        assert pod.envelopes == []
    assert fallen(fallback) == [0, 1]
    assert (exporter.counts.sent, exporter.counts.diverted) == (0, 2)
    assert len(said(caplog)) == 1
    assert "rate_limited" in said(caplog)[0]


def test_retry_after_beyond_patience_does_not_wait(tmp_path: Path, fallback: InMemoryLogRecordExporter) -> None:
    with PodServer(tmp_path, replies=["rate_limited"], retry_after=3600) as pod:
        exporter = PodExporter(pod.path, fallback=fallback, patience=5)
        started = time.monotonic()
        exporter.export([envelope(0)])
        assert time.monotonic() - started < 2
        exporter.shutdown()
    assert fallen(fallback) == [0]


def test_shutdown_interrupts_the_wait_for_a_rate_limit(tmp_path: Path, fallback: InMemoryLogRecordExporter) -> None:
    with PodServer(tmp_path, replies=["rate_limited"] * 1000, retry_after=20) as pod:
        exporter = PodExporter(pod.path, fallback=fallback, patience=60)
        worker = threading.Thread(target=exporter.export, args=([envelope(0)],))
        worker.start()
        time.sleep(0.2)
        started = time.monotonic()
        exporter.shutdown()
        worker.join(5)
        assert not worker.is_alive()
        assert time.monotonic() - started < 1
    assert fallen(fallback) == [0]


def test_error_is_counted_told_and_not_sent_again(
    tmp_path: Path, exporter: PodExporter, fallback: InMemoryLogRecordExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with PodServer(tmp_path, replies=["error"] * 3) as pod:
        for seq in range(4):
            assert exporter.export([envelope(seq)]) is (FAILURE if seq < 3 else SUCCESS)
        assert seqs(pod.envelopes) == [3]
        assert len(pod.requests) == 4
    assert (exporter.counts.sent, exporter.counts.refused, exporter.counts.retried) == (1, 3, 0)
    assert exporter.counts.last_error == "not in the mood"
    assert fallen(fallback) == []
    assert len(said(caplog)) == 1
    assert "not in the mood" in said(caplog)[0]


def test_rejected_envelope_of_a_batch_is_refused_alone(
    tmp_path: Path, exporter: PodExporter, caplog: pytest.LogCaptureFixture
) -> None:
    with PodServer(tmp_path, replies=["reject"]) as pod:
        assert exporter.export(envelopes(4)) is FAILURE
        assert seqs(pod.envelopes) == [1, 2, 3]
    assert (exporter.counts.sent, exporter.counts.refused) == (3, 1)
    assert len(said(caplog)) == 1


def test_batch_refused_as_a_whole_is_sent_one_by_one(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["error", "ok", "error"]) as pod:
        assert exporter.export(envelopes(3)) is FAILURE
        assert seqs(pod.envelopes) == [0, 2]
        assert exporter.export(envelopes(3, first=3)) is SUCCESS
        assert pod.types[-1] == "agent_coat_batch"
    assert (exporter.counts.sent, exporter.counts.refused) == (5, 1)


@pytest.mark.parametrize(
    ("reply", "sent", "refused"),
    [
        (b'{"status":"ok"}\n', 3, 0),
        (b'{"status":"ok","accepted":1,"duplicates":2,"rejected":[]}\n', 3, 0),
        (b'{"status":"ok","accepted":1,"duplicates":0,"rejected":[]}\n', 1, 2),
        (b'{"status":"ok","accepted":2,"rejected":[{"index":7,"message":"no"},{"index":-1,"message":"no"}]}\n', 2, 1),
        (b'{"status":"ok","accepted":-5,"rejected":[]}\n', 0, 3),
    ],
)
def test_only_what_a_batch_reply_accounts_for_counts_as_delivered(
    tmp_path: Path, exporter: PodExporter, reply: bytes, sent: int, refused: int
) -> None:
    with PodServer(tmp_path, replies=[reply]):
        exporter.export(envelopes(3))
    assert (exporter.counts.sent, exporter.counts.refused) == (sent, refused)


@pytest.mark.parametrize("fault", ["garbage", "partial", "oversize", "close", "silence"])
def test_one_failure_is_made_good_by_sending_again(
    tmp_path: Path, exporter: PodExporter, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    with PodServer(tmp_path, replies=[fault]) as pod:
        assert exporter.export(envelopes(3)) is SUCCESS
        assert seqs(pod.envelopes) == [0, 1, 2]
    assert exporter.counts.sent == 3
    # A kept connection that is found closed is no failure: servers may do that.
    assert exporter.counts.retried == (0 if fault == "close" else 3)
    assert said(caplog) == []


@pytest.mark.parametrize("fault", ["garbage", "partial", "oversize", "close", "silence"])
def test_two_failures_in_a_row_go_to_the_fallback_with_one_warning(
    tmp_path: Path,
    exporter: PodExporter,
    fallback: InMemoryLogRecordExporter,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    with PodServer(tmp_path, replies=[fault] * (4 if fault == "close" else 2)) as pod:
        assert exporter.export(envelopes(3)) is SUCCESS
        assert fallen(fallback) == [0, 1, 2]
        assert exporter.counts.state == "down"
        assert len(said(caplog)) == 1
        assert pod.envelopes == []


def test_slow_server_is_waited_for(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["slow"]):
        assert exporter.export([envelope(0)]) is SUCCESS
    assert (exporter.counts.sent, exporter.counts.retried) == (1, 0)


def test_reply_that_trickles_in_is_bounded_by_the_timeout(tmp_path: Path) -> None:
    with PodServer(tmp_path, replies=["silence"] * 9) as pod:
        exporter = PodExporter(pod.path, timeout=0.3)
        started = time.monotonic()
        assert exporter.export([envelope(0)]) is FAILURE
        assert time.monotonic() - started < 2
        exporter.shutdown()
    assert exporter.counts.dropped == 1


def test_pod_that_comes_later_is_found(
    tmp_path: Path,
    exporter: PodExporter,
    fallback: InMemoryLogRecordExporter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    exporter.export([envelope(0)])
    with PodServer(tmp_path) as pod:
        deadline = time.monotonic() + 5
        seq = 1
        while not pod.envelopes and time.monotonic() < deadline:
            exporter.export([envelope(seq)])
            seq += 1
            time.sleep(0.02)
        assert pod.envelopes
        exporter.export([envelope(seq)])
        assert fallen(fallback) + seqs(pod.envelopes) == list(range(seq + 1))
    assert exporter.counts.state == "ready"
    messages = said(caplog, logging.INFO)
    assert len(messages) == 2
    assert "cannot connect" in messages[0]
    assert "InMemoryLogRecordExporter" in messages[0]
    assert "works again" in messages[1]


def test_down_pod_is_left_alone_between_probes(tmp_path: Path, fallback: InMemoryLogRecordExporter) -> None:
    exporter = PodExporter(str(tmp_path / "queue.sock"), fallback=fallback, backoff=Backoff(first=60))
    exporter.export([envelope(0)])
    with PodServer(tmp_path) as pod:
        started = time.monotonic()
        for seq in range(1, 200):
            exporter.export([envelope(seq)])
        assert time.monotonic() - started < 2
        assert pod.connections == 0
    exporter.shutdown()
    assert fallen(fallback) == list(range(200))


def test_outage_says_one_warning_however_long(
    tmp_path: Path, exporter: PodExporter, caplog: pytest.LogCaptureFixture
) -> None:
    for seq in range(30):
        exporter.export([envelope(seq)])
        time.sleep(0.01)
    assert len(said(caplog)) == 1


def test_pod_restarted_between_exports_loses_nothing(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        exporter.export(envelopes(2))
        pod.stop()
        pod.start()
        exporter.export(envelopes(2, first=2))
        assert seqs(pod.envelopes) == [0, 1, 2, 3]


def test_without_fallback_what_is_lost_is_counted(tmp_path: Path) -> None:
    exporter = PodExporter(str(tmp_path / "queue.sock"))
    assert exporter.export(envelopes(3)) is FAILURE
    assert exporter.counts.dropped == 3
    exporter.shutdown()


def test_path_too_long_for_a_socket_is_a_failure_like_any_other(fallback: InMemoryLogRecordExporter) -> None:
    exporter = PodExporter("/tmp/" + "x" * 300, fallback=fallback)
    assert exporter.export([envelope(0)]) is SUCCESS
    exporter.shutdown()
    assert fallen(fallback) == [0]


def test_large_batches_are_split_below_the_line_limit(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        assert exporter.export([envelope(seq, "x" * 300_000) for seq in range(10)]) is SUCCESS
        assert seqs(pod.envelopes) == list(range(10))
        batches = [request for request in pod.requests if request["type"] == "agent_coat_batch"]
        assert len(batches) == 3
        assert all(len(json.dumps(each)) < 1 << 20 for each in batches)


def test_odd_bodies_are_sent_or_refused_alone(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        bodies = ["no json at all", '{"seq": 1,\n "x": "é\ud800"}', {"seq": 2}, '{"seq": 3}', None]
        assert exporter.export([record(body) for body in bodies]) is FAILURE
        assert seqs(pod.envelopes) == [1, 2, 3]
    assert (exporter.counts.sent, exporter.counts.refused) == (3, 2)


def test_envelope_that_breaks_a_batch_is_found(tmp_path: Path, exporter: PodExporter) -> None:
    # The server can't parse the batch as a whole: it answers one error, and each envelope gets its own verdict.
    with PodServer(tmp_path, replies=["error", "ok", "error", "ok"]) as pod:
        exporter.export(envelopes(3))
        assert seqs(pod.envelopes) == [0, 2]


def test_child_has_a_connection_of_its_own(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        exporter.export([envelope(0)])

        def child() -> None:
            assert exporter.counts.sent == 0
            assert exporter.export([envelope(1)]) is SUCCESS
            exporter.shutdown()

        assert in_child(child) == 0
        exporter.export([envelope(2)])
        pod.wait_for(3)
        assert seqs(pod.envelopes) == [0, 1, 2]
        assert pod.connections == 2
        assert pod.senders[0] == pod.senders[2] == os.getpid() != pod.senders[1]
    assert exporter.counts.sent == 2


def test_fork_during_an_export_leaves_both_processes_whole(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path, replies=["slow"] * 3) as pod:
        worker = threading.Thread(target=exporter.export, args=(envelopes(3),))
        worker.start()
        time.sleep(0.1)

        def child() -> None:
            assert exporter.export([envelope(7)]) is SUCCESS

        assert in_child(child) == 0
        worker.join(5)
        assert sorted(seqs(pod.wait_for(4)), key=str) == [0, 1, 2, 7]


def test_shutdown_interrupts_a_server_that_never_answers(tmp_path: Path, fallback: InMemoryLogRecordExporter) -> None:
    with PodServer(tmp_path, replies=["silence"] * 9) as pod:
        exporter = PodExporter(pod.path, fallback=fallback, timeout=30)
        worker = threading.Thread(target=exporter.export, args=([envelope(0)],))
        worker.start()
        time.sleep(0.2)
        started = time.monotonic()
        exporter.shutdown()
        worker.join(5)
        assert time.monotonic() - started < 1
    assert fallen(fallback) == [0]
    assert exporter.counts.state == "closed"


def test_after_shutdown_envelopes_are_counted_as_dropped(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        exporter.shutdown()
        exporter.shutdown()
        assert exporter.export(envelopes(2)) is FAILURE
        assert pod.connections == 0
    assert exporter.counts.dropped == 2


def test_threads_take_turns(tmp_path: Path, exporter: PodExporter) -> None:
    with PodServer(tmp_path) as pod:
        threads = [threading.Thread(target=exporter.export, args=(envelopes(5, first=n * 5),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(seqs(pod.envelopes), key=int) == list(range(40))  # type: ignore[arg-type]
        assert pod.connections == 1
