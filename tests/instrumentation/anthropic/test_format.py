"""The formats alone: answers put together from events, and values of any shape, which nothing here stumbles over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content.policy import ContentPolicy
from aotel.instrumentation.formats.anthropic_completions import ANTHROPIC_COMPLETIONS
from aotel.instrumentation.formats.anthropic_messages import MESSAGES, definition, message
from aotel.instrumentation.reading import Reading
from aotel.instrumentation.wire.event_stream import answer_of
from aotel.operation import OtherPart, ToolDefinition, ToolResult, Usage
from aotel.settings import Settings
from tests.instrumentation.anthropic.wire import (
    TEXT,
    THINKING,
    TOOL_USE,
    says,
)
from tests.servers.amazon_event_stream import chunk
from tests.servers.anthropic_messages import events
from tests.servers.anthropic_messages import message as message_of
from tests.servers.http import sse

if TYPE_CHECKING:
    from aotel.instrumentation.formats.format import Format

_CAPTURE = ContentPolicy(Settings()).default
_WORDS = st.sampled_from([
    "type", "text", "content", "messages", "role", "input", "id", "name", "tool_use", "tool_result", "thinking",
    "source", "base64", "data", "usage", "input_tokens", "output_tokens", "index", "delta", "content_block", "message",
    "message_start", "message_delta", "content_block_start", "content_block_delta", "text_delta", "input_json_delta",
    "partial_json", "citations_delta", "stop_reason", "system", "tools", "stop_sequences", "completion", "prompt",
    "output_config", "format", "thread", "image", "document", "is_error", "output_tokens_details", "stream", "model",
])  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | _WORDS
_TREES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=6),
    max_leaves=30,
)
_EVENTS = st.lists(st.dictionaries(_WORDS, _TREES, max_size=5), max_size=6)
_BLOCKS = st.lists(
    st.sampled_from([TEXT, THINKING, TOOL_USE, {"type": "redacted_thinking", "data": "Emw"}])
    | st.builds(lambda said: {"type": "text", "text": said}, st.text())
    | st.builds(
        lambda said: {**TOOL_USE, "input": said}, st.dictionaries(st.text(), st.text() | st.integers(-9, 9), max_size=3)
    ),
    max_size=4,
)


def _whole(*content: dict[str, Any]) -> dict[str, Any]:
    return message_of("msg_1", "m", says(*content))


def _said(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if value is not None}


both_formats = pytest.mark.parametrize("form", [MESSAGES, ANTHROPIC_COMPLETIONS], ids=lambda form: type(form).__name__)


@both_formats
@given(request=_TREES, answer=_TREES, stream=_EVENTS)
def test_no_value_is_too_odd(form: Format, request: Any, answer: Any, stream: list[dict[str, Any]]) -> None:
    reading = Reading(_CAPTURE)
    for told in (answer, form.assemble(stream)):
        operation = form.request(request, reading)
        form.answer(told, operation, reading)
        form.usage(told)
        form.facts(request, told)


@given(content=_BLOCKS)
def test_events_make_the_answer(content: list[dict[str, Any]]) -> None:
    whole = _whole(*content)
    assert _said(MESSAGES.assemble(events(whole))) == _said(whole)


@pytest.mark.parametrize("amazon", [False, True], ids=["server-sent", "amazon"])
@given(content=_BLOCKS, cut=st.floats(0, 1))
def test_a_stream_that_breaks_off_gives_what_was_seen(amazon: bool, content: list[dict[str, Any]], cut: float) -> None:
    told = events(_whole(*content))
    written = b"".join([chunk(event) if amazon else sse(event, event["type"]) for event in told])
    body = written[: int(len(written) * cut)]
    kind = "application/vnd.amazon.eventstream" if amazon else "text/event-stream"
    seen = answer_of(body, kind, MESSAGES.assemble) or {}
    blocks = seen.get("content", [])
    assert len(blocks) <= len(content)
    for block, given_block in zip(blocks, content, strict=False):
        assert block["type"] == given_block["type"]
        assert given_block.get("text", "").startswith(block.get("text", ""))
    usage = MESSAGES.usage(seen)
    assert usage is None or (usage.input_tokens == 19 and usage.output_tokens in {None, 7})


def test_output_is_not_counted_before_it_is() -> None:
    begun = MESSAGES.assemble(events(_whole(TEXT))[:4])
    assert MESSAGES.usage(begun) == Usage(input_tokens=19, cache_read_tokens=5, cache_write_tokens=3)
    whole = MESSAGES.assemble(events(_whole(TEXT)))
    assert MESSAGES.usage(whole) == Usage(input_tokens=19, output_tokens=7, cache_read_tokens=5, cache_write_tokens=3)


def test_arguments_that_break_off_stay_a_text() -> None:
    begun = MESSAGES.assemble(events(_whole(TOOL_USE))[:6])
    assert begun["content"][0]["input"] == '{"city": "Paris"'[: len(begun["content"][0]["input"])]
    assert type(begun["content"][0]["input"]) is str


def test_thinking_tokens_are_part_of_the_output() -> None:
    usage = {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    assert MESSAGES.usage({"usage": usage}) == Usage(input_tokens=1, output_tokens=9, reasoning_tokens=4)
    assert MESSAGES.usage({"usage": {}}) is None


def test_citations_and_signatures_are_put_together() -> None:
    block = {"type": "text", "text": "", "citations": []}
    start: dict[str, Any] = {"type": "content_block_start", "index": 0, "content_block": block}
    cited = {"type": "citations_delta", "citation": {"type": "char_location"}}
    said = {"type": "text_delta", "text": "Paris"}
    stream = [start, *[{"type": "content_block_delta", "index": 0, "delta": delta} for delta in (cited, said)]]
    assert MESSAGES.assemble(stream)["content"] == [
        {"type": "text", "text": "Paris", "citations": [{"type": "char_location"}]}
    ]


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"content": "Rain"}, "Rain"),
        ({}, None),
        ({"content": [{"type": "text", "text": "Rain"}]}, "Rain"),
        ({"content": [{"type": "search_result"}]}, '[{"type":"search_result"}]'),
        ({"content": "No such city", "is_error": True}, '{"is_error":true,"content":"No such city"}'),
        ({"content": "Rain", "is_error": False}, "Rain"),
    ],
)
def test_results_of_tools(result: dict[str, Any], expected: str | None) -> None:
    block = {"type": "tool_result", "tool_use_id": "toolu_01", **result}
    read = message({"role": "user", "content": [block]})
    assert read.role == "user"
    assert read.parts == (ToolResult("toolu_01", expected),)


def test_what_the_server_runs_is_kept_whole() -> None:
    block = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": [{"url": "https://a.example"}]}
    (part,) = message({"role": "assistant", "content": [block]}).parts
    assert isinstance(part, OtherPart)
    assert part.type == "web_search_tool_result"
    assert "https://a.example" in part.json


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ({"name": "a", "input_schema": {"type": "object"}}, ToolDefinition("a", parameters='{"type":"object"}')),
        ({"type": "custom", "name": "a", "description": "b"}, ToolDefinition("a", "function", "b")),
        (
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 5},
            ToolDefinition("web_search", "web_search_20250305", others={"max_uses": 5}),
        ),
        (
            {"type": "computer_toolset_20260801"},
            ToolDefinition("computer_toolset_20260801", "computer_toolset_20260801"),
        ),
        ({"description": "nameless"}, None),
    ],
)
def test_definitions_of_tools(tool: dict[str, Any], expected: ToolDefinition | None) -> None:
    assert definition(tool) == expected


def test_legacy_completion_is_put_together() -> None:
    head: dict[str, Any] = {"id": "compl_1", "model": "m"}
    stream = [{**head, "completion": "Pa", "stop_reason": None}, {"completion": "ris", "stop_reason": "stop_sequence"}]
    whole = ANTHROPIC_COMPLETIONS.assemble(stream)
    assert whole == {**head, "completion": "Paris", "stop_reason": "stop_sequence"}
    reading = Reading(_CAPTURE)
    request = {"model": "m", "prompt": "Capital?", "max_tokens_to_sample": 9, "stop_sequences": ["!"]}
    operation = ANTHROPIC_COMPLETIONS.request(request, reading)
    ANTHROPIC_COMPLETIONS.answer(whole, operation, reading)
    assert operation.readable_input == "Capital?"
    assert operation.readable_output == "Paris"
    assert operation.finish_reasons == ("stop_sequence",)
    assert operation.request is not None
    assert operation.request.max_tokens == 9
    assert operation.usage is None
