"""`Op`, the table of operations, and what other vocabularies call them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openinference.semconv.trace import OpenInferenceSpanKindValues

from aotel.semconv.kinds import CORE_KINDS, KINDS
from aotel.semconv.operations import ALIASES, READINGS, TAXONOMY, Op, Taxonomy, lookup

STEP_TRANSITION = "agent.step.transition"

TABLE = [
    # tag, start, end, gen_ai.operation.name, OpenInference kind
    ("llm", "agent.llm.request", "agent.llm.response", "chat", "LLM"),
    ("tool", "agent.tool.call", "agent.tool.result", "execute_tool", "TOOL"),
    ("transform", "agent.tool.call", "agent.tool.result", "execute_tool", "TOOL"),
    ("retrieval", "agent.memory.read", "agent.memory.read", "retrieval", "RETRIEVER"),
    ("rerank", "agent.memory.read", "agent.memory.read", None, "RERANKER"),
    ("embedding", "agent.llm.request", "agent.llm.response", "embeddings", "EMBEDDING"),
    ("memory", "agent.memory.write", "agent.memory.write", None, "CHAIN"),
    ("delegation", "agent.subagent.dispatch", "agent.subagent.return", "invoke_agent", "AGENT"),
    ("agent", "agent.run.start", "agent.run.end", "invoke_agent", "AGENT"),
    ("session", "agent.session.start", "agent.session.end", "invoke_workflow", "AGENT"),
    ("human", "agent.human.request", "agent.human.request", None, "CHAIN"),
    ("guardrail", STEP_TRANSITION, STEP_TRANSITION, None, "GUARDRAIL"),
    ("validation", STEP_TRANSITION, STEP_TRANSITION, None, "EVALUATOR"),
    ("decision", STEP_TRANSITION, STEP_TRANSITION, None, "CHAIN"),
    ("reasoning", STEP_TRANSITION, STEP_TRANSITION, None, "CHAIN"),
    ("observation", STEP_TRANSITION, STEP_TRANSITION, None, "CHAIN"),
    ("planning", STEP_TRANSITION, STEP_TRANSITION, "plan", "CHAIN"),
    ("step", "agent.step.start", "agent.step.end", None, "CHAIN"),
    ("stream", "agent.step.start", "agent.step.end", None, "CHAIN"),
]
ALIAS_TABLE = [
    ("llm_call", Op.LLM),
    ("action", Op.TOOL),
    ("tool_call", Op.TOOL),
    ("thought", Op.REASONING),
    ("react_obs", Op.OBSERVATION),
    ("agent_step", Op.STEP),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_each_operation_is_called_what_the_contract_says(row: tuple[str, str, str, str | None, str]) -> None:
    assert lookup(row[0]) == Taxonomy(*row)
    assert Op(row[0]).value == row[0]
    assert Op[row[0].upper()] is Op(row[0])


def test_there_are_no_other_operations() -> None:
    tags = [row[0] for row in TABLE]
    assert list(TAXONOMY) == tags
    assert [member.value for member in Op] == tags


@pytest.mark.parametrize(("alias", "member"), ALIAS_TABLE, ids=str)
def test_an_alias_is_the_same_member(alias: str, member: Op) -> None:
    assert Op[alias.upper()] is member
    assert Op(alias) is member
    assert lookup(alias).tag == member


def test_there_are_no_other_aliases() -> None:
    assert {alias: member.value for alias, member in ALIAS_TABLE} == ALIASES
    assert set(Op.__members__) == {tag.upper() for tag in (*TAXONOMY, *ALIASES)}


@pytest.mark.parametrize(
    ("alias", "member"),
    [
        (Op.THOUGHT, Op.REASONING),
        (Op.ACTION, Op.TOOL),
        (Op.REACT_OBS, Op.OBSERVATION),
        (Op.LLM_CALL, Op.LLM),
        (Op.TOOL_CALL, Op.TOOL),
        (Op.AGENT_STEP, Op.STEP),
    ],
)
def test_named_aliases_are_identical(alias: Op, member: Op) -> None:
    assert alias is member


@given(st.sampled_from([*TAXONOMY, *ALIASES]), st.randoms(use_true_random=False))
def test_lookup_ignores_case(tag: str, random: object) -> None:
    mixed = "".join(random.choice((c.upper(), c.lower())) for c in tag)  # type: ignore[attr-defined]
    assert lookup(mixed) is lookup(tag)
    assert Op(mixed) is Op(tag)


@given(st.text(min_size=1))
def test_an_unknown_tag_is_a_step_that_keeps_its_name(tag: str) -> None:
    row = lookup(tag)
    if ALIASES.get(tag.lower(), tag.lower()) in TAXONOMY:
        assert row.tag == Op(tag)
    else:
        assert row == TAXONOMY["step"]._replace(tag=tag)
        with pytest.raises(ValueError, match="is not a valid Op"):
            Op(tag)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_tag_is_a_step(nothing: str | None) -> None:
    assert lookup(nothing) is TAXONOMY["step"]


@pytest.mark.parametrize("value", [None, 1, b"llm", ["llm"]])
def test_only_strings_are_operations(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid Op"):
        Op(value)


@pytest.mark.parametrize("member", list(Op))
def test_a_member_is_its_string(member: Op) -> None:
    tag = member.value
    assert member == tag
    assert hash(member) == hash(tag)
    assert {tag: 1}[member] == 1
    assert str(member) == f"{member}" == "%s" % member == tag  # noqa: UP031  (all ways to write it)
    assert f"{member:>12}" == tag.rjust(12)
    assert json.dumps(member) == json.dumps(tag)
    assert lookup(member) is TAXONOMY[tag]
    assert type(lookup(member).tag) is str


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("member", [Op.LLM, Op.THOUGHT, Op.ACTION])
def test_a_member_survives_pickling_and_copying(member: Op, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(member, protocol)) is member
    assert copy.deepcopy(member) is member


def test_start_and_end_kinds_exist_and_every_core_kind_is_used() -> None:
    used = {kind for row in TAXONOMY.values() for kind in (row.start_kind, row.end_kind)}
    assert used == CORE_KINDS
    assert {"coat.emit", "coat.error"} == KINDS - CORE_KINDS
    assert len(CORE_KINDS) == 16


def test_our_openinference_kinds_are_theirs() -> None:
    assert {row.openinference for row in TAXONOMY.values()} <= {kind.value for kind in OpenInferenceSpanKindValues}


def test_every_openinference_kind_can_be_read() -> None:
    assert set(READINGS["openinference.span.kind"]) == {kind.value for kind in OpenInferenceSpanKindValues}


@pytest.mark.parametrize(
    ("attribute", "value", "tag", "nested"),
    [
        ("gen_ai.operation.name", "invoke_agent", "agent", "delegation"),
        ("gen_ai.operation.name", "invoke_workflow", "session", "step"),
        ("gen_ai.operation.name", "text_completion", "llm", "llm"),
        ("gen_ai.operation.name", "plan", "planning", "planning"),
        ("openinference.span.kind", "CHAIN", "step", "step"),
        ("openinference.span.kind", "EVALUATOR", "validation", "validation"),
        ("openinference.span.kind", "DECISION", "decision", "decision"),
        ("openinference.span.kind", "PROMPT", "step", "step"),
        ("openinference.span.kind", "UNKNOWN", "step", "step"),
        ("traceloop.span.kind", "task", "step", "step"),
        ("llm.request.type", "completion", "llm", "llm"),
    ],
)
def test_a_foreign_word_is_one_of_our_operations(attribute: str, value: str, tag: str, nested: str) -> None:
    assert READINGS[attribute][value] == (tag, nested)


def test_what_we_write_is_read_back_as_the_same_or_a_broader_operation() -> None:
    for row in TAXONOMY.values():
        reading = READINGS["openinference.span.kind"][row.openinference]
        assert TAXONOMY[reading.tag].openinference == row.openinference
        if row.genai is not None:
            assert TAXONOMY[READINGS["gen_ai.operation.name"][row.genai].tag].genai == row.genai
