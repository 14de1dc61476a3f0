"""An audit trail must not depend on a sampling rate: spans that a sampler drops are recorded, if not exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.sampling import (
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)

from aotel.pipeline.head_sampling import SessionRatioSampler, WholeRunSampler, decides_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes


def reads_attributes(sampler: object) -> bool:
    """Say whether a sampler may look at the attributes of a span: the SDK's own don't, of another one nobody knows."""
    if isinstance(sampler, (AuditSampler, WholeRunSampler)):
        return reads_attributes(sampler.inner)
    if decides_as(sampler, ParentBased):
        parts = (
            "_root",
            *(f"_{where}_parent_{how}" for where in ("remote", "local") for how in ("sampled", "not_sampled")),
        )
        return any(reads_attributes(getattr(sampler, part, None)) for part in parts)
    return not any(decides_as(sampler, kind) for kind in (StaticSampler, TraceIdRatioBased, SessionRatioSampler))


class AuditSampler(Sampler):
    """Turns DROP into RECORD_ONLY while somebody needs it; every other decision is the inner sampler's.

    Args:
        inner: decides what is exported.
        audited: says whether what it drops is needed: for envelopes, or because the run may fail yet.
    """

    def __init__(self, inner: Sampler, audited: Callable[[], bool] = lambda: True) -> None:
        self._inner = inner
        self._audited = audited

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
        """Return the inner sampler's decision, or RECORD_ONLY in place of DROP."""
        result = self._inner.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)
        if result.decision is Decision.DROP and self._audited():
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    @property
    def inner(self) -> Sampler:
        """The sampler that decides what is exported."""
        return self._inner

    def get_description(self) -> str:
        """Return the inner sampler's description, and that it is audited."""
        return f"AuditSampler{{{self._inner.get_description()}}}"
