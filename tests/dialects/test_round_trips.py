from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aotel.dialects import DIALECTS, missing, read, write
from aotel.operation import Operation
from aotel.semconv.operations import TAXONOMY
from tests.dialects import strategies
from tests.dialects.keeping import lost
from tests.dialects.samples import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

STRATEGIES = {
    "genai": strategies.genai_operations,
    "openinference": strategies.openinference_operations,
    "openllmetry": strategies.openllmetry_operations,
}
EVERY_DIALECT = tuple(DIALECTS)

operations = st.one_of(*STRATEGIES.values())


def span_of(operation: Operation, *dialects: str) -> dict[str, AttributeValue]:
    """Attributes as one of our own spans has them: its tag, and what the dialects say."""
    return {"aot.operation": operation.op or "step", **write(operation, dialects)}


def read_back(attributes: Mapping[str, AttributeValue]) -> Operation:
    operation = read(attributes)
    assert operation is not None
    return operation


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
@settings(max_examples=30)
@given(data=st.data())
def test_a_dialect_reads_back_all_that_it_can_say(dialect: str, data: st.DataObject) -> None:
    operation = data.draw(STRATEGIES[dialect])
    assert lost(operation, read_back(write(operation, (dialect,)))) == []


@pytest.mark.parametrize("dialect", EVERY_DIALECT)
@settings(max_examples=20)
@given(operation=operations)
def test_writing_what_was_read_says_the_same_again(dialect: str, operation: Operation) -> None:
    written = span_of(operation, dialect)
    assert span_of(read_back(written), dialect) == written


@pytest.mark.parametrize(("source", "target"), [(one, other) for one in DIALECTS for other in DIALECTS if one != other])
@settings(max_examples=10)
@given(data=st.data())
def test_translation_keeps_all_that_both_dialects_can_say(source: str, target: str, data: st.DataObject) -> None:
    spoken = span_of(data.draw(STRATEGIES[source]), source)
    before = read_back(spoken)
    added = missing(spoken, before, (target,))
    assert not spoken.keys() & added.keys()
    assert span_of(read_back({**spoken, **added}), target) == span_of(before, target)


@pytest.mark.parametrize("sample", OPERATIONS)
def test_real_emitters_keep_their_say_and_gain_both_dialects(sample: str) -> None:
    attributes = OPERATIONS[sample]
    operation = read_back(attributes)
    added = missing(attributes, operation, ("genai", "openinference"))
    assert not attributes.keys() & added.keys()
    both = {**attributes, **added}
    assert "openinference.span.kind" in both
    assert lost(operation, read_back(both)) == []
    assert missing(both, read_back(both), ("genai", "openinference")) == {}


@pytest.mark.parametrize("sample", OPERATIONS)
@pytest.mark.parametrize("dialect", EVERY_DIALECT)
def test_what_a_real_emitter_says_in_a_dialect_is_a_fixpoint_of_it(sample: str, dialect: str) -> None:
    written = span_of(read_back(OPERATIONS[sample]), dialect)
    assert span_of(read_back(written), dialect) == written


@pytest.mark.parametrize("tag", [*TAXONOMY, "my_own_step"])
def test_our_own_tag_wins_over_every_other_word_for_the_operation(tag: str) -> None:
    operation = Operation(op=tag, name="f")
    attributes = {"aot.operation": tag, **write(operation, EVERY_DIALECT)}
    assert read_back(attributes).op == tag
    assert read_back(attributes).kind_override is None


@pytest.mark.parametrize("tag", strategies.PLACED)
def test_openinference_alone_says_which_operation_it_is(tag: str) -> None:
    kind = "DECISION" if tag == "decision" else None
    assert read_back(write(Operation(op=tag, kind_override=kind), ("openinference",))).op == tag


@pytest.mark.parametrize("tag", ["llm", "tool", "retrieval", "embedding", "agent", "session", "planning"])
def test_genai_alone_says_which_operation_it_is(tag: str) -> None:
    assert read_back(write(Operation(op=tag), ("genai",))).op == tag


@pytest.mark.parametrize("tag", ["llm", "tool", "rerank", "embedding", "agent", "session", "step"])
def test_openllmetry_alone_says_which_operation_it_is(tag: str) -> None:
    assert read_back(write(Operation(op=tag), ("openllmetry",))).op == tag


JSON_ATTRIBUTES = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.documents",
    "llm.invocation_parameters",
    "embedding.invocation_parameters",
)


@settings(max_examples=20)
@given(operation=operations)
def test_json_attributes_are_valid_json(operation: Operation) -> None:
    attributes = write(operation, EVERY_DIALECT)
    for name, value in attributes.items():
        if name in JSON_ATTRIBUTES or name.endswith("tool.json_schema"):
            json.loads(str(value))
