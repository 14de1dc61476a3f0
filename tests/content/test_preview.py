"""Previews: what a person reads of content, within a length."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aotel.content import preview

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=30,
)


@given(TREES, st.integers(min_value=0, max_value=300))
def test_a_preview_is_the_beginning_of_the_repr(tree: object, length: int) -> None:
    written = preview(tree, length)  # type: ignore[arg-type]
    whole = repr(tree)
    assert len(written) <= length
    if len(whole) <= length:
        assert written == whole
    elif length >= 3:
        assert written.endswith("...")
        # Which quotes `repr` takes depends on the whole text, of which a preview sees the beginning only.
        unquoted = str.maketrans("", "", "'\"\\")
        assert whole.translate(unquoted).startswith(written[:-3].translate(unquoted).rstrip("'\"\\"))


@pytest.mark.parametrize(
    ("tree", "length", "written"),
    [
        ("text", 200, "'text'"),
        (None, 200, "None"),
        (True, 200, "True"),
        (1.5, 200, "1.5"),
        ([], 200, "[]"),
        ({}, 200, "{}"),
        ({"a": [1, "b"], "c": {}}, 200, "{'a': [1, 'b'], 'c': {}}"),
        ("x" * 300, 10, "'xxxxxx..."),
        ([1, 2, 3, 4], 8, "[1, 2..."),
        ("text", 0, ""),
        ("text", 2, ".."),
        ("text", 6, "'text'"),
        ("text", 5, "'t..."),
    ],
)
def test_previews(tree: object, length: int, written: str) -> None:
    assert preview(tree, length) == written  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "tree",
    [
        ["x" * 100] * 1_000_000,
        {str(index): [index] * 10 for index in range(100_000)},
        "x" * 100_000_000,
        [["x"] * 1000] * 1000,
    ],
    ids=["list", "dict", "text", "lists"],
)
def test_the_work_is_in_proportion_to_the_length(tree: object) -> None:
    tracemalloc.start()
    assert len(preview(tree, 200)) == 200  # type: ignore[arg-type]
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
