from __future__ import annotations

import json
import tracemalloc
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import DIALECTS, missing, read, write
from aotel.dialects.values import MAX_ITEMS
from tests.dialects.strategies import hostile_attributes

EVERY_DIALECT = tuple(DIALECTS)
PLAIN_VALUES = (str, bool, int, float)


def is_attribute_value(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, PLAIN_VALUES)


@settings(max_examples=150)
@given(attributes=hostile_attributes, limit=st.none() | st.integers(0, 30))
def test_no_attributes_make_reading_or_writing_raise(attributes: dict[str, Any], limit: int | None) -> None:
    operation = read({"gen_ai.operation.name": "chat", **attributes})
    assert operation is not None
    for name, value in missing(attributes, operation, EVERY_DIALECT, limit=limit).items():
        assert name not in attributes
        assert is_attribute_value(value)
        if limit is not None and isinstance(value, str):
            assert len(value) <= limit


@settings(max_examples=60)
@given(attributes=hostile_attributes)
def test_what_is_written_after_hostile_reading_is_read_again(attributes: dict[str, Any]) -> None:
    operation = read({"openinference.span.kind": "LLM", **attributes})
    assert operation is not None
    written = write(operation, EVERY_DIALECT)
    assert read(written) is not None
    for name in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"):
        json.loads(str(written.get(name, "[]")))


@pytest.mark.parametrize(
    "name",
    [
        "llm.input_messages.999999999.message.role",
        "llm.input_messages.0.message.contents.999999999.message_content.text",
        "llm.tools.999999999.tool.name",
        "retrieval.documents.999999999.document.content",
        "gen_ai.prompt.999999999.content",
        "gen_ai.completion.0.tool_calls.999999999.name",
    ],
)
def test_an_index_says_an_order_and_never_a_size(name: str) -> None:
    tracemalloc.start()
    try:
        operation = read({"openinference.span.kind": "LLM", "gen_ai.system": "x", name: "user"})
        assert operation is not None
        added = write(operation, EVERY_DIALECT)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000
    assert all("999999999" not in written for written in added)


def test_an_index_too_long_to_be_one_is_passed_over() -> None:
    operation = read({"openinference.span.kind": "LLM", f"llm.input_messages.{'9' * 100_000}.message.role": "user"})
    assert operation is not None
    assert operation.input_messages == ()


def test_indices_out_of_order_and_with_gaps_keep_their_order() -> None:
    operation = read(
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.30.message.content": "third",
            "llm.input_messages.4.message.content": "first",
            "llm.input_messages.12.message.content": "second",
        },
    )
    assert operation is not None
    assert [message.text for message in operation.input_messages] == ["first", "second", "third"]
    assert "llm.input_messages.2.message.content" in write(operation, ("openinference",))


def test_a_conversation_of_a_million_messages_keeps_the_newest() -> None:
    many = json.dumps([{"role": "user", "parts": [{"type": "text", "content": str(n)}]} for n in range(100_000)])
    operation = read({"gen_ai.input.messages": many, "gen_ai.request.model": "m"})
    assert operation is not None
    assert len(operation.input_messages) == MAX_ITEMS
    assert operation.input_messages[-1].text == "99999"
    assert len(write(operation, ("openinference",))) < 3 * MAX_ITEMS


def test_a_message_of_a_million_parts_does_not_become_a_million_attributes() -> None:
    parts = [{"type": "reasoning", "content": "x"}] * 100_000
    operation = read({"gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}])})
    assert operation is not None
    assert len(write(operation, ("openinference",))) < 10 * MAX_ITEMS


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 100_000, '"' + "\\" * 200_000, "9" * 200_000])
def test_json_made_to_exhaust_a_parser_is_passed_over_quickly(text: str) -> None:
    started = perf_counter()
    operation = read(
        {"gen_ai.operation.name": "chat", "gen_ai.input.messages": text, "llm.invocation_parameters": text}
    )
    assert operation is not None
    write(operation, EVERY_DIALECT, limit=100)
    assert perf_counter() - started < 5


def test_lone_surrogates_and_not_a_number_are_repaired() -> None:
    broken = '[{"role": "user", "parts": [{"type": "text", "content": "a\\ud800b"}]}, {"role": "tool", "parts": [NaN]}]'
    operation = read({"gen_ai.operation.name": "chat", "gen_ai.input.messages": broken})
    assert operation is not None
    assert operation.input_messages[0].text == "a\ufffdb"
    for value in write(operation, EVERY_DIALECT).values():
        str(value).encode()
