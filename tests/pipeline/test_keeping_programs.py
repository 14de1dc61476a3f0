"""AOTEL_KEEP=errors in whole programs: whoever exports, and however the program ends."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import Programs
from tests.envelope_schema import assert_paired
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.distro.programs import Ended

RUNS = """
    import asyncio
    import contextlib
    import aotel

    @aotel.coat("tool")
    def tool(number, fails=False):
        if fails:
            raise ValueError(f"no {number}")
        return number

    @aotel.coat("agent")
    def agent(number, fails=False):
        tool(number)
        with contextlib.suppress(ValueError):
            tool(number, fails)
        return tool(number)

    def run():
        for number in range(20):
            agent(number, fails=number in (7, 13))
"""
"""Twenty runs of four spans; two handle a failure of a tool, and end well."""


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as found:
        yield found


@pytest.fixture
def programs(tmp_path: Path, receiver: OtlpReceiver) -> Programs:
    return Programs(
        tmp_path,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_SAMPLER": "always_off",
            "AOTEL_KEEP": "errors",
            "PYTHONWARNINGS": "ignore::DeprecationWarning",  # Python 3.12's of forks
        },
    )


def assert_two_runs(receiver: OtlpReceiver, ended: Ended) -> None:
    assert (ended.code, ended.stderr) == (0, "")
    assert sorted(Counter(span.trace_id for span in receiver.spans).values()) == [4, 4]
    inputs = {span.attributes["input.value"] for span in receiver.spans if span.name == "agent"}
    assert inputs == {'{"number":7,"fails":true}', '{"number":13,"fails":true}'}
    by_id = {span.span_id: span for span in receiver.spans}
    for span in receiver.spans:
        assert (span.parent_span_id == "") is (span.name == "agent")
        assert span.name == "agent" or by_id[span.parent_span_id].name == "agent"


@pytest.mark.parametrize("envelopes", ["", "none"])
@pytest.mark.parametrize("instrumented", [True, False])
def test_runs_that_failed_are_exported_and_envelopes_stay_complete(
    instrumented: bool, envelopes: str, programs: Programs, receiver: OtlpReceiver
) -> None:
    environment = {"AOTEL_ENVELOPES": envelopes} if envelopes else {}
    ended = programs.run(RUNS, "run()", instrumented=instrumented, environment=environment)
    assert_two_runs(receiver, ended)
    assert len(ended.envelopes) == (0 if envelopes else 20 * 4 * 2)
    assert_paired(ended.envelopes)


def test_off_is_the_default(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(RUNS, "run()", instrumented=False, environment={"AOTEL_KEEP": ""})
    assert (ended.code, ended.stderr, len(receiver.spans)) == (0, "", 0)


def test_backends_by_name_get_them(programs: Programs, receiver: OtlpReceiver) -> None:
    environment = {
        "AOTEL_BACKEND": "phoenix",
        "PHOENIX_COLLECTOR_ENDPOINT": "http://127.0.0.1:6006",
        "PHOENIX_GRPC_PORT": str(receiver.port),
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    }
    ended = programs.run(RUNS, "run()", instrumented=False, environment=environment)
    assert_two_runs(receiver, ended)


FOREIGN = """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
    from aotel.pipeline import AuditSampler
    trace.set_tracer_provider(TracerProvider(sampler={sampler}))
    trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter(insecure=True)))
