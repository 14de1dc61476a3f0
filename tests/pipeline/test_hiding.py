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


def test_switch_holds_for_a_span_of_ours_in_which_others_had_a_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUT_MESSAGES", "true")

    @aotel.coat("llm")
    def ask(messages: list[dict[str, Any]]) -> None:
        trace.get_current_span().set_attribute("gen_ai.input.messages", MESSAGES)
        raise ValueError("no")

    with record_spans() as spans, pytest.raises(ValueError, match="no"):
        ask([{"role": "user", "content": QUESTION}])
    (span,) = spans.spans
    assert not [name for name in span.attributes or {} if "input" in name and "messages" in name]


IMAGE = "https://example.com/quokka.png"
WITH_IMAGE: dict[str, str] = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.contents.0.message_content.type": "text",
    "llm.input_messages.0.message.contents.0.message_content.text": QUESTION,
    "llm.input_messages.0.message.contents.1.message_content.type": "image",
    "llm.input_messages.0.message.contents.1.message_content.image.image.url": IMAGE,
    "input.images": IMAGE,
    "input.value": json.dumps({"messages": [{"type": "image_url", "image_url": {"url": IMAGE}}]}),
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "uri", "modality": "image", "uri": IMAGE}]}]
    ),
}


@pytest.mark.parametrize("name", [None, *(name for name, value in WITH_IMAGE.items() if IMAGE in value)])
def test_images_are_hidden_wherever_they_are(name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENINFERENCE_HIDE_INPUT_IMAGES", "true")
    said = {key: value for key, value in WITH_IMAGE.items() if name in {None, key} or IMAGE not in value}
    with record_spans() as spans, record_envelopes() as envelopes:
        with trace.get_tracer("foreign").start_as_current_span("chat", attributes=said):
            pass
        left = json.dumps([dict(spans.spans[0].attributes or {}), envelopes.envelopes])
    assert IMAGE not in left
    assert QUESTION in left


@pytest.mark.parametrize(("switch", "gone", "kept"), [("PROMPTS", QUESTION, ANSWER), ("CHOICES", ANSWER, QUESTION)])
def test_texts_of_completions_requests(switch: str, gone: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"OPENINFERENCE_HIDE_{switch}", "true")
    said = {
        "openinference.span.kind": "LLM",
        "llm.prompts.0.prompt.text": QUESTION,
        "llm.choices.0.completion.text": ANSWER,
        "gen_ai.prompt": QUESTION,
        "gen_ai.completion": ANSWER,
    }
    with record_spans() as spans:
        with trace.get_tracer("foreign").start_as_current_span("completion", attributes=said):
            pass
        left = json.dumps(dict(spans.spans[0].attributes or {}))
    assert gone not in left
    assert kept in left
