"""Model calls whose tokens a provider counts in several ways, one after another.

Run by path; arguments name instrumentors of others that it switches on first.
"""

import sys
from importlib import import_module
from typing import Any

import anthropic
import openai

OTHERS = {
    "openinference": "openinference.instrumentation.openai",
    "opentelemetry": "opentelemetry.instrumentation.genai.openai",
}
for name in sys.argv[1:]:
    import_module(OTHERS[name]).OpenAIInstrumentor().instrument()
client: Any = openai.OpenAI()
MODEL = "gpt-5"


def chat(text: str, **more: Any) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}], **more)
    if more.get("stream"):
        list(answer)


def respond(text: str, **more: Any) -> None:
    answer = client.responses.create(model=MODEL, input=text, **more)
    if more.get("stream"):
        list(answer)


for stream in (False, True):
    chat("Plain and cached.", stream=stream)
    chat("Think about it.", stream=stream)
    respond("Plain and cached.", stream=stream)
    respond("Think about it.", stream=stream)
client.embeddings.create(model=MODEL, input="Numbers, please.")

claude: Any = anthropic.Anthropic()
ASKED = {"model": "claude-sonnet-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Plain and cached."}]}
claude.messages.create(**ASKED)
list(claude.messages.create(**ASKED, stream=True))
