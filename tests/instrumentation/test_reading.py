"""Messages and tools under each mode: read once, never one for another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import ContentPolicy, active
from aotel.instrumentation.formats.openai_chat import CHAT_COMPLETIONS, choice_message, definition, message
from aotel.instrumentation.formats.openai_completions import TEXT_COMPLETIONS
from aotel.instrumentation.formats.openai_embeddings import EMBEDDINGS
from aotel.instrumentation.formats.openai_responses import RESPONSES
from aotel.instrumentation.reading import Reading
from aotel.operation import Operation
from aotel.testing import record_spans

FORMATS = (CHAT_COMPLETIONS, TEXT_COMPLETIONS, EMBEDDINGS, RESPONSES)
MODES = ("none", "redacted", "hash", "summary", "raw")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.sampled_from(
    [
        "arguments", "audio", "call_id", "choices", "content", "data", "delta", "embedding",
        "encrypted_content", "error", "file", "finish_reason", "function", "function_call", "id", "image_url",
        "incomplete_details", "index", "input", "input_audio", "instructions", "message", "messages", "model",
        "n", "name", "output", "output_index", "parameters", "prompt", "reasoning_content", "refusal",
        "response", "response_format", "role", "status", "stop", "summary", "text", "tool_call_id",
        "tool_calls", "tools", "type", "url", "usage",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "assistant", "error", "failed", "function", "function_call", "function_call_output",
        "image_generation_call", "image_url", "incomplete", "input_image", "message", "reasoning", "refusal",
        "response.output_item.added", "text", "response.output_text.delta", "tool", "user",
    ]
)  # fmt: skip
ODD: st.SearchStrategy[Any] = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=30,
)


def reading(mode: str = "redacted") -> Reading:
    return Reading(active().for_call(mode))


def test_equal_messages_are_read_once_and_others_each() -> None:
    said = {"role": "user", "content": "x" * 10_000}
    one, two = (reading().messages([said], message)[0] for _ in range(2))
    assert one is two
    (other,) = reading().messages([{**said, "content": "y" * 10_000}], message)
    assert other.text == "y" * 10_000
    (hashed,) = reading("hash").messages([said], message)
    assert hashed is not one
    (choice,) = reading().messages([said], choice_message)
    assert choice is not one


def test_a_mode_that_is_not_legible_says_who_speaks_alone() -> None:
    for mode in ("hash", "summary"):
        (said,) = reading(mode).messages([{"role": "system", "content": "secret plan"}], message)
        assert said.role == "system"
        assert "secret plan" not in said.text
        (tool,) = reading(mode).definitions([{"type": "function", "name": "a", "description": "plan"}], definition)
        assert "plan" not in str(tool.description)


def test_tools_without_a_name_are_left_out() -> None:
    assert reading().definitions([{"type": "function"}, 7, None, {"type": "web_search"}], definition)[0].name == (
        "web_search"
    )


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_read_of_nothing(mode: str) -> None:
    assert reading(mode).messages(None, message) == ()
    assert reading(mode).definitions(None, definition) == ()
    assert reading(mode).text(None) is None


def test_what_policies_write_differently_is_read_by_each() -> None:
    said = {"role": "user", "content": "the codeword is swordfish"}
    with record_spans(redact=lambda text: text.replace("swordfish", "***")):
        (hidden,) = Reading(active().default).messages([said], message)
    with record_spans():
        (shown,) = Reading(active().default).messages([said], message)
    assert "swordfish" not in hidden.text
    assert "swordfish" in shown.text
    assert isinstance(active(), ContentPolicy)


@given(ODD, ODD, st.lists(st.dictionaries(NAMES, ODD, max_size=5), max_size=4), st.sampled_from(MODES))
def test_no_request_and_no_answer_is_too_odd(request: Any, answer: Any, events: list[Any], mode: str) -> None:
    for form in FORMATS:
        operation = form.request(request, reading(mode))
        assert isinstance(operation, Operation)
        for each in (answer, form.assemble(events)):
            form.answer(each, operation, reading(mode))
            form.usage(each)
            form.facts(request, each)
            form.failure(each)
