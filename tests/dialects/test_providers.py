from __future__ import annotations

import pytest

from aotel.dialects.providers import from_openinference, normalized, to_openinference

PROVIDERS = (
    "openai",
    "azure.ai.openai",
    "azure.ai.inference",
    "anthropic",
    "aws.bedrock",
    "cohere",
    "mistral_ai",
    "gcp.gen_ai",
    "gcp.vertex_ai",
    "x_ai",
    "moonshot_ai",
    "groq",
    "some.other",
)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_comes_back_from_openinference(provider: str) -> None:
    assert from_openinference(*to_openinference(provider)) == provider
    assert normalized(provider) == provider


@pytest.mark.parametrize(
    ("provider", "system", "name"),
    [
        (None, "openai", "openai"),
        (None, "VertexAI", "gcp.vertex_ai"),
        ("Google", None, "gcp.gen_ai"),
        ("google", "vertexai", "gcp.vertex_ai"),
        ("azure", "OpenAI", "azure.ai.openai"),
        ("together", "openai", "together"),
        (None, None, None),
    ],
)
def test_either_of_two_words_is_enough(provider: str | None, system: str | None, name: str | None) -> None:
    assert from_openinference(provider, system) == name
