"""Tokens in Phoenix are those that the provider counted, once, whoever else watches the calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.running import INSTRUMENT, OTHERS, PROGRAMS, run
from tests.e2e.wiretap import Exchange, Wiretap
from tests.servers.anthropic_api import AnthropicServer
from tests.servers.openai_api import OpenAIServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.phoenix import Phoenix, Span

BESIDE: dict[str, tuple[tuple[str, ...], str]] = {
    "alone": ((), OTHERS),
    "openinference": (("openinference",), OTHERS),
    "opentelemetry": (("opentelemetry",), OTHERS),
    "whoever is installed": ((), OTHERS.replace("openai,", "", 1)),  # those two: both call their entry point so
}
"""Instrumentors that the program switches on itself, and those that `opentelemetry-instrument` does not."""
CALLS = 11
EMBEDDING = 8  # which call
LIFETIME = 120.0


@pytest.mark.parametrize("beside", BESIDE)
def test_tokens_are_those_that_the_provider_counted(beside: str, phoenix: Phoenix, tmp_path: Path) -> None:
    switched_on, switched_off = BESIDE[beside]
    with (
        OpenAIServer(lifetime=LIFETIME) as openai,
        AnthropicServer(lifetime=LIFETIME) as anthropic,
        Wiretap(f"{openai.url}/v1") as first,
        Wiretap(anthropic.url) as second,
    ):
        variables = {
            "OPENAI_BASE_URL": first.url,
            "OPENAI_API_KEY": "key",
            "ANTHROPIC_BASE_URL": second.url,
            "ANTHROPIC_API_KEY": "key",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": switched_off,
        }
        program = (str(PROGRAMS / "tokens.py"), *switched_on)
        run(tmp_path, *INSTRUMENT, *program, project=beside, phoenix=phoenix, **variables)
        exchanges = [*first.exchanges, *second.exchanges]
    assert len(exchanges) == CALLS
    spans = phoenix.spans(beside, until=lambda found: len(counting(found)) >= CALLS and is_whole(found, beside))
    assert [tokens_of(span) for span in counting(spans)] == [counted(exchange) for exchange in exchanges]
    expected = [counted(exchange) for number, exchange in enumerate(exchanges) if number != EMBEDDING]
    traces = phoenix.traces(beside)
    for name in ("prompt", "completion"):
        assert sum(trace[f"token_count_{name}"] for trace in traces) == sum(each[name] for each in expected)


def counting(spans: list[Span]) -> list[Span]:
    return [span for span in spans if any(name.startswith("llm.token_count.") for name in span.attributes)]


def is_whole(spans: list[Span], beside: str) -> bool:
    """Say whether the others' spans are there too: without them, nothing is shown."""
    return len(spans) == CALLS if beside == "alone" else len(spans) > CALLS


def tokens_of(span: Span) -> dict[str, int]:
    prefix = "llm.token_count."
    found = {name.removeprefix(prefix): count for name, count in span.attributes.items() if name.startswith(prefix)}
    assert found.pop("total") == found["prompt"] + found.get("completion", 0)
    return {name: count for name, count in found.items() if count}


def counted(exchange: Exchange) -> dict[str, int]:
    """Return what a provider says that it counted, under OpenInference's names."""
    usage = exchange.usage
    given: Any = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    made: Any = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    written, read = (usage.get(f"cache_{way}_input_tokens", 0) for way in ("creation", "read"))
    found = {
        "prompt": usage.get("prompt_tokens") or usage["input_tokens"] + written + read,
        "completion": usage.get("completion_tokens") or usage.get("output_tokens") or 0,
        "prompt_details.cache_read": given.get("cached_tokens", read),
        "prompt_details.cache_write": given.get("cache_write_tokens", written),
        "completion_details.reasoning": made.get("reasoning_tokens", 0),
    }
    return {name: count for name, count in found.items() if count}
