"""Instrumentors of others, by the names that tests call them."""

from __future__ import annotations

import importlib

INSTRUMENTORS = {
    "openinference-openai": "openinference.instrumentation.openai:OpenAIInstrumentor",
    "openinference-anthropic": "openinference.instrumentation.anthropic:AnthropicInstrumentor",
    "openinference-langchain": "openinference.instrumentation.langchain:LangChainInstrumentor",
    "openinference-litellm": "openinference.instrumentation.litellm:LiteLLMInstrumentor",
    "genai-openai": "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    "openllmetry-openai": "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
    "openllmetry-anthropic": "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
}


def switch_on(name: str) -> None:
    """Switch an instrumentor on."""
    module, _, attribute = INSTRUMENTORS[name].partition(":")
    getattr(importlib.import_module(module), attribute)().instrument()
