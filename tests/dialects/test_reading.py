from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from aotel.dialects import read
from aotel.semconv.operations import READINGS
from tests.dialects.samples import GENAI_AGENT, GENAI_CHAT, GENAI_TOOL, OPERATIONS, PLAIN_HTTP

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Operation


def operation_of(attributes: Mapping[str, object], *, root: bool = True, inside_agent: bool = False) -> Operation:
    operation = read(attributes, root=root, inside_agent=inside_agent)
    assert operation is not None
    return operation


def test_a_plain_span_inside_a_session_is_no_operation() -> None:
    assert read(PLAIN_HTTP, name="GET /") is None
    assert read({}) is None


@pytest.mark.parametrize("sample", OPERATIONS)
def test_every_emitter_is_understood(sample: str) -> None:
    assert operation_of(OPERATIONS[sample]).op is not None


class Locking(Mapping[str, object]):
    """A mapping that is no dict, as the SDK's own attributes are."""

    def __init__(self, attributes: Mapping[str, object]) -> None:
        self._attributes = dict(attributes)

    def __getitem__(self, key: str) -> object:
        return self._attributes[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)


def test_any_mapping_can_be_read() -> None:
    assert read(Locking(GENAI_CHAT)) == read(GENAI_CHAT)


NESTED = {"agent": "delegation", "session": "step"}


@pytest.mark.parametrize(("name", "word"), [(name, word) for name, words in READINGS.items() for word in words])
def test_every_word_of_the_registry_is_read_as_it_says(name: str, word: str) -> None:
    reading = READINGS[name][word]
    assert operation_of({name: word}).op == reading.tag
    assert operation_of({name: word}, root=False, inside_agent=True).op == reading.nested


def test_an_agent_outside_any_other_agent_is_an_agent_also_below_a_plain_span() -> None:
    assert operation_of(GENAI_AGENT, root=False).op == "agent"
    assert operation_of(GENAI_AGENT, root=False, inside_agent=True).op == "delegation"


def test_a_workflow_is_a_session_at_a_root_only() -> None:
    workflow = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "trip"}
    assert operation_of(workflow).op == "session"
    assert operation_of(workflow, root=False).op == "step"
    assert operation_of(workflow, inside_agent=True).op == "step"


def test_our_own_spans_are_placed_by_their_author_alone() -> None:
    own = {"aot.operation": "agent", "gen_ai.operation.name": "invoke_agent"}
    assert operation_of(own, root=False, inside_agent=True).op == "agent"
    assert operation_of({"aot.operation": "LLM_Call"}).op == "llm"
    assert operation_of({"aot.operation": "my_own_step"}).op == "my_own_step"


@pytest.mark.parametrize(
    ("attributes", "tag"),
    [
        ({"gen_ai.request.model": "m"}, "llm"),
        ({"gen_ai.tool.name": "f"}, "tool"),
        ({"gen_ai.retrieval.query.text": "q"}, "retrieval"),
        ({"gen_ai.embeddings.dimension.count": 3}, "embedding"),
        ({"gen_ai.system": "openai"}, "step"),
        ({"gen_ai.operation.name": "something_new"}, "step"),
        ({"gen_ai.operation.name": "something_new", "gen_ai.request.model": "m"}, "llm"),
        ({"gen_ai.operation.name": "create_agent"}, "step"),
        ({"gen_ai.operation.name": "upsert_memory"}, "memory"),
        ({"gen_ai.operation.name": "handoff"}, "delegation"),
        ({"openinference.span.kind": "UNKNOWN"}, "step"),
        ({"openinference.span.kind": "UNKNOWN", "llm.model_name": "m"}, "llm"),
        ({"openinference.span.kind": "llm"}, "llm"),
        ({"openinference.span.kind": "CHAIN"}, "step"),
        ({"openinference.span.kind": "EVALUATOR"}, "validation"),
        ({"openinference.span.kind": "no such kind"}, "step"),
        ({"input.value": "hello"}, "step"),
        ({"retrieval.documents.0.document.content": "x"}, "retrieval"),
        ({"reranker.query": "x"}, "rerank"),
        ({"embedding.embeddings.0.embedding.text": "x"}, "embedding"),
        ({"llm.input_messages.0.message.content": "x"}, "llm"),
        ({"gen_ai.prompt.0.content": "x"}, "llm"),
        ({"llm.request.type": "rerank"}, "rerank"),
        ({"traceloop.span.kind": "handoff"}, "delegation"),
        ({"traceloop.span.kind": "workflow", "llm.request.type": "chat"}, "llm"),
        ({"traceloop.entity.name": "x"}, "step"),
    ],
)
def test_an_operation_is_told_from_what_there_is(attributes: dict[str, AttributeValue], tag: str) -> None:
    assert operation_of(attributes).op == tag


