"""What a reader of one vocabulary gets of spans that speak several: its own, and what belongs to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from aotel.dialects.narrowing import narrowed, vocabulary
from aotel.operation import Operation
from tests.dialects.test_round_trips import operations, span_of

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

GENAI, OPENINFERENCE, BOTH = frozenset({"genai"}), frozenset({"openinference"}), frozenset({"genai", "openinference"})


@pytest.mark.parametrize("dialect", ["genai", "openinference"])
@settings(max_examples=60)
@given(operation=operations)
def test_what_is_left_is_what_would_have_been_written_alone(dialect: str, operation: Operation) -> None:
    several = span_of(operation, "genai", "openinference")
    left = narrowed(several, frozenset({dialect}))
    alone = span_of(operation, dialect)
    found = {name: value for name, value in (several if left is None else left).items() if vocabulary(name) is not None}
    assert found == {name: value for name, value in alone.items() if vocabulary(name) is not None}


@settings(max_examples=30)
@given(operation=operations)
def test_what_belongs_to_nobody_stays(operation: Operation) -> None:
    own: dict[str, AttributeValue] = {
        "user.id": "u",
        "session.id": "s",
        "metadata": "{}",
        "app.gen_ai.x": 1,
        "input.rows": 3,
        "tool.version": "2",
    }
    left = narrowed({**span_of(operation, "genai", "openinference"), **own}, GENAI)
    assert left is not None
    assert left.items() >= own.items()


def test_a_reader_of_both_gets_both() -> None:
    span = span_of(Operation(op="llm"), "genai", "openinference")
    assert narrowed(span, BOTH) is None


def test_a_span_that_says_it_in_no_word_that_is_read_is_left_as_it_is() -> None:
    """Nobody put it into the other vocabulary: then it is said once."""
    span = {"gen_ai.request.model": "m", "gen_ai.input.messages": "[]"}
    assert narrowed(span, OPENINFERENCE) is None
    assert narrowed({**span, "openinference.span.kind": "LLM"}, OPENINFERENCE) == {"openinference.span.kind": "LLM"}


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("gen_ai.operation.name", None),
        ("gen_ai.prompt.name", "genai"),
        ("gen_ai.prompt.0.content", "openllmetry"),
        ("traceloop.span.kind", "openllmetry"),
        ("llm.input_messages.0.message.content", "openinference"),
        ("retrieval.documents.0.document.content", "openinference"),
        ("retrieval.documents_seen", None),
        ("tag.tags", None),
        ("aot.operation", None),
    ],
)
def test_a_name_is_of_one_vocabulary_or_of_none(name: str, of: str | None) -> None:
    assert vocabulary(name) == of