"""


def test_a_provider_of_the_program_whose_sampler_is_wrapped(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(FOREIGN.format(sampler="AuditSampler(ALWAYS_OFF)"), RUNS, "run()", instrumented=False)
    assert_two_runs(receiver, ended)


def test_a_provider_of_the_program_that_drops_is_warned_about(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(
        FOREIGN.format(sampler="ALWAYS_OFF"),
        RUNS,
        "run()",
        instrumented=False,
        environment={"AOTEL_ENVELOPES": "none"},
    )
    assert (ended.code, len(receiver.spans)) == (0, 0)
    assert ended.stderr.count("AOTEL_KEEP can't keep") == 1
    assert "envelopes" not in ended.stderr


def test_exporters_that_the_program_adds_to_our_provider(programs: Programs) -> None:
    ended = programs.run(
        RUNS,
        """
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        exporter = InMemorySpanExporter()
        handle = aotel.configure()
        handle.provider.add_span_processor(SimpleSpanProcessor(exporter))
        run()
        assert handle.flush()
        print(len(exporter.get_finished_spans()))
        kept = aotel.status().keeping
        print(kept.exported, kept.exported_spans, kept.forgotten, kept.waiting, kept.bytes, kept.given_up, kept.limit)
        """,
        instrumented=False,
        environment={"AOTEL_KEEP_MAX_BYTES": "5000000"},
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == "8\n2 8 18 0 0 0 5000000\n"


@pytest.mark.parametrize("ending", ["sys.exit(0)", "sys.exit(3)", "raise RuntimeError"])
def test_a_run_that_is_open_at_the_end(ending: str, programs: Programs, receiver: OtlpReceiver) -> None:
    program = f"""
        import sys

        well = aotel.step("open")
        well.__enter__()
        tool(1)
        well.__exit__(None, None, None)

        block = aotel.step("open")
        block.__enter__()
        tool(2)
        with contextlib.suppress(ValueError):
            tool(3, fails=True)
        {ending}
    """
    ended = programs.run(RUNS, program, instrumented=False)
    assert ended.code == {"sys.exit(0)": 0, "sys.exit(3)": 3}.get(ending, 1)
    # Its root has not ended, so nobody can have it; the failure in it, and what came before, is there.
    assert [span.name for span in receiver.spans if span.attributes["input.value"] == '{"number":2}'] == ["tool"]
    assert len(receiver.spans) == 2


def test_what_is_no_error_keeps_nothing(programs: Programs, receiver: OtlpReceiver) -> None:
    program = """
        @aotel.coat("tool")
        async def cancelled():
            raise asyncio.CancelledError

        @aotel.coat("tool")
        def stopped():
            yield 1
            raise GeneratorExit

        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(cancelled())
        with contextlib.suppress(GeneratorExit):
            list(stopped())
        next(stopped())
    """
    ended = programs.run(RUNS, program, instrumented=False)
    assert (ended.code, ended.stderr) == (0, "")
    assert [span.name for span in receiver.spans] == []


def test_a_large_run_is_exported_whole_at_the_end(programs: Programs, receiver: OtlpReceiver) -> None:
    program = """
        @aotel.coat("agent")
        def large():
            for number in range(3000):
                tool(number)
            tool(0, fails=True)

        large()
    """
    ended = programs.run(RUNS, program, instrumented=False, environment={"AOTEL_ENVELOPES": "none"})
    assert ended.code == 1
    assert len(receiver.spans) == 3002


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_of_multiprocessing_export_what_failed_in_them(programs: Programs, receiver: OtlpReceiver) -> None:
    program = """
        import multiprocessing

        @aotel.coat("agent")
        def parent():
            tool(100)
            children = [multiprocessing.get_context("fork").Process(target=agent, args=(n, n == 1)) for n in range(3)]
            for child in children:
                child.start()
            for child in children:
                child.join()

        parent()
    """
    ended = programs.run(RUNS, program, instrumented=False)
    assert (ended.code, ended.stderr) == (0, "")
    # The parent does not know of it: its own spans are forgotten.
    assert sorted(span.name for span in receiver.spans) == ["agent", "tool", "tool", "tool"]
    assert len({span.parent_span_id for span in receiver.spans if span.name == "tool"}) == 1


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_program_that_continues_a_trace(flags: str, programs: Programs, receiver: OtlpReceiver) -> None:
    environment = {
        "TRACEPARENT": f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}",
        "OTEL_TRACES_SAMPLER": "",
    }
    ended = programs.run(RUNS, "run()", instrumented=False, environment=environment)
    assert (ended.code, ended.stderr) == (0, "")
    assert len(receiver.spans) == (80 if flags == "01" else 8)
    assert {span.trace_id for span in receiver.spans} == {"4bf92f3577b34da6a3ce929d0e0e4736"}


@pytest.mark.parametrize(("variable", "value"), [("AOTEL_KEEP", "all"), ("AOTEL_KEEP_MAX_BYTES", "0")])
def test_values_that_can_not_be_used_are_said_once(variable: str, value: str, programs: Programs) -> None:
    ended = programs.run(RUNS, "run()", instrumented=False, environment={variable: value})
    assert ended.code == 0
    assert ended.stderr.count(f"{variable} is '{value}', expected ") == 1
