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
from aotel.pipeline.processor import AOTSpanProcessor
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
    return getattr(behind(provider), _ATTACHED, None) is pipeline


def behind(provider: Any) -> Any:
    """Return the SDK's provider that another one stands for now, as Logfire's does, or else the provider itself."""
    if isinstance(provider, TracerProvider):
        return provider
    found = getattr(provider, "provider", None)
    return found if isinstance(found, TracerProvider) else provider


def takes_processors(provider: Any) -> bool:
    """Say whether a provider, of whatever make, takes span processors."""
    return _adder(provider) is not None


def others_see_first(provider: Any) -> bool:
    """Say whether somebody's processor may see spans of a provider start before ours does."""
    processors = getattr(getattr(behind(provider), "_active_span_processor", None), "_span_processors", None)
    return not processors or not isinstance(processors[0], AOTSpanProcessor)


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
        setattr(behind(provider), _ATTACHED, pipeline)
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
        _refuse(f"{type(provider).__module__}.{type(provider).__qualname__}")
        return False
    add(make())
    return True


def _refuse(name: str) -> None:
    if name in _refused:
        return
    _refused.add(name)
    _logger.warning(
        "aotel: the tracer provider %s takes no span processors: calls that aotel traces itself have attributes and "
        "envelopes as ever, but spans of others are not seen (no envelopes, no redaction, no OpenInference), and no "
        "backend of aotel's gets any; for these, let the program use the OpenTelemetry SDK's TracerProvider",
        name,
    )


def _adder(provider: Any) -> Callable[[SpanProcessor], object] | None:
    provider = behind(provider)
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
