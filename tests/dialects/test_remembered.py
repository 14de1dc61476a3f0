from __future__ import annotations

import json
import pickle
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import DIALECTS, missing, write
from aotel.dialects.values import MAX_ITEMS
from aotel.operation import Message, Operation, TextPart, ToolCall, ToolDefinition, ToolResult
from tests.dialects import strategies

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

EVERY_DIALECT = tuple(DIALECTS)

operations = st.one_of(
    strategies.genai_operations, strategies.openinference_operations, strategies.openllmetry_operations
)
conversations = st.lists(strategies.genai_messages, max_size=6).map(tuple)


def kept(operation: Operation, *, every: int = 1) -> Operation:
    """The same operation, as from a memory: its messages and tools remember what is written of them."""
    operation = deepcopy(operation)
    for items in (operation.input_messages, operation.output_messages, operation.tool_definitions):
        for item in items[::every]:
            item.remembered = {}
    return operation


def said(operation: Operation, limit: int | None = None) -> list[tuple[str, AttributeValue]]:
    return list(missing({}, operation, EVERY_DIALECT, limit=limit).items())


@settings(max_examples=200)
@given(operation=operations, every=st.integers(1, 3))
def test_what_is_remembered_is_written_as_what_is_not_and_written_twice_as_once(
    operation: Operation, every: int
) -> None:
    plain = said(operation)
    remembered = kept(operation, every=every)
    assert said(remembered) == plain
    assert said(remembered) == plain
    assert remembered == operation


@settings(max_examples=100)
@given(messages=conversations, others=conversations, definitions=st.lists(strategies.definitions, max_size=3))
def test_a_message_is_the_same_wherever_it_stands(
    messages: tuple[Message, ...], others: tuple[Message, ...], definitions: list[ToolDefinition]
) -> None:
    tools = tuple(definitions)
    for message in messages:
        message.remembered = {}
    for asked, answered, offered in (
        ((), messages, tools),
        (messages, (), ()),
        ((*others, *messages), messages, tools[::-1]),
        (messages[1:], others, tools),
    ):
        operation = Operation(op="llm", input_messages=asked, output_messages=answered, tool_definitions=offered)
        plain = deepcopy(operation)
        for message in (*plain.input_messages, *plain.output_messages):
            message.remembered = None
        assert said(operation) == said(plain)


@settings(max_examples=50)
@given(operation=operations, limit=st.integers(0, 50))
def test_what_is_cut_off_is_remembered_whole(operation: Operation, limit: int) -> None:
    remembered = kept(operation)
    cut = said(operation, limit)
    assert said(remembered, limit) == cut
    assert said(remembered) == said(operation)


@pytest.mark.parametrize("every", [1, 2])
def test_what_json_cannot_say_in_one_message_changes_no_other(every: int) -> None:
    arguments = '{ "n": 1e5,  "big": 123456789012345678901234567890 }'
    messages = (
        Message("user", (TextPart("a\ud800b"),)),
        Message("assistant", (ToolCall("f", "1", arguments), TextPart("\udfff"))),
        Message("assistant", (ToolCall("f", "1", arguments),)),
    )
    tools = (ToolDefinition("f\ud800"), ToolDefinition("g", parameters=arguments))
    operation = Operation(op="llm", input_messages=messages, tool_definitions=tools)
    plain = said(operation)
    assert said(kept(operation, every=every)) == plain
    attributes = dict(plain)
    assert arguments in str(attributes["gen_ai.input.messages"])
    assert arguments in str(attributes["gen_ai.tool.definitions"])
    assert json.loads(str(attributes["gen_ai.input.messages"]))[0]["parts"][0]["content"] == "a\ufffdb"


def test_each_message_is_written_once_a_dialect() -> None:
    message = Message("tool", (ToolResult("1", "one"), ToolResult("2", "two")), remembered={})
    tool = ToolDefinition("f", parameters='{"type":"object"}', remembered={})
    operation = Operation(op="llm", input_value="", input_messages=(message, message), tool_definitions=(tool,))
    first = write(operation, ("genai", "openinference"))
    assert message.remembered is not None
    assert tool.remembered is not None
    assert message.remembered.keys() == tool.remembered.keys() == {"genai", "openinference"}
    message.parts, tool.name = (), "g"  # which nobody may do: here it shows that nobody looks again
    assert write(operation, ("genai", "openinference")) == first
    assert first["llm.input_messages.3.message.content"] == "two"


def test_a_text_is_put_together_once() -> None:
    message = Message("user", (TextPart("one"), TextPart("two")), remembered={})
    assert message.text == message.text == "one\ntwo"
    assert message.text is message.text
    silent = Message("user", (ToolResult("1", "done"),), remembered={})
    assert Operation(input_messages=(message, *[silent] * 3)).readable_input == "one\ntwo"
    assert silent.remembered == {"text": ""}


def test_what_is_remembered_is_no_part_of_what_a_message_is() -> None:
    message = Message("user", (TextPart("hi"),), remembered={})
    write(Operation(op="llm", input_messages=(message,)), EVERY_DIALECT)
    assert message == Message("user", (TextPart("hi"),))
    assert repr(message) == repr(Message("user", (TextPart("hi"),)))
    assert pickle.loads(pickle.dumps(message)) == deepcopy(message) == message


@pytest.mark.parametrize("remember", [False, True])
def test_of_more_messages_than_a_span_holds_the_newest_are_written(remember: bool) -> None:
    messages = [Message("user", (TextPart(str(n)),)) for n in range(MAX_ITEMS + 10)]
    messages.append(Message("tool", (ToolResult("1", "one"), ToolResult("2", "two"))))
    operation = Operation(op="llm", input_messages=tuple(messages))
    if remember:
        operation = kept(operation)
    flat = write(operation, ("openinference", "openllmetry"))
    assert flat["llm.input_messages.0.message.content"] == "12"
    assert flat[f"llm.input_messages.{MAX_ITEMS - 1}.message.content"] == "two"
    assert f"llm.input_messages.{MAX_ITEMS}.message.role" not in flat
    assert flat["gen_ai.prompt.0.content"] == "11"
    assert f"gen_ai.prompt.{MAX_ITEMS - 1}.role" in flat
