"""The bounded batch processor: delivers like the stock one, and ends in time whatever the receiver does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aotel.export import bounded_batch_processor, otlp_span_exporter
from tests.export.records import in_child, said
from tests.servers import BlackHole, OtlpHttpReceiver, OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import SpanProcessor

_PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from aotel.export import bounded_batch_processor, otlp_span_exporter
from aotel.settings import load
provider = TracerProvider()
provider.add_span_processor(bounded_batch_processor(otlp_span_exporter(load().otlp_traces_protocol), flush_timeout=1.5))
tracer = provider.get_tracer("test")
for number in range(20):
    tracer.start_span(str(number)).end()
print("done", flush=True)
"""


def run(endpoint: str, protocol: str = "grpc") -> tuple[float, str]:
    """Run a program that ends with spans to send; return the seconds that took, and its stderr."""
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
    }
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    with program:
        assert program.stdout.readline() == "done\n"
        started = time.monotonic()
        stderr = program.communicate(timeout=30)[1]
        took = time.monotonic() - started
    assert program.returncode == 0
    return took, stderr


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    made = TracerProvider(shutdown_on_exit=False)
    yield made
    made.shutdown()


def work(provider: TracerProvider, spans: int = 20) -> None:
    tracer = provider.get_tracer("test")
    for number in range(spans):
        tracer.start_span(str(number)).end()


def to(receiver: OtlpReceiver | BlackHole, *, flush_timeout: float = 0.5) -> SpanProcessor:
    return bounded_batch_processor(otlp_span_exporter("grpc", endpoint=receiver.endpoint), flush_timeout)


def test_spans_are_delivered_at_flush_and_at_shutdown(provider: TracerProvider) -> None:
    with OtlpReceiver() as receiver:
        provider.add_span_processor(to(receiver, flush_timeout=5))
        work(provider, 3)
        assert provider.force_flush(5_000)
        assert len(receiver.spans) == 3
        work(provider, 3)
        provider.shutdown()
        assert len(receiver.spans) == 6


def test_it_is_a_batch_span_processor_and_reads_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    exporter = InMemorySpanExporter()
    processor = bounded_batch_processor(exporter)
    assert isinstance(processor, BatchSpanProcessor)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    work(provider, 3)
    deadline = time.monotonic() + 5
    while not exporter.get_finished_spans() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(exporter.get_finished_spans()) == 3
    provider.shutdown()


@pytest.mark.parametrize("black_hole", [True, False])
def test_shutdown_takes_the_flush_timeout_at_most(
    provider: TracerProvider, black_hole: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with BlackHole() as hole:
        provider.add_span_processor(to(hole if black_hole else OtlpReceiver()))
        work(provider)
        started = time.monotonic()
        provider.shutdown()
        assert time.monotonic() - started < 1.5
    assert len(said(caplog)) <= 1


@pytest.mark.parametrize("black_hole", [True, False])
def test_flush_takes_its_timeout_at_most(provider: TracerProvider, black_hole: bool) -> None:
    with BlackHole() as hole:
        processor = to(hole if black_hole else OtlpReceiver())
        provider.add_span_processor(processor)
        work(provider)
        started = time.monotonic()
        assert not processor.force_flush(300)
        assert time.monotonic() - started < 1
        provider.shutdown()


def test_flush_after_shutdown_is_false(provider: TracerProvider) -> None:
    processor = bounded_batch_processor(InMemorySpanExporter())
    processor.shutdown()
    assert not processor.force_flush(100)


def test_outage_is_one_warning_however_many_spans(
    provider: TracerProvider, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "50")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    exporter = otlp_span_exporter("grpc", endpoint=OtlpReceiver().endpoint, timeout=0.2)
    provider.add_span_processor(bounded_batch_processor(exporter, 0.5))
    deadline = time.monotonic() + 5
    while not exporter.down and time.monotonic() < deadline:
        work(provider, 1)
        time.sleep(0.02)
    work(provider, 500)
    provider.shutdown()
    assert len(said(caplog)) == 1


def test_child_delivers_its_spans(provider: TracerProvider) -> None:
    with OtlpReceiver() as receiver:
        provider.add_span_processor(to(receiver, flush_timeout=5))
        work(provider, 2)
        assert provider.force_flush(5_000)

        def child() -> None:
            work(provider, 3)
            provider.shutdown()

        assert in_child(child) == 0
        work(provider, 4)
        provider.shutdown()
        assert len(receiver.spans) == 9


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_program_with_a_receiver_loses_nothing_at_its_end(protocol: str) -> None:
    with OtlpReceiver() if protocol == "grpc" else OtlpHttpReceiver() as receiver:
        _, stderr = run(receiver.endpoint, protocol)
        assert len(receiver.spans) == 20
    assert stderr == ""


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
@pytest.mark.parametrize("black_hole", [True, False])
def test_program_without_a_receiver_ends_in_time(protocol: str, black_hole: bool) -> None:
    with BlackHole() as hole:
        took, stderr = run(hole.endpoint if black_hole else OtlpReceiver().endpoint, protocol)
    assert took < 4
    assert len(stderr.splitlines()) <= 1
    assert "Traceback" not in stderr
