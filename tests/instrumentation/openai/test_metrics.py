"""Metrics of model calls, in a real meter provider: durations, tokens, chunks, errors; whatever is captured."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import openai
import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from aotel.calls.port import SCOPE_NAME
from aotel.instrumentation.metrics import metrics_of_now
from aotel.testing import record_spans
from tests.instrumentation.openai.clients import CHAT, client_of
from tests.instrumentation.openai.wire import chunks, stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded

DURATION = "gen_ai.client.operation.duration"
TOKENS = "gen_ai.client.token.usage"
FIRST = "gen_ai.client.operation.time_to_first_chunk"
PER_CHUNK = "gen_ai.client.operation.time_per_output_chunk"


class Measured:
    """What a meter provider has measured."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])

    def points(self) -> dict[str, list[Any]]:
        """Return the data points by the metrics' names, without what some versions of the SDK measure of themselves."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        found = [metric for scope in scopes for metric in scope.metrics if metric.name.startswith("gen_ai.")]
        return {metric.name: list(metric.data.data_points) for metric in found}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Measured]:
    found = Measured()
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: found.provider)
    yield found
    found.provider.shutdown()


COMMON = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.response.model": "m-2026",
    "server.address": "127.0.0.1",
}


@pytest.mark.parametrize("capture", ["redacted", "none", "hash"])
def test_a_call_is_measured(capture: str, wire: OpenAiWire, measured: Measured) -> None:
    with record_spans(capture=capture):
        client_of(wire).chat.completions.create(**CHAT)
    points = measured.points()
    assert set(points) == {DURATION, TOKENS}
    (duration,) = points[DURATION]
    assert duration.attributes == {**COMMON, "server.port": wire.port}
    assert duration.count == 1
    assert 0 < duration.sum < 10
    tokens = {point.attributes["gen_ai.token.type"]: point.sum for point in points[TOKENS]}
    assert tokens == {"input": 30, "output": 12}


def test_a_stream_is_measured(wire: OpenAiWire, measured: Measured, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: stream(exchange, [*chunks("Hello", usage=True), "[DONE]"], pause=0.01))
    list(client_of(wire).chat.completions.create(**CHAT, stream=True))
    points = measured.points()
    (first,), gaps = points[FIRST], points[PER_CHUNK]
    assert first.count == 1
    assert 0 < first.sum < 10
    assert sum(point.count for point in gaps) >= 4
    assert {point.attributes["gen_ai.token.type"]: point.sum for point in points[TOKENS]} == {"input": 30, "output": 12}


def test_an_error_is_measured(wire: OpenAiWire, measured: Measured, recorded: Recorded) -> None:
    wire.script(always=lambda exchange: exchange.answer({"error": {"message": "no"}}, 400))
    with pytest.raises(openai.BadRequestError):
        client_of(wire).chat.completions.create(**CHAT)
    points = measured.points()
    (duration,) = points[DURATION]
    assert duration.attributes["error.type"] == "openai.BadRequestError"
    assert TOKENS not in points


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_the_collector_ends_is_measured_without_its_help(
    wire: OpenAiWire, measured: Measured, recorded: Recorded
) -> None:
    answer = client_of(wire).chat.completions.create(**CHAT, stream=True)
    next(answer)
    del answer
    gc.collect()
    assert recorded.operation.outcome == "abandoned"
    (duration,) = measured.points()[DURATION]
    assert duration.count == 1
    assert duration.sum < 5


def test_what_is_not_sampled_is_measured(wire: OpenAiWire, measured: Measured) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF)
    with record_spans(tracer_provider=provider) as spans:
        client_of(wire).chat.completions.create(**CHAT)
        list(client_of(wire).chat.completions.create(**CHAT, stream=True))
    assert not spans.spans
    assert sum(point.count for point in measured.points()[DURATION]) == 2
    provider.shutdown()


def test_embeddings_count_what_they_read(wire: OpenAiWire, measured: Measured, recorded: Recorded) -> None:
    client_of(wire).embeddings.create(model="m", input="hi")
    (point,) = measured.points()[TOKENS]
    assert point.attributes["gen_ai.operation.name"] == "embeddings"
    assert point.attributes["gen_ai.token.type"] == "input"
    assert point.sum == 8


def test_a_meter_provider_that_fails_costs_nothing(
    monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire, recorded: Recorded
) -> None:
    class Broken(metrics.NoOpMeterProvider):
        def get_meter(self, name: str, *args: Any, **kwargs: Any) -> metrics.Meter:
            if name == SCOPE_NAME:
                raise OSError("no meters today")
            return super().get_meter(name, *args, **kwargs)

    broken = Broken()
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: broken)
    client_of(wire).chat.completions.create(**CHAT)
    assert recorded.operation.attributes["gen_ai.usage.input_tokens"] == 30


def test_without_a_meter_provider_nothing_is_measured() -> None:
    assert metrics_of_now() is None
