"""Programs under each sampler, on providers of ours and of theirs: no run is torn, and no envelope is missing."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aotel.pipeline.head_sampling import SESSION_RATIO, session_ratio
from tests.distro.programs import ROOT, Programs
from tests.envelope_schema import assert_paired, assert_valid
from tests.servers import OtlpReceiver

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.distro.programs import Ended

RUNS = 40
CALLS = f"""
    import threading
    import aotel

    @aotel.coat("tool")
    def leaf(number):
        aotel.tie("note", number)
        return number

    @aotel.coat("step")
    def middle(number):
        return leaf(number)

    @aotel.coat("agent")
    def outer(number):
        leaf(number)
        thread = threading.Thread(target=leaf, args=(number,))
        thread.start()
        thread.join()
        return middle(number)

    for number in range({RUNS}):
        assert outer(number) == number
    print("done")
"""
"""Runs of five spans, one of them in a thread: 13 envelopes each."""

COIN = """
    import random
    from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult

    class Coin(Sampler):
        def __init__(self):
            self.random = random.Random(3)

        def should_sample(self, *args, **kwargs):
            return SamplingResult(self.random.choice([Decision.DROP, Decision.RECORD_AND_SAMPLE]))

        def get_description(self):
            return "Coin"

    def make(argument):
        return Coin()
"""

# By name and argument: how many runs of 40 are exported, at least and at most.
SAMPLERS = {
    ("", ""): (RUNS, RUNS),
    ("always_on", ""): (RUNS, RUNS),
    ("always_off", ""): (0, 0),
    ("traceidratio", "0.5"): (5, 35),
    ("parentbased_always_on", ""): (RUNS, RUNS),
    ("parentbased_always_off", ""): (0, 0),
    ("parentbased_traceidratio", "0.5"): (5, 35),
    (SESSION_RATIO, "0.5"): (5, 35),
    ("coin", ""): (5, 35),
}


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as found:
        yield found


@pytest.fixture
def programs(tmp_path: Path, receiver: OtlpReceiver) -> Programs:
    found = Programs(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_METRICS_EXPORTER": "none"})
    found.install("coin", COIN, {"opentelemetry_traces_sampler": "make"})
    # What pyproject.toml declares, also where an older version of it is installed.
    found.install(
        SESSION_RATIO,
        "from aotel.pipeline.head_sampling import session_ratio",
        {"opentelemetry_traces_sampler": "session_ratio"},
    )
    return found


def assert_complete(ended: Ended) -> None:
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 13 * RUNS
    assert_valid(ended.envelopes)
    assert_paired(ended.envelopes)


def test_the_session_sampler_is_an_entry_point_of_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["entry-points"]["opentelemetry_traces_sampler"]
    assert declared == {SESSION_RATIO: f"{session_ratio.__module__}:{session_ratio.__qualname__}"}


@pytest.mark.parametrize("instrumented", [True, False])
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler[0] or "default")
def test_each_sampler_on_a_provider_that_we_make(
    sampler: tuple[str, str], instrumented: bool, programs: Programs, receiver: OtlpReceiver
) -> None:
    name, argument = sampler
    ended = programs.run(
        CALLS,
        instrumented=instrumented,
        environment={"OTEL_TRACES_SAMPLER": name, "OTEL_TRACES_SAMPLER_ARG": argument},
    )
    assert_complete(ended)
    runs = Counter(span.trace_id for span in receiver.spans)
    assert set(runs.values()) <= {5}
    least, most = SAMPLERS[sampler]
    assert least <= len(runs) <= most


FOREIGN = """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, TraceIdRatioBased
    from aotel.pipeline import AuditSampler
    trace.set_tracer_provider(TracerProvider(sampler={sampler}))
    trace.get_tracer_provider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter(insecure=True)))
