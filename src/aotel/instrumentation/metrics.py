"""Metrics of model calls: duration, tokens, time to the first chunk and per chunk (GenAI conventions 1.40)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import metrics

from aotel._version import __version__
from aotel.calls.port import SCOPE_NAME
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.metrics import Histogram, MeterProvider
    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Usage

_SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS: Final = tuple(float(4**power) for power in range(14))
_CHUNK_SECONDS: Final = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)
_FIRST_SECONDS: Final = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)

_UNSET: Final = ("_ProxyMeterProvider", "NoOpMeterProvider")


class Metrics:
    """The instruments of one meter provider.

    Args:
        provider: where they are made.
    """

    def __init__(self, provider: MeterProvider) -> None:
        self.provider = provider
        meter = provider.get_meter(SCOPE_NAME, __version__)

        def histogram(name: str, unit: str, description: str, bounds: Sequence[float]) -> Histogram:
            return meter.create_histogram(name, unit, description, explicit_bucket_boundaries_advisory=list(bounds))

        self._duration = histogram("gen_ai.client.operation.duration", "s", "GenAI operation duration.", _SECONDS)
        self._tokens = histogram(
            "gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.", _TOKENS
        )
        self._first_chunk = histogram(
            "gen_ai.client.operation.time_to_first_chunk", "s", "Time to receive the first chunk.", _FIRST_SECONDS
        )
        self._per_chunk = histogram(
            "gen_ai.client.operation.time_per_output_chunk",
            "s",
            "Time per output chunk after the first one.",
            _CHUNK_SECONDS,
        )

    def ended(self, facts: dict[str, AttributeValue], seconds: float, usage: Usage | None) -> None:
        """Count a call that ended.

        Args:
            facts: attributes of all its measurements.
            seconds: how long it took.
            usage: the tokens that the provider reported.
        """
        self._duration.record(seconds, facts)
        if usage is None:
            return
        for kind, number in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if number is not None:
                self._tokens.record(number, {**facts, names.GEN_AI_TOKEN_TYPE: kind})

    def streamed(self, facts: dict[str, AttributeValue], first: float, gaps: Sequence[float]) -> None:
        """Count the chunks of a call.

        Args:
            facts: attributes of all its measurements.
            first: seconds until the first chunk.
            gaps: seconds between chunks.
        """
        self._first_chunk.record(first, facts)
        for gap in gaps:
            self._per_chunk.record(gap, facts)


class _Current:
    metrics: Metrics | None = None


def metrics_of_now() -> Metrics | None:
    """Return the instruments of the program's meter provider; None where it has none, and nothing is to be measured."""
    provider = metrics.get_meter_provider()
    current = _Current.metrics
    if current is not None and current.provider is provider:
        return current
    if type(provider).__name__ in _UNSET:
        return None
    current = _Current.metrics = Metrics(provider)
    return current
