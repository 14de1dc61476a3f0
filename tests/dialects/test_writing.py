from __future__ import annotations

import json
from typing import NoReturn

import pytest

from aotel.dialects import missing, read, write
from aotel.operation import (
    Agent,
    Message,
    Operation,
    RequestParameters,
    Reranking,
    TextPart,
    Tool,
    ToolCall,
    ToolDefinition,
    Usage,
)
from aotel.semconv.attributes import NAMES, is_content
from aotel.semconv.operations import TAXONOMY
from tests.dialects.samples import GENAI_CHAT, OPENINFERENCE_CHAT

BOTH = ("genai", "openinference")


def test_a_simple_tool_span_says_what_both_vocabularies_ask_for() -> None:
    operation = Operation(
        op="tool",
        name="write_file",
        tool=Tool(call_id="call_1"),
        input_value='{"path": "notes.md"}',
        output_value="done",
    )
    assert write(operation, BOTH) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "write_file",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": '{"path": "notes.md"}',
        "gen_ai.tool.call.result": "done",
        "openinference.span.kind": "TOOL",
        "input.value": '{"path": "notes.md"}',
        "input.mime_type": "application/json",
        "output.value": "done",
        "output.mime_type": "text/plain",
        "tool.name": "write_file",
        "tool.id": "call_1",
        "tool_call.id": "call_1",
    }


def test_an_empty_operation_is_a_step() -> None:
    assert write(Operation(), BOTH) == {"openinference.span.kind": "CHAIN"}


