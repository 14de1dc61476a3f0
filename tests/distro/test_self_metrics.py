"""What aotel measures of itself: names, units and attributes as documented, the same numbers as `status()`."""

from __future__ import annotations

import gc
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SpanExportResult

import aotel
from aotel.distro import recording_to
from aotel.distro.configuration import STATE
from aotel.distro.ledger import Component, Ledger
from aotel.distro.self_metrics import SelfMetrics
from aotel.export import Backoff, FileExporter, PodExporter, otlp_span_exporter
from aotel.export.spans import Destination
from aotel.pipeline import waiting as waiting_module
from aotel.pipeline.costs import Costs
from aotel.semconv.metrics import METRICS
from tests.export import records
from tests.servers import OtlpReceiver, PodServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.sdk._logs import ReadableLogRecord

    from aotel.pipeline import Pipeline
    from tests.distro.programs import Programs

UNITS = {metric.name: metric.unit for metric in METRICS}
KINDS = {
    "counter": {"processed", "exported", "retried"},
    "updowncounter": {"size", "capacity", "content", "inflight", "spooled"},
    "histogram": {"duration"},
}


class Measured:
    """A meter provider that measures aotel, with its own numbers of exporters."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])
        self.envelopes, self.spans = Ledger(), Ledger()
        SelfMetrics(self.provider, pipeline, self.envelopes, self.spans)

    def points(self) -> dict[tuple[str, str, str, str], Any]:
        """Return the data points by metric, component, `error.type` and `aot.phase`."""
        data = self._reader.get_metrics_data()
        found: dict[tuple[str, str, str, str], Any] = {}
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics if scope.scope.name == "aotel" else ():
                    assert metric.unit == UNITS[metric.name]
                    for point in metric.data.data_points:
                        said = dict(point.attributes or {})
                        assert said.pop("otel.component.type")
                        key = (
                            metric.name,
                            str(said.pop("otel.component.name")),
                            str(said.pop("error.type", "")),
                            str(said.pop("aot.phase", "")),
                        )
                        assert not said
                        assert key not in found
                        found[key] = point
        return found

    def values(self) -> dict[tuple[str, str, str, str], float]:
        """Return what is no histogram, without zeros."""
        points = {key: point.value for key, point in self.points().items() if not key[0].endswith("duration")}
        return {key: value for key, value in points.items() if value}


@pytest.fixture
def measured() -> Iterator[Measured]:
    with recording_to(None):
        assert STATE.pipeline is not None
        former = STATE.pipeline.costs.listener
        found = Measured(STATE.pipeline)
        try:
            yield found
        finally:
            STATE.pipeline.costs.listener = former
            found.provider.shutdown()


@aotel.coat("tool")
def work(text: str) -> str:
    return text


class Hanging(LogRecordExporter):
    """Waits until it is let go, then fails."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.release.wait(30)
        raise OSError(len(batch))

    def shutdown(self) -> None:
        self.release.set()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return timeout_millis > 0


def test_queue_losses_and_times(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_module, "QUEUE_LIMIT", 50)
    monkeypatch.setenv("AOTEL_FLUSH", "off")  # the worker is to find what waits when somebody flushes, and not before
    exporter = Hanging()
    before = measured.values()
    with recording_to(exporter, inline=False):
        for number in range(100):
            work(f"text {number}")
        full = measured.values()
        status = aotel.status()
        exporter.release.set()
        assert aotel.flush(20)
        after = measured.values()
        points = measured.points()
        ended = aotel.status()
    queue = "otel.sdk.processor.log.queue.size", "envelopes", "", ""
    assert full[queue] == status.queued > 40
    assert full["aotel.processor.log.queue.content", "envelopes", "", ""] == status.queued_size > 0
    assert full["otel.sdk.processor.log.queue.capacity", "envelopes", "", ""] == 65_536

    def processed(phase: str = "") -> tuple[str, str, str, str]:
        return "otel.sdk.processor.log.processed", "envelopes", "queue_full" if phase else "", phase

    for phase in ("start", "end"):
        assert full[processed(phase)] == getattr(status.dropped_by_kind, phase) > 0
    assert queue not in after
    handed = after[processed()] - before.get(processed(), 0)
    lost = sum(after[processed(phase)] - before.get(processed(phase), 0) for phase in ("start", "end"))
    assert handed + lost == 200
    failed = points["otel.sdk.exporter.operation.duration", "Hanging", "OSError", ""]
    encoded = points["aotel.processor.log.encode.duration", "envelopes", "", ""]
    assert failed.count == encoded.count >= 1
    assert failed.sum <= ended.export_seconds - status.export_seconds + 0.001
    assert 0 < encoded.sum <= ended.encode_seconds + 0.001


