"""Attaching to whatever tracer provider there is, or making one."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace import sampling as sdk_sampling
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from aotel.pipeline.head_sampling import whole_runs
from aotel.pipeline.ids import PrivateIdGenerator
from aotel.pipeline.sampling import AuditSampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.sampling import Sampler

    from aotel.pipeline.pipeline import Pipeline

_logger = logging.getLogger("aotel")

_ATTACHED = "_aotel_pipeline"
_refused: set[str] = set()


def current_provider() -> Any | None:
    """Return the tracer provider that the program set, or None where there is none yet."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        return None
    return provider


def is_attached(provider: object, pipeline: Pipeline) -> bool:
    """Say whether `pipeline` has a processor on `provider`."""
    return getattr(provider, _ATTACHED, None) is pipeline


def attach(provider: Any, pipeline: Pipeline) -> bool:
    """Put a processor of `pipeline` on `provider`, once.

    Args:
        provider: anything with `add_span_processor`; some vendors' providers have none.
        pipeline: what the processor feeds.

    Returns:
        Whether the pipeline sees the provider's spans now.
    """
    if is_attached(provider, pipeline):
        return True
    if not add_processor(provider, partial(pipeline.processor, provider)):
        return False
    try:
        setattr(provider, _ATTACHED, pipeline)
    except AttributeError:
        _logger.debug("aotel: %s takes no attributes; attached without a mark", type(provider).__qualname__)
    return True


def add_processor(provider: Any, make: Callable[[], SpanProcessor]) -> bool:
    """Put a processor on a provider, of whatever make; say whether it takes any.

    Args:
        provider: anything with `add_span_processor`.
        make: makes the processor, if there is use for it.
    """
    add = _adder(provider)
    if add is None:
        _refuse(type(provider).__qualname__)
        return False
    add(make())
    return True


def _refuse(name: str) -> None:
    if name in _refused:
        return
    _refused.add(name)
    _logger.warning(
        "aotel: the tracer provider %s takes no span processors, so its spans get no OpenInference attributes "
        "and no envelopes; use the OpenTelemetry SDK's TracerProvider for them",
        name,
    )


def _adder(provider: Any) -> Callable[[SpanProcessor], object] | None:
    if isinstance(provider, TracerProvider) and hasattr(provider, "_active_span_processor"):
        # Not the provider's own method: Phoenix's drops its default exporter as soon as something is added, and that of
        # a subclass that is still being made may need what isn't there yet.
        return partial(TracerProvider.add_span_processor, provider)
    add = getattr(provider, "add_span_processor", None)
    return add if callable(add) else None


def refit(provider: Any, pipeline: Pipeline, *, private_ids: bool = True) -> None:
    """Make a provider of the SDK that nobody uses yet, and that is ours to change, like one of `make_provider`.

    Args:
        provider: a provider fresh from the SDK's own configuration; on any other, nothing happens.
        pipeline: what its spans feed.
        private_ids: whether ids that the SDK would draw from the global `random` are drawn from a private generator.
    """
    if not isinstance(provider, TracerProvider):
        return
    sampler = getattr(provider, "sampler", None)
    if isinstance(sampler, sdk_sampling.Sampler) and not isinstance(sampler, AuditSampler):
        provider.sampler = audited(whole_runs(sampler), pipeline)
    if private_ids and type(getattr(provider, "id_generator", None)) is RandomIdGenerator:
        vars(provider)["id_generator"] = PrivateIdGenerator()


def make_provider(pipeline: Pipeline, sampler: Sampler | None = None) -> TracerProvider:
    """Make a tracer provider of the SDK, as the `OTEL_*` variables say, that loses no envelope to sampling.

    Args:
        pipeline: what its spans feed.
        sampler: decides what is exported; by default the SDK's own that the environment names.
    """
    provider = TracerProvider(sampler=sampler)
    refit(provider, pipeline)
    attach(provider, pipeline)
    return provider


def audited(sampler: Sampler, pipeline: Pipeline) -> Sampler:
    """Return `sampler`, recording for `pipeline` what it would drop."""
    return AuditSampler(sampler, lambda: pipeline.records_dropped)