def test_dialects_are_written_as_asked_for_and_unknown_ones_passed_over() -> None:
    operation = Operation(op="llm", request_model="m")
    assert write(operation, ()) == {}
    assert write(operation, ("klingon",)) == {}
    assert write(operation, ("genai",)) == {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
    assert write(operation, BOTH) == {**write(operation, ("genai",)), **write(operation, ("openinference",))}


@pytest.mark.parametrize("tag", TAXONOMY)
def test_every_operation_has_the_name_and_kind_of_the_taxonomy(tag: str) -> None:
    attributes = write(Operation(op=tag), BOTH)
    assert attributes["openinference.span.kind"] == TAXONOMY[tag].openinference
    assert attributes.get("gen_ai.operation.name") == TAXONOMY[tag].genai


def test_a_custom_tag_is_a_step_to_others() -> None:
    assert write(Operation(op="my_own_step"), BOTH) == {"openinference.span.kind": "CHAIN"}


USAGE = Usage(100, 20, cache_read_tokens=60, cache_write_tokens=10, reasoning_tokens=5)
TOKENS = {
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 60,
    "gen_ai.usage.cache_write.input_tokens": 10,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 20,
    "llm.token_count.total": 120,
    "llm.token_count.prompt_details.cache_read": 60,
    "llm.token_count.prompt_details.cache_write": 10,
    "llm.token_count.completion_details.reasoning": 5,
}


@pytest.mark.parametrize("tag", ["llm", "embedding"])
def test_tokens_are_counted_on_the_spans_of_models(tag: str) -> None:
    attributes = write(Operation(op=tag, usage=USAGE), BOTH)
    assert {name: value for name, value in attributes.items() if "usage" in name or "token" in name} == TOKENS


@pytest.mark.parametrize(
    "operation",
    [
        Operation(op="llm", kind_override="CHAIN", usage=USAGE),
        Operation(op="agent", usage=USAGE),
        Operation(op="tool", usage=USAGE),
        Operation(op="my_own_step", usage=USAGE),
    ],
)
@pytest.mark.parametrize("dialect", ["genai", "openinference", "openllmetry"])
def test_tokens_that_another_span_counts_are_not_counted_twice(operation: Operation, dialect: str) -> None:
    assert not any("token" in name for name in write(operation, (dialect,)))


def test_an_outer_llm_span_becomes_a_chain_and_stays_a_chat() -> None:
    attributes = write(Operation(op="llm", kind_override="CHAIN"), BOTH)
    assert attributes == {"gen_ai.operation.name": "chat", "openinference.span.kind": "CHAIN"}


def test_zero_and_false_are_values() -> None:
    operation = Operation(
        op="llm",
        usage=Usage(0, 0),
        request=RequestParameters(temperature=0.0, stream=False, seed=0),
        time_to_first_chunk=0.0,
    )
    attributes = write(operation, BOTH)
    assert attributes["gen_ai.usage.input_tokens"] == 0
    assert attributes["llm.token_count.total"] == 0
    assert attributes["gen_ai.request.temperature"] == 0
    assert attributes["gen_ai.request.stream"] is False
    assert attributes["gen_ai.response.time_to_first_chunk"] == 0
    assert json.loads(str(attributes["llm.invocation_parameters"])) == {"temperature": 0, "stream": False, "seed": 0}


CONVERSATION = Operation(
    op="llm",
    system_instructions=(TextPart("Be brief."),),
    input_messages=(
        Message("user", (TextPart("Weather in Rome?"),)),
        Message("assistant", (ToolCall("get_weather", "call_1", '{"city":"Rome"}'),)),
        Message("user", (TextPart("And in"), TextPart("Paris?"))),
    ),
    output_messages=(Message("assistant", (TextPart("20 degrees."),)),),
)


def test_input_and_output_are_what_a_person_wants_to_read() -> None:
    attributes = write(CONVERSATION, ("openinference",))
    assert attributes["input.value"] == "And in\nParis?"
    assert attributes["output.value"] == "20 degrees."
    assert attributes["input.mime_type"] == attributes["output.mime_type"] == "text/plain"


def test_instructions_stand_before_the_conversation_where_they_have_no_place_of_their_own() -> None:
    attributes = write(CONVERSATION, ("openinference", "openllmetry"))
    assert attributes["llm.input_messages.0.message.role"] == "system"
    assert attributes["llm.input_messages.0.message.content"] == "Be brief."
    assert attributes["llm.input_messages.1.message.content"] == "Weather in Rome?"
    assert attributes["gen_ai.prompt.0.content"] == "Be brief."
    genai = write(CONVERSATION, ("genai",))
    assert json.loads(str(genai["gen_ai.system_instructions"])) == [{"type": "text", "content": "Be brief."}]
    assert len(json.loads(str(genai["gen_ai.input.messages"]))) == 3


def test_an_explicit_value_and_its_media_type_are_written_as_they_are() -> None:
    operation = Operation(op="llm", input_value='"hi"', input_mime_type="application/json", output_value="{broken}")
    attributes = write(operation, ("openinference",))
    assert attributes["input.value"] == '"hi"'
    assert attributes["input.mime_type"] == "application/json"
    assert attributes["output.value"] == "{broken}"
    assert attributes["output.mime_type"] == "text/plain"


@pytest.mark.parametrize(("value", "mime_type"), [("Blue.", "text/plain"), ('{"sky":"blue"}', "application/json")])
def test_the_type_of_an_output_that_is_there_is_said_where_it_is_not(value: str, mime_type: str) -> None:
    operation = Operation(op="llm", output_value="other", output_mime_type="text/html")
    assert missing({"output.value": value}, operation, ("openinference",))["output.mime_type"] == mime_type
    kept = {"output.value": value, "output.mime_type": "text/markdown"}
    assert "output.mime_type" not in missing(kept, operation, ("openinference",))


def test_model_names_say_which_was_asked_for_and_which_answered() -> None:
    operation = Operation(op="llm", request_model="gpt-4o", response_model="gpt-4o-2024", provider="azure.ai.openai")
    attributes = write(operation, BOTH)
    assert attributes["gen_ai.request.model"] == "gpt-4o"
    assert attributes["gen_ai.response.model"] == "gpt-4o-2024"
    assert attributes["llm.model_name"] == "gpt-4o-2024"
    assert attributes["llm.request.model_name"] == "gpt-4o"
    assert attributes["llm.provider"] == "azure"
    assert attributes["llm.system"] == "openai"


@pytest.mark.parametrize(
    ("tag", "name"),
    [("embedding", "embedding.model_name"), ("rerank", "reranker.model_name"), ("llm", "llm.model_name")],
)
def test_the_model_has_the_name_that_its_kind_of_span_gives_it(tag: str, name: str) -> None:
    assert write(Operation(op=tag, request_model="m"), ("openinference",))[name] == "m"


def test_an_agents_own_name_goes_before_the_functions() -> None:
    assert write(Operation(op="agent", name="plan_trip"), BOTH)["agent.name"] == "plan_trip"
    named = write(Operation(op="agent", name="plan_trip", agent=Agent("a-1", "Planner")), BOTH)
    assert (named["agent.name"], named["gen_ai.agent.name"], named["gen_ai.agent.id"]) == ("Planner", "Planner", "a-1")


def test_a_session_is_a_workflow_with_a_name() -> None:
    attributes = write(Operation(op="session", name="support", session_id="s-1"), BOTH)
    assert attributes["gen_ai.workflow.name"] == "support"
    assert attributes["gen_ai.conversation.id"] == attributes["session.id"] == "s-1"


def test_a_reranking_has_a_readable_input() -> None:
    attributes = write(Operation(op="rerank", reranking=Reranking("capital")), BOTH)
    assert attributes["input.value"] == attributes["reranker.query"] == "capital"


def test_tools_are_defined_the_way_each_vocabulary_has_it() -> None:
    definition = ToolDefinition("f", description="does", parameters='{"type":"object"}', others={"strict": True})
    attributes = write(Operation(op="llm", tool_definitions=(definition,)), BOTH)
    function = {"name": "f", "description": "does", "parameters": {"type": "object"}, "strict": True}
    assert json.loads(str(attributes["gen_ai.tool.definitions"])) == [{"type": "function", **function}]
    schema = json.loads(str(attributes["llm.tools.0.tool.json_schema"]))
    assert schema == {"type": "function", "function": function}


def test_what_a_span_says_already_is_not_said_again() -> None:
    operation = read(OPENINFERENCE_CHAT)
    assert operation is not None
    added = missing(OPENINFERENCE_CHAT, operation, BOTH)
    assert not added.keys() & OPENINFERENCE_CHAT.keys()
    assert {name for name in added if not name.startswith("gen_ai.")} == {
        "llm.provider",
        "llm.request.model_name",
        "llm.response.model_name",
    }


def test_families_of_two_sources_never_mix() -> None:
    present = {
        "llm.input_messages.0.message.content": "one",
        "llm.output_messages.5.message.content": "other",
        "llm.tools.0.tool.json_schema": "{}",
        "input.value": "one",
        "gen_ai.prompt.0.content": "one",
    }
    operation = read(GENAI_CHAT)
    assert operation is not None
    added = missing(present, operation, ("openinference", "openllmetry"))
    families = ("llm.input_messages.", "llm.output_messages.", "llm.tools.", "gen_ai.prompt.0", "input.")
    assert not any(name.startswith(families) for name in added)
    assert "gen_ai.completion.0.role" in added


class Untouchable(tuple[Message, ...]):
    """Messages that must not be looked at."""

    __slots__ = ()

    def __iter__(self) -> NoReturn:
        raise AssertionError


def test_nothing_is_encoded_for_a_span_that_has_it() -> None:
    messages = Untouchable([Message("user", (TextPart("hi"),))])
    present = {"gen_ai.input.messages": "[]", "gen_ai.output.messages": "[]"}
    operation = Operation(op="llm", input_messages=messages, output_messages=messages, finish_reasons=("stop",))
    assert "gen_ai.operation.name" in missing(present, operation, ("genai",))


@pytest.mark.parametrize("dialect", ["genai", "openinference", "openllmetry"])
def test_every_name_that_is_written_stands_in_the_registry(dialect: str) -> None:
    families = tuple(f"{name}." for name in NAMES)
    newer = {"gen_ai.usage.cache_write.input_tokens", "gen_ai.prompt.version"}
    for sample in (GENAI_CHAT, OPENINFERENCE_CHAT):
        operation = read(sample)
        assert operation is not None
        for name in write(operation, (dialect,)):
            assert name in NAMES or name in newer or name.startswith(families)


def test_what_people_said_is_written_under_names_that_are_known_to_hold_content() -> None:
    words = {"Weather in Rome?", "And in\nParis?", "20 degrees.", "Be brief.", '{"city":"Rome"}'}
    for name, value in write(CONVERSATION, ("genai", "openinference", "openllmetry")).items():
        if isinstance(value, str) and any(word in value for word in words):
            assert is_content(name), name