def test_exporters_of_envelopes(measured: Measured, tmp_path: Path) -> None:
    rest = FileExporter(str(tmp_path / "rest"))
    with PodServer(tmp_path, replies=["reject", "rate_limited"], retry_after=0.01, batches=False) as pod:
        exporter = PodExporter(pod.path, fallback=rest, timeout=1, backoff=Backoff(first=60))
        blocked = FileExporter(str(tmp_path / "no" / "\0"))
        measured.envelopes.follow([exporter, rest, Hanging()])
        for envelope in records.envelopes(4):
            exporter.export([envelope])
    exporter.export(records.envelopes(3))
    values, counts = measured.values(), exporter.counts
    exported = "otel.sdk.exporter.log.exported"
    assert values[exported, "pod", "", ""] == counts.sent == 3
    assert values[exported, "pod", "rejected", ""] == counts.refused == 1
    assert values[exported, "pod", "diverted", ""] == counts.diverted == 3
    assert values["aotel.exporter.log.retried", "pod", "", ""] == counts.retried >= 1
    assert values[exported, rest.name, "", ""] == 3
    blocked.shutdown()
    exporter.shutdown()


def test_what_waits_in_an_exporter_and_what_it_drops(measured: Measured, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    exporter = FileExporter(str(tmp_path / "file" / "below"))
    measured.envelopes.follow([exporter])
    exporter.export(records.envelopes(5))
    exporter.counts.spooled = 2  # what a spool is to fill in
    values = measured.values()
    assert values["otel.sdk.exporter.log.inflight", exporter.name, "", ""] == exporter.counts.waiting == 5
    assert values["aotel.exporter.log.retried", exporter.name, "", ""] == 5
    assert values["aotel.exporter.log.spooled", exporter.name, "", ""] == 2
    exporter.shutdown()
    values = measured.values()
    assert values["otel.sdk.exporter.log.exported", exporter.name, "dropped", ""] == 5
    assert ("otel.sdk.exporter.log.inflight", exporter.name, "", "") not in values


def test_span_exporters(measured: Measured) -> None:
    with OtlpReceiver(statuses=["OK", "INVALID_ARGUMENT"]) as receiver:
        phoenix = Destination("phoenix (somewhere)")
        exporter = otlp_span_exporter("grpc", destination=phoenix, endpoint=receiver.endpoint, insecure=True)
        measured.spans.follow([exporter])
        assert exporter.export([records.span()] * 3) is SpanExportResult.SUCCESS
        assert exporter.export([records.span()] * 2) is SpanExportResult.FAILURE
        exporter.shutdown()
    values = measured.values()
    assert values["otel.sdk.exporter.span.exported", "phoenix", "", ""] == 3
    assert values["otel.sdk.exporter.span.exported", "phoenix", "rejected", ""] == 2
    assert (exporter.counts.sent, exporter.counts.refused, exporter.counts.state) == (3, 2, "closed")


def test_numbers_never_go_back_however_often_exporters_come_and_go(tmp_path: Path) -> None:
    ledger = Ledger()
    component = Component(f"file:{tmp_path / 'x'}", "aotel.export.file.FileExporter")
    kept = FileExporter(str(tmp_path / "x"))
    sent = 0
    for number in range(1, 6):
        fresh = FileExporter(str(tmp_path / "x"))
        ledger.follow([fresh, kept] if number % 2 else [fresh])
        assert ledger.totals()[component]["sent"] == sent
        for exporter in (fresh, kept) if number % 2 else (fresh,):
            exporter.export(records.envelopes(number))
            sent += number
        assert ledger.totals()[component]["sent"] == sent
        fresh.shutdown()
        del fresh, exporter
        gc.collect()
    ledger.follow([])
    assert ledger.totals()[component]["sent"] == sent
    kept.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_counts_from_nothing(tmp_path: Path) -> None:
    ledger, costs = Ledger(), Costs()
    gone, here = FileExporter(str(tmp_path / "gone")), FileExporter(str(tmp_path / "here"))
    ledger.follow([gone, here])
    gone.export(records.envelopes(3))
    here.export(records.envelopes(4))
    ledger.follow([here])
    costs.made(7, 1.0)

    def look() -> None:
        assert {component.name: numbers["sent"] for component, numbers in ledger.totals().items()} == {here.name: 0}
        here.export(records.envelopes(2))
        assert sum(numbers["sent"] for numbers in ledger.totals().values()) == 2
        assert (costs.handed, costs.encode_seconds) == (0, 0.0)

    assert records.in_child(look) == 0
    assert sum(numbers["sent"] for numbers in ledger.totals().values()) == 7


def test_a_fault_of_ours_does_not_end_the_collection_of_others(measured: Measured) -> None:
    measured.envelopes.totals = lambda: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    assert ("otel.sdk.processor.log.queue.capacity", "envelopes", "", "") in measured.values()


OVER_OTLP = """
    import json, os, sys
    import aotel
    from opentelemetry import metrics

    @aotel.coat("tool")
    def work(name):
        return name

    work("first")
    aotel.flush()
    aotel.configure()
    aotel.configure(session_id="other")
    work("second")
    aotel.flush()
    metrics.get_meter_provider().force_flush()
    print(json.dumps([aotel.status().sent, aotel.status().span_exporters[0].sent]))
"""


def test_over_otlp_under_auto_start_however_often_it_is_configured(programs: Programs) -> None:
    with OtlpReceiver(metrics=True) as receiver:
        ended = programs.run(OVER_OTLP, environment={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
        assert ended.untouched, ended.stderr
        points = [point for point in receiver.wait_for_points(1) if point.scope == "aotel"]
    assert {point.name for point in points} == {metric.name for metric in METRICS}
    for point in points:
        assert point.unit == UNITS[point.name]
        kind = "histogram" if point.kind == "histogram" else "counter" if point.monotonic else "updowncounter"
        assert point.name.rpartition(".")[2] in KINDS[kind]
    last = {
        (point.name, str(point.attributes["otel.component.name"])): point.value
        for point in points
        if "error.type" not in point.attributes
    }
    file = next(name for _, name in last if name.startswith("file:"))
    assert last["otel.sdk.exporter.log.exported", file] == 4
    assert last["otel.sdk.processor.log.processed", "envelopes"] == 4
    assert last["otel.sdk.exporter.span.exported", "spans"] == 2
    sent_since_it_was_configured, spans_sent = json.loads(ended.stdout)
    assert (sent_since_it_was_configured, spans_sent) == (2, 2)


def test_a_provider_that_the_program_sets_later_measures_too(programs: Programs) -> None:
    ended = programs.run(
        """
        import aotel
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        @aotel.coat("tool")
        def work(name):
            return name

        work("before")
        aotel.flush()
        reader = InMemoryMetricReader()
        metrics.set_meter_provider(MeterProvider([reader]))
        aotel.configure()
        work("after")
        aotel.flush()
        scopes = [scope for each in reader.get_metrics_data().resource_metrics for scope in each.scope_metrics]
        (ours,) = [scope for scope in scopes if scope.scope.name == "aotel"]
        for metric in ours.metrics:
            if metric.name == "otel.sdk.exporter.log.exported":
                print([point.value for point in metric.data.data_points])
        """,
        instrumented=False,
    )
    assert (ended.stdout, ended.stderr, ended.code) == ("[4]\n", "", 0)
