"""Names of model providers: GenAI's `gen_ai.provider.name` against OpenInference's `llm.provider` and `llm.system`."""

from __future__ import annotations

__all__ = ["from_openinference", "normalized", "to_openinference"]

_TO_OPENINFERENCE: dict[str, tuple[str, str | None]] = {
    "openai": ("openai", "openai"),
    "azure.ai.openai": ("azure", "openai"),
    "azure.ai.inference": ("azure", None),
    "anthropic": ("anthropic", "anthropic"),
    "aws.bedrock": ("aws", None),
    "cohere": ("cohere", "cohere"),
    "mistral_ai": ("mistralai", "mistralai"),
    "gcp.gen_ai": ("google", None),
    "gcp.gemini": ("google", None),
    "gcp.vertex_ai": ("google", "vertexai"),
    "x_ai": ("xai", None),
    "moonshot_ai": ("moonshot", None),
}
"""GenAI name -> provider (who runs the model) and system (whose API it speaks)."""

_FROM_PROVIDER = {
    "mistralai": "mistral_ai",
    "google": "gcp.gen_ai",
    "aws": "aws.bedrock",
    "azure": "azure.ai.inference",
    "xai": "x_ai",
    "moonshot": "moonshot_ai",
}

_FROM_BOTH = {
    ("azure", "openai"): "azure.ai.openai",
    ("google", "vertexai"): "gcp.vertex_ai",
}

_FROM_SYSTEM = {"mistralai": "mistral_ai", "vertexai": "gcp.vertex_ai"}

_OLDER = {
    "az.ai.openai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "vertex_ai": "gcp.vertex_ai",
    "gemini": "gcp.gemini",
    "xai": "x_ai",
    "mistralai": "mistral_ai",
    "azure": "azure.ai.openai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "watsonx": "ibm.watsonx.ai",
    "google": "gcp.gen_ai",
}
"""Values of `gen_ai.system` and of emitters' own making -> current names."""


def to_openinference(provider: str) -> tuple[str, str | None]:
    """`llm.provider` and `llm.system` of a GenAI provider name; a name that OpenInference doesn't list stays itself."""
    return _TO_OPENINFERENCE.get(provider, (provider, None))


def from_openinference(provider: str | None, system: str | None) -> str | None:
    """The GenAI provider name of what OpenInference says.

    `google` alone is `gcp.gen_ai`, the conventions' word for "which of Google's isn't known".
    """
    if provider is None:
        return None if system is None else _FROM_SYSTEM.get(system.lower(), system.lower())
    provider = provider.lower()
    known = _FROM_BOTH.get((provider, system.lower())) if system is not None else None
    return known or _FROM_PROVIDER.get(provider, provider)


def normalized(provider: str | None) -> str | None:
    """A provider name in today's spelling; OpenLLMetry capitalised it, earlier conventions had other words."""
    return None if provider is None else _OLDER.get(provider.lower(), provider.lower())
