"""The tree of recorded spans."""

from __future__ import annotations

import contextlib
import io

import aotel
from aotel.testing import RecordedSpans, record_spans
from tests.examples.programs import module

tree = module("tree")


@aotel.coat("tool")
def fetch(name: str) -> str:
    aotel.tie("fetching", {"name": name})
    if name == "missing":
        raise LookupError(f"no {name}")
    return f"the {name}"


def _family() -> RecordedSpans:
    with record_spans() as recorded, aotel.step("parent"):
        fetch("first")
        with aotel.step("second"):
            pass
    return recorded


def test_children_stand_under_their_parents_in_order_of_their_beginning() -> None:
    lines = list(tree.render(_family().spans, tree.Style()))
    names = [line[:15].rstrip() for line in lines]
    assert names == ["parent", "├─ fetch", "│  └─ * fetching"[:15], "└─ second"]
    assert "TOOL" in lines[1]
    assert "agent.tool.result" in lines[1]
    assert lines[1].endswith("ms  the first")
    assert lines[2].endswith('{"name":"first"}')


def test_plain_characters_where_there_is_no_utf_8() -> None:
    lines = list(tree.render(_family().spans, tree.Style(boxes=False)))
    assert "\n".join(lines).isascii()
    assert lines[1].startswith("|- fetch")


def test_failure_is_told() -> None:
    with record_spans() as recorded, contextlib.suppress(LookupError):
        fetch("missing")
    (line, _) = tree.render(recorded.spans, tree.Style(colours=True))
    assert "coat.error" in line
    assert line.endswith(f"{tree.RED}LookupError: no missing{tree.PLAIN}")


def test_span_whose_parent_was_not_recorded_is_a_root() -> None:
    inner = [span for span in _family().spans if span.name == "fetch"]
    assert next(tree.render(inner, tree.Style())).startswith("fetch")


def test_no_spans_no_lines() -> None:
    assert list(tree.render([], tree.Style())) == []


def test_lines_are_no_longer_than_the_place_is_wide() -> None:
    with record_spans() as recorded:
        fetch("long " * 100)
    for width in (0, 40, 80):
        for style in (tree.Style(width=width), tree.Style(width=width, boxes=False)):
            assert all(len(tree.shorten(line, width, style)) <= width for line in tree.render(recorded.spans, style))
    assert all(len(line) <= 100 for line in tree.render(recorded.spans, tree.Style(width=100)))


def test_style_of_a_place_that_is_no_terminal() -> None:
    place = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    assert tree.Style.of(place) == tree.Style(boxes=False)
