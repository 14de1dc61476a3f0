"""Attaching to whatever tracer provider there is, or making one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace import sampling as sdk_sampling

from aotel.pipeline.ids import PrivateIdGenerator
from aotel.pipeline.sampling import AuditSampler

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace.sampling import Sampler

    from aotel.pipeline.pipeline import Pipeline

_logger = logging.getLogger("aotel")

_ATTACHED = "_aotel_pipeline"


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
    add = getattr(provider, "add_span_processor", None)
    if not callable(add):
        _logger.warning(
            "aotel: the tracer provider %s takes no span processors, so its spans get no OpenInference attributes "
            "and no envelopes; use the OpenTelemetry SDK's TracerProvider for them",
            type(provider).__qualname__,
        )
        return False
    add(pipeline.processor())
    try:
        setattr(provider, _ATTACHED, pipeline)
    except AttributeError:
        _logger.debug("aotel: %s takes no attributes; attached without a mark", type(provider).__qualname__)
    return True


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
