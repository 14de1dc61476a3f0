"""Plain copies of requests and responses: the same content, nobody else's to change, and keys that tell them apart."""

from __future__ import annotations

import copy
import enum
import json
from collections import OrderedDict
from typing import Any, NamedTuple

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.instrumentation.plain import key_of, plain, size_of, text_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


class Word(str, enum.Enum):
    USER = "user"


class Number(enum.IntEnum):
    ONE = 1


class Real(float):
    pass


class Pair(NamedTuple):
    left: str
    right: str


class Names(list[str]):
    pass


class Inner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    name: str


class Outer(pydantic.BaseModel):
    inner: list[Inner]
    role: Word = Word.USER


class Lying:
    """Says that it is a text, as mocks do."""

    __class__ = property(lambda self: str)


@given(JSON)
def test_json_comes_out_as_it_went_in(value: Any) -> None:
    assert json.dumps(plain(value)) == json.dumps(value)


@given(JSON)
def test_no_container_is_shared_with_the_program(value: Any) -> None:
    mine: dict[str, Any] = {"a": [value], "b": {"c": value}}
    kept = plain(mine)
    before = copy.deepcopy(kept)
    mine["a"].append("later")
    mine["b"]["d"] = "later"
    if isinstance(value, dict):
        value.clear()
    elif isinstance(value, list):
        value.append("later")
    assert kept == before


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Word.USER, "user"),
        (Number.ONE, 1),
        (Real(1.5), 1.5),
        (("a", "b"), ["a", "b"]),
        (Pair("a", "b"), ["a", "b"]),
        (Names(["a"]), ["a"]),
        (OrderedDict(role=Word.USER), {"role": "user"}),
        (Inner(name="n", more=Word.USER), {"name": "n", "more": "user"}),  # type: ignore[call-arg]
        (Outer(inner=[Inner(name="n")]), {"inner": [{"name": "n"}], "role": "user"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_knows_in_another_type_is_read_as_json_would_write_it(value: Any, expected: Any) -> None:
    found = plain({"x": value})["x"]
    assert found == expected
    assert type(found) is type(expected)


def test_what_is_no_json_stays_what_it_is() -> None:
    lying = Lying()
    found = plain({"set": {1}, "lying": lying})
    assert found["set"] == {1}
    assert found["lying"] is lying


def test_a_value_that_contains_itself_ends() -> None:
    endless: dict[str, Any] = {"name": "loop"}
    endless["more"] = [endless, endless]
    assert plain(endless)["name"] == "loop"
    size_of(plain(endless))


def test_a_value_that_is_wide_at_every_level_ends() -> None:
    wide: Any = "leaf"
    for _ in range(24):
        wide = [wide] * 10
    plain(wide)


@given(JSON, JSON)
def test_keys_are_equal_where_json_is_and_only_there(left: Any, right: Any) -> None:
    same = json.dumps(left) == json.dumps(right)
    assert (key_of(left) == key_of(right)) == same or _differs_in_zero_only(left, right)
    assert key_of(plain(left)) == key_of(left)
    hash(key_of(left))


def _differs_in_zero_only(left: Any, right: Any) -> bool:
    """Say whether two values differ in the sign of a zero alone, as -0.0 and 0.0 do."""
    return json.dumps(left).replace("-0.0", "0.0") == json.dumps(right).replace("-0.0", "0.0")


@pytest.mark.parametrize(
    ("left", "right"),
    [(1, True), (1, 1.0), ("1", 1), ([], {}), ([["a", 1]], {"a": 1}), ("[]", []), ("a" * 5000, "b" * 5000)],
)
def test_keys_tell_what_python_takes_for_equal_apart(left: Any, right: Any) -> None:
    assert key_of(left) != key_of(right)


def test_a_key_holds_no_long_text() -> None:
    text = "x" * 1_000_000
    assert len(repr(key_of([{"content": text}]))) < 200
    assert key_of(text) == key_of("x" * 1_000_000)


def test_what_has_no_content_of_its_own_is_equal_to_nothing() -> None:
    value = object()
    assert key_of(value) != key_of(value)


@given(JSON)
def test_size_is_that_of_the_texts(value: Any) -> None:
    def texts(value: Any) -> int:
        if isinstance(value, str):
            return len(value)
        if isinstance(value, dict):
            return sum(map(texts, value.values()))
        return sum(map(texts, value)) if isinstance(value, list) else 0

    assert size_of(value) == texts(value)


def test_text_of_says_anything_as_text() -> None:
    assert text_of(None) is None
    assert text_of("as it is") == "as it is"
    assert text_of({"a": [1]}) == '{"a":[1]}'
