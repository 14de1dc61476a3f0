"""Attaching to whatever tracer provider there is, or making one."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace import sampling as sdk_sampling
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from aotel.pipeline.ids import PrivateIdGenerator
from aotel.pipeline.sampling import AuditSampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.resources import Resource
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
    add = _adder(provider)
    if add is None:
        _refuse(type(provider).__qualname__)
        return False
    add(pipeline.processor())
    try:
        setattr(provider, _ATTACHED, pipeline)
    except AttributeError:
        _logger.debug("aotel: %s takes no attributes; attached without a mark", type(provider).__qualname__)
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
        provider.sampler = audited(sampler, pipeline)
    if private_ids and type(getattr(provider, "id_generator", None)) is RandomIdGenerator:
        vars(provider)["id_generator"] = PrivateIdGenerator()


def make_provider(
    pipeline: Pipeline,
    *,
    sampler: Sampler | None = None,
    resource: Resource | None = None,
    shutdown_on_exit: bool = True,
) -> TracerProvider:
    """Make a tracer provider of the SDK that loses no envelope to sampling, with `pipeline` attached.

    Args:
        pipeline: what its spans feed.
        sampler: decides what is exported; by default what `OTEL_TRACES_SAMPLER` says.
        resource: who sends; by default what `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` say.
        shutdown_on_exit: whether the provider shuts itself down at exit.
    """
    inner = sampler if sampler is not None else environment_sampler()
    provider = TracerProvider(
        sampler=audited(inner, pipeline),
        resource=resource,
        id_generator=PrivateIdGenerator(),
        shutdown_on_exit=shutdown_on_exit,
    )
    attach(provider, pipeline)
    return provider


def audited(sampler: Sampler, pipeline: Pipeline) -> Sampler:
    """Return `sampler`, recording for the envelopes of `pipeline` what it would drop."""
    return AuditSampler(sampler, lambda: pipeline.audited)


def environment_sampler() -> Sampler:
    """Return the sampler that `OTEL_TRACES_SAMPLER` asks for; the parent's decision, else everything, by default."""
    from_environment = getattr(sdk_sampling, "_get_from_env_or_default", None)
    if from_environment is None:  # pragma: no cover - an SDK that renamed it
        return sdk_sampling.ParentBased(sdk_sampling.ALWAYS_ON)
    sampler: Sampler = from_environment()
    return sampler
