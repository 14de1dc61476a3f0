"""No sampler tears a run on a provider of ours; sessions are kept together by one that is asked for."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from aotel.calls import PORT, Scope
from aotel.calls.scope import with_scope
from aotel.pipeline import AuditSampler, reads_attributes
from aotel.pipeline.head_sampling import SessionRatioSampler, WholeRunSampler, session_ratio, whole_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLED = TraceFlags(TraceFlags.SAMPLED)
STATE = TraceState([("vendor", "1")])


class Coin(Sampler):
    """Tosses a coin for each span that it is asked about."""

    def __init__(self) -> None:
        self.random = random.Random(5)
        self.asked = 0

    def should_sample(self, *_: Any, **__: Any) -> SamplingResult:
        self.asked += 1
        return SamplingResult(self.random.choice([Decision.DROP, Decision.RECORD_ONLY, Decision.RECORD_AND_SAMPLE]))

    def get_description(self) -> str:
        return "Coin"


class Named(StaticSampler):
    """One of the SDK's by another name, as its entry points are."""


class Contrary(ParentBased):
    """Its children decide otherwise than their parents."""

    def __init__(self) -> None:
        super().__init__(
            TraceIdRatioBased(0.5), local_parent_sampled=ALWAYS_OFF, local_parent_not_sampled=TraceIdRatioBased(0.5)
        )


SAMPLERS: dict[str, Sampler] = {
    "always_on": ALWAYS_ON,
    "always_off": ALWAYS_OFF,
    "traceidratio": TraceIdRatioBased(0.5),
    "parentbased_always_on": sampling.DEFAULT_ON,
    "parentbased_always_off": sampling.DEFAULT_OFF,
    "parentbased_traceidratio": ParentBasedTraceIdRatio(0.5),
    "session": SessionRatioSampler(0.5),
    "coin": Coin(),
    "contrary": Contrary(),
}


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    state = random.getstate()
    random.seed(11)  # the SDK's ids
    yield
    random.setstate(state)


def under(flags: int, *, is_remote: bool, span_id: int = 2) -> Context:
    parent = SpanContext(1, span_id, is_remote=is_remote, trace_flags=TraceFlags(flags), trace_state=STATE)
    return set_span_in_context(NonRecordingSpan(parent), Context())


def torn_runs(sampler: Sampler, runs: int = 200) -> tuple[int, int]:
    """Return how many of some runs were torn, and how many had a sampled root."""
    tracer = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("app")
    torn = sampled = 0
    for _ in range(runs):
        with tracer.start_as_current_span("root") as root:
            flags = [root.get_span_context().trace_flags.sampled]
            with tracer.start_as_current_span("child") as child:
                flags += [child.get_span_context().trace_flags.sampled]
                grandchild = tracer.start_span("grandchild")
                flags += [grandchild.get_span_context().trace_flags.sampled]
        torn += len(set(flags)) > 1
        sampled += flags[0]
    return torn, sampled


@pytest.mark.parametrize("audited", [True, False])
@pytest.mark.parametrize("name", SAMPLERS)
def test_no_sampler_tears_a_run(name: str, audited: bool) -> None:
    torn, sampled = torn_runs(AuditSampler(whole_runs(SAMPLERS[name]), lambda: audited))
    assert torn == 0
    expected = {"always_on": (200, 200), "parentbased_always_on": (200, 200), "coin": (40, 95)}
    expected |= dict.fromkeys(("always_off", "parentbased_always_off"), (0, 0))
    least, most = expected.get(name, (70, 130))
    assert least <= sampled <= most


@pytest.mark.parametrize("sampler", [Coin(), Contrary()])
def test_as_they_are_these_samplers_tear_runs(sampler: Sampler) -> None:
    assert torn_runs(sampler)[0] > 40


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in {"coin", "contrary"}])
def test_a_sampler_that_tears_nothing_stays_as_it_is(name: str) -> None:
    assert whole_runs(SAMPLERS[name]) is SAMPLERS[name]


def test_one_that_was_wrapped_is_not_wrapped_again() -> None:
    once = whole_runs(Coin())
    assert isinstance(once, WholeRunSampler)
    assert whole_runs(once) is once
    assert once.get_description() == "WholeRunSampler{Coin}"


def test_a_sampler_that_means_to_see_each_span_does() -> None:
    class EachSpan(Coin):
        samples_each_span = True

    sampler = EachSpan()
    assert whole_runs(sampler) is sampler
    contrary = Contrary()
    vars(contrary)["samples_each_span"] = True
    assert whole_runs(contrary) is contrary


def test_it_asks_about_roots_alone_and_passes_on_what_belongs_to_a_child() -> None:
    coin = Coin()
    sampler = WholeRunSampler(coin)
    for flags in (SAMPLED, 0):
        found = sampler.should_sample(under(flags, is_remote=False), 1, "child", attributes={"a": 1})
        assert found.decision is (Decision.RECORD_AND_SAMPLE if flags else Decision.DROP)
        assert dict(found.attributes or {}) == ({"a": 1} if flags else {})
        assert found.trace_state == STATE
    assert coin.asked == 0
    sampler.should_sample(Context(), 1, "root")
    assert coin.asked == 1


