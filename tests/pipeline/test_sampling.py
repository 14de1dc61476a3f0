"""The audit trail does not depend on a sampling rate; each program is a process, since a provider is set once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision, Sampler, SamplingResult

from aotel.pipeline import AuditSampler
from tests.distro.programs import Programs
from tests.envelope_schema import assert_paired, assert_valid
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

CALLS = """
    import aotel
    from opentelemetry import trace

    flags = []

    @aotel.coat("tool")
    def inner(number):
        aotel.tie("note", number)
        return number

    @aotel.coat("agent")
    def outer(number):
        flags.append(trace.get_current_span().get_span_context().trace_flags.sampled)
        return inner(number)

    for number in range(200):
        assert outer(number) == number
    print(sum(flags))
"""
"""200 traces of two operations, each with an event: 1000 envelopes. Prints how many were sampled."""


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


def test_one_percent_sampler_on_our_provider_loses_no_envelope(programs: Programs) -> None:
    with OtlpReceiver() as receiver:
        ended = programs.run(
            CALLS,
            instrumented=False,
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_TRACES_SAMPLER": "traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.01",
            },
        )
        spans = list(receiver.spans)
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 1000
    assert_valid(ended.envelopes)
    assert_paired(ended.envelopes)
    sampled = int(ended.stdout)
    assert sampled < 30
    assert len(spans) == 2 * sampled
    audited = {envelope["ids"]["span_id"] for envelope in ended.envelopes}
    assert {f"sp_{span.span_id}" for span in spans} <= audited


@pytest.mark.parametrize("sampled", ["00", "01"])
def test_unsampled_remote_parent_loses_no_envelope(sampled: str, programs: Programs) -> None:
    with OtlpReceiver() as receiver:
        ended = programs.run(
            CALLS,
            instrumented=False,
            environment={
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "TRACEPARENT": f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{sampled}",
            },
        )
        spans = list(receiver.spans)
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 1000
    assert_paired(ended.envelopes)
    assert {envelope["ids"]["trace_id"] for envelope in ended.envelopes} == {"tr_4bf92f3577b34da6a3ce929d0e0e4736"}
    assert len(spans) == (400 if sampled == "01" else 0)


def test_sampler_that_drops_all_leaves_the_audit_trail(programs: Programs) -> None:
    ended = programs.run(CALLS, instrumented=False, environment={"OTEL_TRACES_SAMPLER": "always_off"})
    assert (ended.code, ended.stderr, ended.stdout) == (0, "", "0\n")
    assert len(ended.envelopes) == 1000


def test_without_envelopes_what_is_dropped_is_not_recorded(programs: Programs) -> None:
    ended = programs.run(
        """
        from opentelemetry import trace
        import aotel

        @aotel.coat("tool")
        def recording():
            return trace.get_current_span().is_recording()

        print(recording())
        """,
        instrumented=False,
        environment={"OTEL_TRACES_SAMPLER": "always_off", "AOTEL_ENVELOPES": "none"},
    )
    assert (ended.code, ended.stdout, ended.envelopes) == (0, "False\n", [])


FOREIGN = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
    trace.set_tracer_provider(TracerProvider(sampler={sampler}))
"""


@pytest.mark.parametrize("ratio", ["0.0", "0.01"])
def test_provider_of_the_program_that_drops_is_warned_about_once(ratio: str, programs: Programs) -> None:
    ended = programs.run(
        "import logging; logging.basicConfig()",
        FOREIGN.format(sampler=f"TraceIdRatioBased({ratio})"),
        CALLS,
        instrumented=False,
    )
    assert ended.code == 0
    assert len(ended.envelopes) == 5 * int(ended.stdout)
    assert ended.stderr.count("WARNING") == 1
    assert "AuditSampler" in ended.stderr


def test_provider_of_the_program_with_its_sampler_wrapped_loses_none(programs: Programs) -> None:
    ended = programs.run(
        "from aotel.pipeline import AuditSampler",
        FOREIGN.format(sampler="AuditSampler(TraceIdRatioBased(0.01))"),
        CALLS,
        instrumented=False,
    )
    assert (ended.code, ended.stderr) == (0, "")
    assert len(ended.envelopes) == 1000


def test_provider_of_the_program_that_drops_is_fine_without_envelopes(programs: Programs) -> None:
    ended = programs.run(
        "import logging; logging.basicConfig()",
        FOREIGN.format(sampler="TraceIdRatioBased(0.0)"),
        CALLS,
        instrumented=False,
        environment={"AOTEL_ENVELOPES": "none"},
    )
    assert ended.code == 0
    assert "sampler" not in ended.stderr


class Fixed(Sampler):
    """Decides one thing."""

    def __init__(self, decision: Decision) -> None:
        self.decision = decision

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        """Return the decision, with an attribute to see that it is passed on."""
        return SamplingResult(self.decision, {"by": "fixed"})

    def get_description(self) -> str:
        """Name it."""
        return "Fixed"


@pytest.mark.parametrize(
    ("decision", "audited", "expected"),
    [
        (Decision.DROP, True, Decision.RECORD_ONLY),
        (Decision.DROP, False, Decision.DROP),
        (Decision.RECORD_ONLY, True, Decision.RECORD_ONLY),
        (Decision.RECORD_AND_SAMPLE, True, Decision.RECORD_AND_SAMPLE),
        (Decision.RECORD_AND_SAMPLE, False, Decision.RECORD_AND_SAMPLE),
    ],
)
def test_only_drops_are_changed_and_only_while_envelopes_are_on(
    decision: Decision, audited: bool, expected: Decision
) -> None:
    sampler = AuditSampler(Fixed(decision), lambda: audited)
    assert sampler.should_sample(None, 1, "name").decision is expected


def test_description_names_the_inner_sampler() -> None:
    assert AuditSampler(ALWAYS_OFF).get_description() == "AuditSampler{AlwaysOffSampler}"
    assert AuditSampler(ALWAYS_ON).should_sample(None, 1, "n", attributes={"a": 1}).attributes == {"a": 1}