def test_a_more_precise_word_than_ours_is_kept() -> None:
    assert operation_of({"gen_ai.operation.name": "text_completion"}).operation_name == "text_completion"
    assert operation_of({"gen_ai.operation.name": "chat"}).operation_name is None


def test_a_kind_that_contradicts_the_operation_is_kept_as_its_kind() -> None:
    both = {"gen_ai.operation.name": "chat", "openinference.span.kind": "CHAIN"}
    assert operation_of(both).op == "llm"
    assert operation_of(both).kind_override == "CHAIN"
    assert operation_of({**both, "openinference.span.kind": "LLM"}).kind_override is None


def test_the_first_vocabulary_that_says_a_thing_is_believed() -> None:
    operation = operation_of(
        {
            **GENAI_CHAT,
            "openinference.span.kind": "LLM",
            "llm.model_name": "another",
            "llm.token_count.prompt": 1,
            "llm.token_count.total": 900,
            "llm.input_messages.0.message.content": "other words",
            "metadata": '{"a": 1}',
        },
    )
    assert operation.request_model == "gpt-4o"
    assert operation.usage is not None
    assert operation.usage.input_tokens == 100
    assert operation.usage.total_tokens == 900
    assert operation.input_messages[0].text == "Weather here?"
    assert operation.metadata == '{"a": 1}'


def test_an_unreadable_vocabulary_leaves_the_word_to_the_next() -> None:
    cut_off = {"gen_ai.input.messages": '[{"role": "us', "llm.input_messages.0.message.content": "hello"}
    assert operation_of(cut_off).input_messages[0].text == "hello"


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"gen_ai.operation.name": "chat"}, "chat gpt"),
        (GENAI_TOOL, "get_weather"),
        (GENAI_AGENT, "Forecaster"),
        ({"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "trip"}, "trip"),
        ({"traceloop.span.kind": "task", "traceloop.entity.name": "collect"}, "collect"),
        # The agent that a chat belongs to is not the chat's name.
        ({"gen_ai.operation.name": "chat", "gen_ai.agent.name": "Forecaster"}, "chat gpt"),
    ],
)
def test_an_operation_has_the_name_of_what_it_executes_else_the_spans(
    attributes: dict[str, AttributeValue],
    name: str,
) -> None:
    operation = read(attributes, name="chat gpt")
    assert operation is not None
    assert operation.name == name


def test_cached_tokens_counted_apart_are_counted_in() -> None:
    apart = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_creation.input_tokens": 7,
        "gen_ai.usage.output_tokens": 5,
    }
    usage = operation_of(apart).usage
    assert usage is not None
    assert (usage.input_tokens, usage.total) == (50, 55)


def test_cached_tokens_counted_in_stay_so() -> None:
    usage = operation_of(GENAI_CHAT).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (100, 64, 16)


def test_a_total_that_is_the_sum_says_nothing_of_its_own() -> None:
    base: dict[str, object] = {
        "openinference.span.kind": "LLM",
        "llm.token_count.prompt": 2,
        "llm.token_count.completion": 3,
    }
    plain = operation_of({**base, "llm.token_count.total": 5}).usage
    other = operation_of({**base, "llm.token_count.total": 6}).usage
    assert plain is not None
    assert other is not None
    assert (plain.total_tokens, plain.total) == (None, 5)
    assert (other.total_tokens, other.total) == (6, 6)


@pytest.mark.parametrize("value", [True, -1, "many", 1.5, 2**70, float("nan"), (), "9" * 40, None])
def test_a_count_that_is_none_is_not_known(value: AttributeValue) -> None:
    operation = operation_of({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value})
    assert operation.usage is None


@pytest.mark.parametrize(("value", "count"), [(0, 0), ("12", 12), (7.0, 7), (2**40, 2**40)])
def test_a_count_may_come_as_another_type(value: AttributeValue, count: int) -> None:
    usage = operation_of({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value}).usage
    assert usage is not None
    assert usage.input_tokens == count