def test_a_parent_in_a_request_is_the_samplers_to_judge_one_in_the_environment_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    coin = Coin()
    sampler = WholeRunSampler(coin)
    monkeypatch.setattr(PORT, "remote_parent", under(SAMPLED, is_remote=True, span_id=77))
    for _ in range(20):
        followed = sampler.should_sample(under(SAMPLED, is_remote=True, span_id=77), 1, "root")
        assert followed.decision is Decision.RECORD_AND_SAMPLE
    assert coin.asked == 0
    decisions = {sampler.should_sample(under(SAMPLED, is_remote=True), 1, "root").decision for _ in range(20)}
    assert len(decisions) == 3


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        (SessionRatioSampler(0.5), False),
        (WholeRunSampler(TraceIdRatioBased(0.5)), False),
        (AuditSampler(WholeRunSampler(Coin())), True),
        (ParentBasedTraceIdRatio(0.5), False),
        (Named(Decision.DROP), False),
        (ParentBased(Coin()), True),
    ],
    ids=lambda value: value.get_description() if isinstance(value, Sampler) else "",
)
def test_whether_attributes_are_read(sampler: Sampler, expected: bool) -> None:
    assert reads_attributes(sampler) is expected


def decision(sampler: Sampler, session_id: str, trace_id: int, context: Context | None = None) -> bool:
    found = Context() if context is None else context
    if session_id:
        found = with_scope(Scope(session_id=session_id), found, propagate=False)
    return sampler.should_sample(found, trace_id, "root").decision is Decision.RECORD_AND_SAMPLE


@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.1, 0.5, 0.9, 1.0])
def test_a_share_of_sessions_is_kept_each_with_all_its_traces(ratio: float) -> None:
    sampler = SessionRatioSampler(ratio)
    numbers = random.Random(3)
    kept = 0
    for number in range(4000):
        decisions = {decision(sampler, f"sess_{number}", numbers.getrandbits(128)) for _ in range(3)}
        assert len(decisions) == 1
        kept += decisions.pop()
    # Four standard deviations.
    assert abs(kept - 4000 * ratio) <= 4 * (4000 * ratio * (1 - ratio)) ** 0.5


def test_who_is_in_at_a_small_share_is_in_at_a_larger_one() -> None:
    sessions = [f"sess_{number}" for number in range(500)]
    few, many = ({s for s in sessions if decision(SessionRatioSampler(ratio), s, 1)} for ratio in (0.1, 0.3))
    assert few < many


def test_the_decision_about_a_session_is_the_same_in_every_process_and_version() -> None:
    sampler = SessionRatioSampler(0.5)
    assert "".join(str(int(decision(sampler, f"sess_{number}", 1))) for number in range(16)) == "0001100100100111"
    assert decision(sampler, "\ud800", 1) in {True, False}  # no text, as an environment may have it


def test_outside_a_session_it_decides_as_traceidratio_does() -> None:
    numbers = random.Random(4)
    ours, stock = SessionRatioSampler(0.3), TraceIdRatioBased(0.3)
    for _ in range(500):
        trace_id = numbers.getrandbits(128)
        expected = stock.should_sample(Context(), trace_id, "root").decision
        assert ours.should_sample(Context(), trace_id, "root").decision is expected


@pytest.mark.parametrize("is_remote", [True, False])
@pytest.mark.parametrize("flags", [SAMPLED, 0])
def test_a_parent_is_followed_whatever_the_session(flags: int, is_remote: bool) -> None:
    context = under(flags, is_remote=is_remote)
    for number in range(20):
        assert decision(SessionRatioSampler(0.5), f"sess_{number}", 1, context) is bool(flags)


def test_the_session_of_the_process_counts_where_no_block_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = SessionRatioSampler(0.5)
    for number in range(20):
        monkeypatch.setattr(PORT, "process_session", f"sess_{number}")
        expected = decision(sampler, f"sess_{number}", 1)
        assert {decision(sampler, "", trace_id << 60) for trace_id in range(10)} == {expected}


@pytest.mark.parametrize("argument", ["0", "0.25", "1", "1.0", " 0.5 ", "1e-3", 0.5])
def test_arguments_that_are_shares(argument: str | float) -> None:
    assert session_ratio(argument).get_description() == f"SessionRatioSampler{{{float(argument)}}}"


@pytest.mark.parametrize("argument", ["", None, "ten", "10%", "-0.1", "1.1", "nan", "inf", "0,1"])
def test_other_arguments_are_refused_in_one_clear_sentence(argument: str | None) -> None:
    with pytest.raises(ValueError, match="OTEL_TRACES_SAMPLER_ARG") as caught:
        session_ratio(argument)
    said = str(caught.value)
    assert "a share from 0 to 1" in said
    assert (repr(argument) if argument else "is not set") in said


def test_a_session_sampler_made_by_hand_checks_its_share() -> None:
    with pytest.raises(ValueError, match=r"from 0 to 1, came 1\.5"):
        SessionRatioSampler(1.5)