"""


@pytest.mark.parametrize(
    "inner", ["ALWAYS_OFF", "TraceIdRatioBased(0.5)", "ParentBased(TraceIdRatioBased(0.5))", "Coin()"]
)
def test_each_sampler_on_a_provider_of_the_program_that_wraps_it(inner: str, programs: Programs) -> None:
    ended = programs.run(COIN, FOREIGN.format(sampler=f"AuditSampler({inner})"), CALLS, instrumented=False)
    assert_complete(ended)


@pytest.mark.parametrize(
    ("sampler", "warned"),
    [("ALWAYS_ON", False), ("ALWAYS_OFF", True), ("ParentBased(TraceIdRatioBased(0.5))", True), ("Coin()", True)],
)
def test_each_sampler_on_a_provider_of_the_program_as_it_is(
    sampler: str, warned: bool, programs: Programs, receiver: OtlpReceiver
) -> None:
    ended = programs.run(
        "import logging; logging.basicConfig()", COIN, FOREIGN.format(sampler=sampler), CALLS, instrumented=False
    )
    assert ended.code == 0
    # Its sampler is its own: what it drops is missing, which is said once, and what it exports has its envelopes.
    assert ended.stderr.count("AuditSampler") == warned
    assert (len(ended.envelopes) < 13 * RUNS) is warned
    assert_paired(ended.envelopes)
    audited = {envelope["ids"]["span_id"] for envelope in ended.envelopes}
    assert {f"sp_{span.span_id}" for span in receiver.spans} == audited


def test_sessions_are_exported_whole_over_processes(programs: Programs, receiver: OtlpReceiver) -> None:
    program = """
        import aotel

        @aotel.coat("tool")
        def tool():
            pass

        for number in range(30):
            with aotel.session(f"sess_{number}"):
                tool()
            with aotel.session(f"sess_{number}"):
                tool()
    """
    for instrumented in (True, False):
        ended = programs.run(
            program,
            instrumented=instrumented,
            environment={"OTEL_TRACES_SAMPLER": SESSION_RATIO, "OTEL_TRACES_SAMPLER_ARG": "0.4"},
        )
        assert (ended.code, ended.stderr) == (0, "")
    sessions = Counter(str(span.attributes["session.id"]) for span in receiver.spans)
    assert 5 < len(sessions) < 25
    assert len(set(sessions.values())) == 1  # each as often as the others


@pytest.mark.parametrize("session_id", ["sess_0", "sess_3"])
def test_a_session_of_the_environment_is_kept_or_dropped_as_one(
    session_id: str, programs: Programs, receiver: OtlpReceiver
) -> None:
    ended = programs.run(
        CALLS,
        instrumented=False,
        environment={
            "AOTEL_SESSION_ID": session_id,
            "OTEL_TRACES_SAMPLER": SESSION_RATIO,
            "OTEL_TRACES_SAMPLER_ARG": "0.5",
        },
    )
    assert_complete(ended)
    assert len(receiver.spans) == (5 * RUNS if session_id == "sess_3" else 0)  # as hashed: see test_head_sampling


@pytest.mark.parametrize("instrumented", [True, False])
@pytest.mark.parametrize("argument", ["", "many", "7"])
def test_a_bad_share_is_said_once_and_everything_is_exported(
    argument: str, instrumented: bool, programs: Programs, receiver: OtlpReceiver
) -> None:
    ended = programs.run(
        "import logging; logging.basicConfig()",
        CALLS,
        instrumented=instrumented,
        environment={"OTEL_TRACES_SAMPLER": SESSION_RATIO, "OTEL_TRACES_SAMPLER_ARG": argument},
    )
    assert (ended.code, len(ended.envelopes)) == (0, 13 * RUNS)
    assert ended.stderr.count("needs a share from 0 to 1, as in OTEL_TRACES_SAMPLER_ARG=0.1") == 1
    assert len(receiver.spans) == 5 * RUNS


def test_an_unknown_sampler_is_said_once_and_everything_is_exported(programs: Programs, receiver: OtlpReceiver) -> None:
    ended = programs.run(CALLS, instrumented=False, environment={"OTEL_TRACES_SAMPLER": "nobodys"})
    assert ended.code == 0
    assert ended.stderr.count("'nobodys'") == 1
    assert "no installed package provides it" in ended.stderr
    assert len(receiver.spans) == 5 * RUNS


def test_child_processes_follow_their_parent_under_any_sampler(programs: Programs, receiver: OtlpReceiver) -> None:
    (programs.directory / "child.py").write_text(
        "import aotel\n\n@aotel.coat('tool')\ndef inner():\n    pass\n\ninner()\ninner()\n"
    )
    ended = programs.run(
        """
        import os, subprocess, sys
        import aotel
        from opentelemetry import propagate

        @aotel.coat("agent")
        def outer():
            carrier = {}
            propagate.inject(carrier)
            variables = {**os.environ, "TRACEPARENT": carrier["traceparent"]}
            subprocess.run([sys.executable, "child.py"], env=variables, check=True)

        for _ in range(6):
            outer()
        """,
        instrumented=False,
        environment={"OTEL_TRACES_SAMPLER": "coin"},
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 6 * 6
    runs = Counter(span.trace_id for span in receiver.spans)
    assert set(runs.values()) == {3}
    assert 0 < len(runs) < 6
