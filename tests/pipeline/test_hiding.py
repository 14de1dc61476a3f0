"""OPENINFERENCE_HIDE_* over every vocabulary."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry import trace

import aotel
from aotel.testing import record_envelopes, record_spans

QUESTION, ANSWER = "what is an agent", "a loop that calls tools"
MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": QUESTION}]}])
REPLY = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": ANSWER}]}])
FOREIGN: dict[str, str | float] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.input.messages": MESSAGES,
    "gen_ai.output.messages": REPLY,
    "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "search"}]),
}


def everything(monkeypatch: pytest.MonkeyPatch, *switches: str) -> str:
    """Return all that is said of a foreign and an own model call with some switches on."""
    for switch in switches:
        monkeypatch.setenv(f"OPENINFERENCE_HIDE_{switch}", "true")

    @aotel.coat("llm")
    def ask(messages: list[dict[str, Any]]) -> str:
        return ANSWER

    with record_spans() as spans, record_envelopes() as envelopes:
        with trace.get_tracer("foreign").start_as_current_span("chat", attributes=FOREIGN):
            pass
        ask([{"role": "user", "content": QUESTION}])
    attributes = [dict(span.attributes or {}) for span in spans.spans]
    return json.dumps([attributes, envelopes.envelopes])


def test_without_a_switch_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    said = everything(monkeypatch)
    assert QUESTION in said
    assert ANSWER in said
    assert "llm.invocation_parameters" in said
    assert "llm.tools" in said


@pytest.mark.parametrize(
    ("switches", "gone", "kept"),
    [
        (["INPUTS"], [QUESTION, "llm.tools"], [ANSWER, "m-1"]),
        (["OUTPUTS"], [ANSWER], [QUESTION, "m-1"]),
        (["INPUTS", "OUTPUTS"], [QUESTION, ANSWER], ["m-1"]),
        (["INPUT_MESSAGES"], ["llm.input_messages", "gen_ai.input.messages"], [ANSWER]),
        (["OUTPUT_TEXT"], ["llm.output_messages", "gen_ai.output.messages"], [QUESTION]),
        (["LLM_INVOCATION_PARAMETERS"], ["llm.invocation_parameters", "gen_ai.request.temperature"], ["m-1", QUESTION]),
        (["LLM_TOOLS"], ["llm.tools", "gen_ai.tool.definitions"], [QUESTION]),
    ],
)
def test_what_a_switch_hides_is_in_no_vocabulary(
    monkeypatch: pytest.MonkeyPatch, switches: list[str], gone: list[str], kept: list[str]
) -> None:
    said = everything(monkeypatch, *switches)
    assert [text for text in gone if text in said] == []
    assert [text for text in kept if text not in said] == []
