from __future__ import annotations

import pickle
from copy import deepcopy
from dataclasses import fields

import pytest

from aotel.operation import (
    Embeddings,
    MediaPart,
    Message,
    Operation,
    ReasoningPart,
    Reranking,
    Retrieval,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
)


def test_an_operation_says_nothing_until_told() -> None:
    operation = Operation()
    assert all(getattr(operation, field.name) in (None, ()) for field in fields(operation))
    assert operation.readable_input is None
    assert operation.readable_output is None
    assert operation.reasons == ()


def test_operations_are_values() -> None:
    operation = Operation(op="llm", usage=Usage(1), input_messages=(Message("user", (TextPart("hi"),)),))
    assert operation == deepcopy(operation) == pickle.loads(pickle.dumps(operation))
    assert operation != Operation(op="llm")
    with pytest.raises(AttributeError):
        operation.colour = "red"  # type: ignore[attr-defined]


def test_a_messages_text_is_what_it_says_in_words() -> None:
    message = Message("assistant", (ReasoningPart("hm"), TextPart("one"), TextPart(""), ToolCall("f"), TextPart("two")))
    assert message.text == "one\ntwo"


USER = Message("user", (TextPart("first"),))
ANSWER = Message("assistant", (TextPart("answer"),))
CALL = Message("assistant", (ToolCall("f", "1", '{"a":1}'), ToolCall("g")))
RESULT = Message("tool", (ToolResult("1", "done"), ToolResult("2")))
SYSTEM = Message("system", (TextPart("rules"),))


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Operation(input_value="", input_messages=(USER,)), ""),
        (Operation(input_messages=(USER, ANSWER)), "first"),
        (Operation(input_messages=(USER, Message("user", (MediaPart("image"),)))), "first"),
        (Operation(input_messages=(SYSTEM, USER, CALL, RESULT)), "first"),
        (Operation(input_messages=(SYSTEM, CALL, RESULT)), "done"),
        (Operation(input_messages=(SYSTEM,)), None),
        (Operation(tool=Tool(arguments="{}")), "{}"),
        (Operation(retrieval=Retrieval("where?")), "where?"),
        (Operation(reranking=Reranking("which?")), "which?"),
        (Operation(embeddings=Embeddings(("a", "b"))), "a\nb"),
        (Operation(embeddings=Embeddings(dimension=3)), None),
    ],
)
def test_the_readable_input_is_what_was_asked_last(operation: Operation, text: str | None) -> None:
    assert operation.readable_input == text


@pytest.mark.parametrize(
    ("operation", "text"),
    [
        (Operation(output_value="", output_messages=(ANSWER,)), ""),
        (Operation(output_messages=(ANSWER, USER)), "answer"),
        (Operation(output_messages=(Message("assistant", (ReasoningPart("hm"),)), ANSWER)), "answer"),
        (Operation(output_messages=(CALL,)), 'f({"a":1})\ng()'),
        (Operation(output_messages=(Message("assistant"),)), None),
        (Operation(tool=Tool(result="ok")), "ok"),
    ],
)
def test_the_readable_output_is_what_was_answered(operation: Operation, text: str | None) -> None:
    assert operation.readable_output == text


def test_finish_reasons_are_the_operations_else_the_messages() -> None:
    messages = (Message("assistant", finish_reason="stop"), Message("assistant"))
    assert Operation(output_messages=messages).reasons == ("stop",)
    assert Operation(output_messages=messages, finish_reasons=("length",)).reasons == ("length",)


@pytest.mark.parametrize(
    ("usage", "total"),
    [(Usage(), None), (Usage(1), None), (Usage(1, 2), 3), (Usage(1, 2, 9), 9), (Usage(total_tokens=0), 0)],
)
def test_the_total_is_the_reported_one_else_the_sum(usage: Usage, total: int | None) -> None:
    assert usage.total == total
