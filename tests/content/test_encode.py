"""JSON text of content, and of what should not have been content."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import pytest
from hypothesis import given

from aotel.content import to_json
from aotel.content.encode import canonical_json, format_json_like, parse_json
from tests.content import zoo
from tests.content.test_preview import TREES


@given(TREES)
def test_content_comes_back_from_json_as_it_was(tree: object) -> None:
    assert json.loads(to_json(tree)) == tree  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("inf")],
        "\ud800",
        {"\udfff": 1},
        2**200,
        {1: 2},
        dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc),
        b"bytes",
        object(),
        zoo.deep(5000),
        {"a": {1, 2}},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_content_becomes_valid_json_all_the_same(value: object) -> None:
    text = to_json(value)  # type: ignore[arg-type]
    text.encode()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    json.loads(canonical_json(value))  # type: ignore[arg-type]


def test_a_cycle_becomes_valid_json_all_the_same() -> None:
    assert json.loads(to_json(zoo.cyclic()))[0] == 1


def test_canonical_json_is_the_same_for_equal_content() -> None:
    assert (
        canonical_json({"b": [1, 2], "a": "ü"})
        == canonical_json({"a": "ü", "b": [1, 2]})
        == '{"a":"ü","b":[1,2]}'.encode()
    )


@pytest.mark.parametrize("text", ["", "{", "nothing", "[" * 100_000, "1" * 10_000, "{'a': 1}", "\ud800"])
def test_what_is_no_json_is_not_parsed(text: str) -> None:
    assert parse_json(text) is None


@pytest.mark.parametrize("text", ['{"a": 1, "b": "ü"}', '{"a":1,"b":"\\u00fc"}', '[1, {"a": []}]'])
def test_json_is_written_in_the_manner_of_a_text(text: str) -> None:
    assert format_json_like(json.loads(text), text) == text


def test_msgspec_is_imported_when_something_is_first_encoded() -> None:
    program = (
        "import sys; from aotel.content import active, to_json\n"
        "capture = active().default; tree = capture.value({'a': 1}); assert 'msgspec' not in sys.modules\n"
        "assert to_json(tree) == '{\"a\":1}'; assert 'msgspec' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)})
