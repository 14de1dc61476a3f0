"""What all exporters share: no exception, no own spans, signal handlers, the end."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.sdk._logs.export import LogRecordExportResult

from aotel.export import EnvelopeExporter
from aotel.export.exporter import envelope_line
from tests.export.records import envelopes, in_child, record, said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest
    from opentelemetry.sdk._logs import ReadableLogRecord


class Probe(EnvelopeExporter):
    """An exporter that runs what a test wants to see run inside."""

    def __init__(self, action: Callable[[Sequence[ReadableLogRecord]], bool]) -> None:
        super().__init__("probe")
        self._action = action
        self.closed = 0

    def _deliver(self, batch: Sequence[ReadableLogRecord]) -> bool:
        return self._action(batch)

    def _flush(self) -> bool:
        return self._action(())

    def _close(self) -> None:
        self.closed += 1


def test_io_is_not_instrumented() -> None:
    seen: list[bool] = []

    def action(_: Sequence[ReadableLogRecord]) -> bool:
        seen.append(is_instrumentation_enabled())
        return True

    exporter = Probe(action)
    assert exporter.export([]) is LogRecordExportResult.SUCCESS
    assert exporter.force_flush()
    assert seen == [False, False]
    assert is_instrumentation_enabled()


def test_exception_is_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    exporter = Probe(lambda _: 1 // 0 == 0)
    for _ in range(3):
        assert exporter.export(envelopes(2)) is LogRecordExportResult.FAILURE
    assert not exporter.force_flush()
    assert exporter.counts.dropped == 6
    assert len(said(caplog)) == 1


def test_signal_handler_that_exports_during_an_export_does_not_deadlock() -> None:
    order: list[int] = []

    def action(batch: Sequence[ReadableLogRecord]) -> bool:
        order.append(len(batch))
        if len(batch) == 2:
            assert exporter.export(envelopes(3)) is LogRecordExportResult.SUCCESS
            assert not exporter.force_flush()
            assert order == [2]
        return True

    exporter = Probe(action)
    exporter.export(envelopes(2))
    assert order == [2, 3]


def test_shutdown_from_within_an_export_closes_after_it() -> None:
    seen: list[int] = []

    def action(_: Sequence[ReadableLogRecord]) -> bool:
        exporter.shutdown()
        seen.append(exporter.closed)
        return True

    exporter = Probe(action)
    exporter.export([])
    assert seen == [0]
    assert exporter.closed == 1


def test_shutdown_does_not_wait_for_an_export_that_hangs() -> None:
    release = threading.Event()
    exporter = Probe(lambda _: release.wait(10))
    worker = threading.Thread(target=exporter.export, args=([],))
    worker.start()
    time.sleep(0.05)
    started = time.monotonic()
    exporter.shutdown()
    assert time.monotonic() - started < 2
    assert exporter.closed == 0
    release.set()
    worker.join(5)
    assert exporter.closed == 1


def test_force_flush_gives_up_on_a_busy_exporter() -> None:
    release = threading.Event()
    exporter = Probe(lambda _: release.wait(10))
    worker = threading.Thread(target=exporter.export, args=([],))
    worker.start()
    time.sleep(0.05)
    assert not exporter.force_flush(timeout_millis=50)
    release.set()
    worker.join(5)


def test_lock_held_while_forking_does_not_hang_the_child() -> None:
    release = threading.Event()
    exporter = Probe(lambda batch: bool(batch) or release.wait(10))
    worker = threading.Thread(target=exporter.export, args=([],))
    worker.start()
    time.sleep(0.05)

    def child() -> None:
        assert exporter.export(envelopes(1)) is LogRecordExportResult.SUCCESS

    assert in_child(child, timeout=5) == 0
    release.set()
    worker.join(5)


def test_envelope_is_one_line_of_utf8() -> None:
    assert envelope_line(record('{"a":\r\n "é\udc80"}')) == '{"a":   "é?"}'.encode()
    assert envelope_line(record({"a": 1})) == b'{"a": 1}'
