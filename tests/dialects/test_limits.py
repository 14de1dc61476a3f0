from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import missing, read, write
from aotel.dialects.limits import cut, cut_all
from aotel.operation import Message, Operation, TextPart
from tests.dialects.samples import GENAI_CHAT
from tests.dialects.strategies import genai_operations, said, trees

JSON_NAMES = ("gen_ai.input.messages", "gen_ai.output.messages", "llm.invocation_parameters", "gen_ai.tool.definitions")


def test_a_text_is_cut_where_the_limit_is() -> None:
    assert cut("hello world", 5) == "hello"
    assert cut("hello", 5) == "hello"
    assert cut("{not json, but long}", 6) == "{not j"


def test_json_loses_the_ends_of_its_leaves_and_keeps_its_structure() -> None:
    text = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "x" * 500}]}])
    fitting = cut(text, 200)
    assert fitting is not None
    assert len(fitting) <= 200
    (message,) = json.loads(fitting)
    assert message["role"] == "user"
    assert set(message["parts"][0]["content"]) == {"x"}


def test_a_conversation_too_long_for_its_structure_keeps_the_newest_messages() -> None:
    text = json.dumps([{"n": n} for n in range(1000)])
    fitting = cut(text, 100)
    assert fitting is not None
    kept = json.loads(fitting)
    assert kept
    assert kept[-1] == {"n": 999}


def test_an_object_too_long_keeps_its_first_keys() -> None:
    fitting = cut(json.dumps({f"key{n}": n for n in range(100)}), 60)
    assert fitting is not None
    assert json.loads(fitting)["key0"] == 0


@pytest.mark.parametrize(("text", "fitting"), [("[1,2,3]", "[]"), ('{"a":1}', "{}"), ('"hello"', '""')])
def test_the_least_json_is_empty(text: str, fitting: str) -> None:
    assert cut(text, 2) == fitting
    assert cut(text, 1) is None


@settings(max_examples=150)
@given(tree=trees | st.lists(trees, max_size=8), limit=st.integers(0, 40))
def test_json_stays_json_at_every_limit(tree: Any, limit: int) -> None:
    text = json.dumps(tree, ensure_ascii=False)
    fitting = cut(text, limit)
    if fitting is not None:
        assert len(fitting) <= limit
        if text[:1] in ("{", "[", '"'):
            assert isinstance(json.loads(fitting), type(tree))


@settings(max_examples=100)
@given(text=said, limit=st.integers(0, 20))
def test_no_text_is_longer_than_the_limit(text: str, limit: int) -> None:
    fitting = cut(text, limit)
    assert fitting is None or len(fitting) <= limit


@settings(max_examples=40)
@given(operation=genai_operations, limit=st.integers(0, 200))
def test_no_attribute_is_longer_than_the_limit_and_json_is_json(operation: Operation, limit: int) -> None:
    attributes = write(operation, ("genai", "openinference"), limit=limit)
    for name, value in attributes.items():
        for text in value if isinstance(value, (list, tuple)) else (value,):
            assert not isinstance(text, str) or len(text) <= limit
        if name in JSON_NAMES:
            json.loads(str(value))


def test_without_a_limit_nothing_is_cut() -> None:
    operation = Operation(op="llm", input_messages=(Message("user", (TextPart("x" * 100_000),)),))
    assert len(str(write(operation, ("openinference",))["input.value"])) == 100_000


def test_what_is_added_to_a_span_keeps_to_the_limit_too() -> None:
    operation = read(GENAI_CHAT)
    assert operation is not None
    added = missing(GENAI_CHAT, operation, ("openinference",), limit=5)
    assert added["llm.model_name"] == "gpt-4"
    assert "llm.tools.0.tool.json_schema" in added
    assert json.loads(str(added["llm.tools.0.tool.json_schema"])) == {}


def test_lists_of_texts_are_cut_one_by_one_and_numbers_left_alone() -> None:
    attributes = cut_all({"tags": ("long text", "s"), "n": 123456789, "flag": True, "scores": [1.5, 2.5]}, 4)
    assert attributes == {"tags": ["long", "s"], "n": 123456789, "flag": True, "scores": [1.5, 2.5]}
