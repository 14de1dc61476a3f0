"""Our instrumentor and OpenInference's, on and off in every order; prints the scopes that saw each call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openai
from openinference.instrumentation.openai import OpenAIInstrumentor

import aotel
from aotel.testing import record_spans
from tests.neighbours.programs.wire import serve

if TYPE_CHECKING:
    from collections.abc import Callable

theirs = OpenAIInstrumentor()
client = openai.OpenAI(api_key="k", base_url=f"{serve()}/v1")
STEPS: dict[str, Callable[[], None]] = {
    "theirs on": theirs.instrument,
    "theirs off": theirs.uninstrument,
    "ours on": lambda: aotel.instrument("openai"),
    "ours off": lambda: aotel.uninstrument("openai"),
}
ORDERS = {
    "put back before ours": ["ours off", "theirs on", "theirs off", "ours on"],
    "inside ours": ["ours off", "theirs on", "ours on"],
    "inside ours, ours off": ["ours off"],
    "inside ours, ours on again": ["ours on"],
    "inside ours, theirs off, ours again": ["theirs off", "ours off", "ours on"],
    "around ours": ["theirs on"],
    "around ours, ours off": ["ours off"],
    "around ours, ours on again": ["ours on"],
    "around ours, theirs off": ["theirs off"],
    "all off": ["ours off"],
}

with record_spans() as recorded:
    seen: dict[str, list[str]] = {}
    for name, steps in ORDERS.items():
        for step in steps:
            STEPS[step]()
        client.chat.completions.create(model="model-1", messages=[{"role": "user", "content": "hi"}])
        scopes = [span.instrumentation_scope.name for span in recorded.spans if span.instrumentation_scope is not None]
        seen[name] = sorted("ours" if scope == "aotel" else "theirs" for scope in scopes)
        recorded.clear()
print(json.dumps(seen))
