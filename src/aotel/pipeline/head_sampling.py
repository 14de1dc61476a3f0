"""Samplers that decide for whole agent runs, or whole sessions, as they begin."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)

from aotel.calls import PORT, scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanContext, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

SESSION_RATIO: Final = "aotel_session_ratio"
"""The name of `SessionRatioSampler` in OTEL_TRACES_SAMPLER."""

_LOW_64_BITS: Final = TraceIdRatioBased.TRACE_ID_LIMIT


def whole_runs(sampler: Sampler) -> Sampler:
    """Return a sampler that tears no run: `sampler` itself if it can't, else one that asks it about roots alone.

    A sampler that means to choose among the spans of a run says so: `samples_each_span = True` on it or its class.
    """
    if _tears_nothing(sampler) or getattr(sampler, "samples_each_span", False) is True:
        return sampler
    return WholeRunSampler(sampler)


def decides_as(sampler: object, kind: type[Sampler]) -> bool:
    """Say whether a sampler decides as one of the SDK's own does: it is one, or one that only has another name."""
    return isinstance(sampler, kind) and type(sampler).should_sample is kind.should_sample


def _tears_nothing(sampler: Sampler) -> bool:
    if isinstance(sampler, (WholeRunSampler, SessionRatioSampler)):
        return True
    if decides_as(sampler, ParentBased):
        return _says(sampler, "_local_parent_sampled", sampled=True) and _says(
            sampler, "_local_parent_not_sampled", sampled=False
        )
    # One answer for all, or one for a trace.
    return decides_as(sampler, StaticSampler) or decides_as(sampler, TraceIdRatioBased)


def _says(sampler: Sampler, part: str, *, sampled: bool) -> bool:
    found = getattr(sampler, part, None)
    return (
        isinstance(found, Sampler)
        and decides_as(found, StaticSampler)
        and (found.should_sample(None, 0, "").decision is Decision.RECORD_AND_SAMPLE) is sampled
    )


class WholeRunSampler(Sampler):
    """Asks another sampler about the root of a run alone; what is below follows its parent.

    A parent is followed in this process, and across processes where it came as TRACEPARENT in the environment: then
    this process is a part of that run. What came with a request is the other sampler's to judge.

    Args:
        inner: decides about roots.
    """

    def __init__(self, inner: Sampler) -> None:
        self._inner = inner

    def should_sample(  # noqa: PLR0913 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the parent's decision, or the inner sampler's about a root."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid and (not parent.is_remote or _is_of_environment(parent)):
            return _result(parent, attributes, sampled=parent.trace_flags.sampled)
        return self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    @property
    def inner(self) -> Sampler:
        """The sampler that decides about roots."""
        return self._inner

    def get_description(self) -> str:
        """Return the inner sampler's description, and what it is asked about."""
        return f"WholeRunSampler{{{self._inner.get_description()}}}"


class SessionRatioSampler(Sampler):
    """Keeps a share of all sessions, each with all its traces; outside any session, that share of traces.

    A span with a parent follows it, wherever that is.

    Args:
        ratio: which share, from 0 to 1.

    Raises:
        ValueError: it is something else.
    """

    def __init__(self, ratio: float) -> None:
        if not 0.0 <= ratio <= 1.0:  # also what is not a number
            msg = f"expected a share from 0 to 1, came {ratio}"
            raise ValueError(msg)
        self._ratio = ratio
        self._bound = TraceIdRatioBased.get_bound_for_rate(ratio)

    def should_sample(  # noqa: PLR0913 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,  # noqa: ARG002 - the SDK's signature
        kind: SpanKind | None = None,  # noqa: ARG002
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,  # noqa: ARG002
        trace_state: TraceState | None = None,  # noqa: ARG002
    ) -> SamplingResult:
        """Return the parent's decision, or the one about the session in force, or about the trace."""
        parent = trace.get_current_span(parent_context).get_span_context()
        if parent.is_valid:
            return _result(parent, attributes, sampled=parent.trace_flags.sampled)
        session_id = _session_in_force(parent_context)
        number = _number_of(session_id) if session_id else trace_id & _LOW_64_BITS
        return _result(parent, attributes, sampled=number < self._bound)

    def get_description(self) -> str:
        """Return its name and share."""
        return f"SessionRatioSampler{{{self._ratio}}}"


def session_ratio(argument: str | float | None) -> SessionRatioSampler:
    """Make a `SessionRatioSampler` from what OTEL_TRACES_SAMPLER_ARG says.

    Args:
        argument: a share from 0 to 1.

    Raises:
        ValueError: it is something else, or missing.
    """
    try:
        ratio = float("" if argument is None else argument)
    except ValueError:
        ratio = math.nan
    if not 0.0 <= ratio <= 1.0:
        came = f"is {argument!r}" if argument not in {None, ""} else "is not set"
        msg = (
            f"OTEL_TRACES_SAMPLER_ARG {came}, but {SESSION_RATIO} needs a share from 0 to 1, "
            "as in OTEL_TRACES_SAMPLER_ARG=0.1"
        )
        raise ValueError(msg)
    return SessionRatioSampler(ratio)


def _session_in_force(context: Context | None) -> str:
    found = otel_context.get_current() if context is None else context
    scope = scope_of(found, propagated=PORT.propagate_session)
    return (scope.session_id if scope is not None else "") or PORT.process_session or ""


def _number_of(session_id: str) -> int:
    """Return a number that is the same for a session in every process, spread evenly over 64 bits."""
    return int.from_bytes(sha256(session_id.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _is_of_environment(parent: SpanContext) -> bool:
    if PORT.remote_parent is None:
        return False
    continued = trace.get_current_span(PORT.remote_parent).get_span_context()
    return (continued.trace_id, continued.span_id) == (parent.trace_id, parent.span_id)


def _result(parent: SpanContext, attributes: Attributes, *, sampled: bool) -> SamplingResult:
    state = parent.trace_state if parent.is_valid else None
    if sampled:
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, state)
    return SamplingResult(Decision.DROP, None, state)
