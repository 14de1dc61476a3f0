"""The end of a root span: what waits goes out in the background, or, on a serverless platform, before it returns."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from aotel.export import bounded_batch_processor
from aotel.export.soon import Soon
from tests.lifecycle.processes import WORK, results
from tests.pod.pod_process import PodProcess, wait_until
from tests.servers import BlackHole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.lifecycle.processes import Launcher
    from tests.servers import OtlpReceiver

HANDLER = """
    def handler(name):
        with aotel.step("invocation"):
            return work(name)
"""
FROZEN = """
    import json
    handler("warm")  # what is imported once
    for number in range(3):
        handler(f"call {number}")
        os.kill(os.getpid(), signal.SIGSTOP)  # as the platform does between two invocations
"""


class Requests(SpanExporter):
    """Counts the requests that it is asked for, and their spans."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.sizes.append(len(spans))
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing to close."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's signature
        return True


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual interval of spans is a minute."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "60000")


def test_a_root_span_is_sent_soon_with_what_was_inside(far_away: None) -> None:
    exporter, provider = Requests(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(bounded_batch_processor(exporter))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("root"):
        for _ in range(4):
            tracer.start_span("inner").end()
        time.sleep(0.3)
        assert not exporter.sizes
    wait_until(lambda: exporter.sizes == [5])
    provider.shutdown()


def test_many_root_spans_are_few_requests(far_away: None) -> None:
    exporter, provider = Requests(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(bounded_batch_processor(exporter))
    tracer = provider.get_tracer("test")
    for _ in range(500):
        tracer.start_span("root").end()
        time.sleep(0.001)
    before = len(exporter.sizes)
    provider.shutdown()
    assert sum(exporter.sizes) == 500
    assert 0 < before < 50


def test_what_is_asked_for_during_a_turn_and_a_pause_has_a_turn_of_its_own() -> None:
    turns: list[int] = []
    may_go_on = threading.Event()

    def action() -> None:
        turns.append(1)
        may_go_on.wait(10)

    soon = Soon(action, pause=0.1)
    soon.ask()
    wait_until(lambda: len(turns) == 1)
    for _ in range(100):
        soon.ask()
    may_go_on.set()
    wait_until(lambda: len(turns) == 2)
    soon.ask()
    wait_until(lambda: len(turns) == 3)
    time.sleep(0.3)
    assert len(turns) == 3
    soon.stop()
    soon.ask()
    time.sleep(0.2)
    assert len(turns) == 3


def test_now_does_not_wait_for_the_pause() -> None:
    turns: list[int] = []
    soon = Soon(lambda: turns.append(1), pause=60)
    soon.ask()
    wait_until(lambda: len(turns) == 1)
    soon.ask()
    soon.now()
    wait_until(lambda: len(turns) == 2)
    soon.stop()


@pytest.mark.skipif(os.name != "posix", reason="this system has no such signal")
def test_a_killed_program_has_sent_its_root_spans(launcher: Launcher, receiver: OtlpReceiver) -> None:
    with PodProcess() as pod:
        variables = {"AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue}
        program = 'work("a"); time.sleep(1.2); work("b"); say("ready"); time.sleep(60)'
        with launcher.python(WORK, program, **variables) as running:
            assert running.read() == "ready"
            wait_until(lambda: results(receiver.spans) == ["a", "b"])
            running.send(signal.SIGKILL)
            assert running.wait() == -signal.SIGKILL
        assert len(pod.envelopes()) == 4


def test_switched_off_nothing_is_sent_before_its_time(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = 'work("a"); say("ready"); time.sleep(2); say("slept")'
    with launcher.python(WORK, program, AOTEL_FLUSH="off") as running:
        assert [running.read(), running.read()] == ["ready", "slept"]
        assert not receiver.spans
        assert running.wait() == 0
    assert results(receiver.spans) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="this system has no such signal")
@pytest.mark.parametrize(
    "platform",
    [{"AWS_LAMBDA_FUNCTION_NAME": "answer"}, {"K_SERVICE": "answer"}, {"AOTEL_FLUSH": "wait"}],
    ids=lambda platform: next(iter(platform)),
)
def test_everything_is_delivered_before_the_handler_returns(
    launcher: Launcher, receiver: OtlpReceiver, platform: dict[str, str]
) -> None:
    with PodProcess() as pod:
        variables = {**platform, "AOTEL_ENVELOPES": "pod", "ENVPOD_SOCKET": pod.queue}
        with launcher.python(WORK, HANDLER, FROZEN, **variables) as running:
            for number in range(3):
                _, status = os.waitpid(running.process.pid, os.WUNTRACED)
                assert os.WIFSTOPPED(status), running.stderr
                # It is stopped: whatever is there now came before the handler returned.
                assert results(receiver.spans) == [*(f"call {made}" for made in range(number + 1)), "warm"]
                assert len(pod.envelopes()) == 4 * (number + 2)
                running.send(signal.SIGCONT)
            assert running.wait() == 0
            assert running.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="this system has no such signal")
def test_spans_of_a_programs_own_exporter_too(launcher: Launcher, receiver: OtlpReceiver) -> None:
    own = """
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider()
        aotel.configure(tracer_provider=provider)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))  # comes after ours
    """
    variables = {"AOTEL_FLUSH": "wait", "OTEL_TRACES_EXPORTER": "none"}
    with launcher.python(WORK, HANDLER, own, FROZEN, **variables) as running:
        _, status = os.waitpid(running.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), running.stderr
        assert results(receiver.spans) == ["call 0", "warm"]
        running.send(signal.SIGKILL)


def test_a_receiver_that_says_nothing_is_waited_for_once(launcher: Launcher) -> None:
    program = """
        aotel.configure(flush_timeout=1.0)
        begin = time.monotonic()
        handler("a")
        first = time.monotonic() - begin
        begin = time.monotonic()
        for _ in range(20):
            handler("b")
        say(first, time.monotonic() - begin)
        os._exit(0)
    """
    with (
        BlackHole() as hole,
        launcher.python(
            WORK, HANDLER, program, OTEL_EXPORTER_OTLP_ENDPOINT=hole.endpoint, AOTEL_FLUSH="wait"
        ) as running,
    ):
        first, others = map(float, running.read().split())
        assert 0.8 < first < 5
        assert others < 10  # and not twenty times as long
        assert running.stderr.count("waited 1 s") == 1


def test_a_root_span_that_the_worker_ends_does_not_wait_for_itself(launcher: Launcher, receiver: OtlpReceiver) -> None:
    program = """
        import gc

        @aotel.coat("tool")
        def endless():
            while True:
                yield 1

        work("first")
        cycle = [endless()]
        next(cycle[0])
        cycle.append(cycle)
        del cycle
        begin = time.monotonic()
        gc.collect()
        aotel.flush(20)
        say(time.monotonic() - begin)
    """
    with launcher.python(WORK, program, AOTEL_FLUSH="wait", AOTEL_ENVELOPES="file:envelopes.jsonl") as running:
        assert float(running.read()) < 4
        assert running.wait() == 0
        assert running.stderr == ""
    lines = [json.loads(line) for line in (launcher.directory / "envelopes.jsonl").read_text().splitlines()]
    assert [line["payload"].get("outcome") for line in lines].count("abandoned") == 1
