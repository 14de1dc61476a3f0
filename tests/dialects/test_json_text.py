from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects.json_text import clean, decode, embed, encode, is_json, mime_type
from tests.dialects.strategies import hostile_values, trees


@pytest.mark.parametrize("text", ['{"a": 1}', "[]", '[{"a": "é"}]', '{"a": 1e999}'])
def test_objects_and_arrays_are_json(text: str) -> None:
    assert is_json(text)
    assert mime_type(text) == "application/json"


@pytest.mark.parametrize(
    "text", ["", "5", '"text"', "null", "{", "[INFO] started]", "{a}", "[1,]", '{"a": NaN}', "[\ud800]"]
)
def test_everything_else_is_text(text: str) -> None:
    assert not is_json(text)
    assert mime_type(text) is None


def test_pythons_own_extensions_of_json_are_read() -> None:
    assert decode('[NaN, Infinity, "\\ud800x", "\\ud83d\\ude00"]') == [None, None, "\ufffdx", "😀"]
    assert decode("[1e999]") == [None]


@settings(max_examples=100)
@given(tree=trees)
def test_trees_survive(tree: object) -> None:
    assert decode(encode(tree)) == tree


@settings(max_examples=200)
@given(value=hostile_values)
def test_anything_is_encoded_as_valid_json(value: object) -> None:
    json.loads(encode(value))


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (math.nan, None),
        (2**70, 2**70),
        (b"bytes", None),
        (object(), None),
        ({1: {2}}, {"1": None}),
        (("a", ["b"]), ["a", ["b"]]),
        ("a\udc00", "a\ufffd"),
    ],
)
def test_what_json_cannot_say_is_null(value: object, cleaned: object) -> None:
    assert clean(value) == cleaned
    json.loads(encode(value))


def test_an_endless_number_is_null() -> None:
    assert clean(10**5000) is None
    json.loads(encode([10**5000]))


def test_a_cycle_ends() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    json.loads(encode(cycle))


@given(text=st.text())
def test_an_embedded_text_is_a_value_of_valid_json(text: str) -> None:
    (value,) = json.loads(encode([embed(text)]))
    assert value == text or value == json.loads(text)
