from __future__ import annotations

import json
from typing import Any

from aotel.dialects import missing, read, write
from aotel.operation import (
    MediaPart,
    Message,
    Operation,
    PromptTemplate,
    ReasoningPart,
    RequestParameters,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
    Usage,
)
from tests.dialects.samples import OPENLLMETRY_CHAT, OPENLLMETRY_TASK, OPENLLMETRY_WORKFLOW, WEATHER_SCHEMA


def operation_of(attributes: dict[str, Any]) -> Operation:
    operation = read(attributes)
    assert operation is not None
    return operation


def test_a_chat_with_indexed_prompts_is_read_in_full() -> None:
    operation = operation_of(OPENLLMETRY_CHAT)
    assert operation.op == "llm"
    assert operation.provider == "openai"
    assert operation.request == RequestParameters(0.5, max_tokens=50, frequency_penalty=0.1, stream=False)
    assert operation.usage == Usage(100, 12, None, 64)
    assert operation.input_messages == (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Weather here?"), MediaPart("image", uri="https://example.com/a.png"))),
        Message("assistant", (ToolCall("get_weather", "call_1", '{"city": "Rome"}'),)),
        Message("tool", (ToolResult("call_1", "20 degrees"),)),
    )
    assert operation.output_messages == (Message("assistant", (TextPart("20 degrees."),), finish_reason="stop"),)
    assert operation.finish_reasons == ("stop",)
    assert operation.tool_definitions == (
        ToolDefinition("get_weather", description="Weather of a city", parameters=json.dumps(WEATHER_SCHEMA)),
    )
    assert (operation.session_id, operation.user_id) == ("s-1", "u-9")
    assert operation.metadata == '{"plan":"pro"}'
    assert operation.prompt == PromptTemplate("weather", "3", "Weather in {city}?", '{"city":"Paris"}')


def test_it_ends_up_with_todays_names_and_openinference() -> None:
    added = missing(OPENLLMETRY_CHAT, operation_of(OPENLLMETRY_CHAT), ("genai", "openinference"))
    assert added["gen_ai.operation.name"] == "chat"
    assert added["gen_ai.provider.name"] == "openai"
    assert added["gen_ai.usage.input_tokens"] == added["llm.token_count.prompt"] == 100
    assert added["openinference.span.kind"] == "LLM"
    assert added["input.value"] == "Weather here?"
    assert added["output.value"] == "20 degrees."
    assert len(json.loads(str(added["gen_ai.input.messages"]))) == 4


def test_decorated_functions_are_read() -> None:
    workflow = operation_of(OPENLLMETRY_WORKFLOW)
    assert (workflow.op, workflow.name) == ("session", "trip")
    assert (workflow.input_value, workflow.output_value) == ('{"args": ["Paris"], "kwargs": {}}', '"done"')
    assert (operation_of(OPENLLMETRY_TASK).op, operation_of(OPENLLMETRY_TASK).name) == ("step", "collect")


def test_tasks_of_agent_frameworks_are_steps_with_input_and_output() -> None:
    task = {"gen_ai.task.name": "plan", "gen_ai.task.input": "go", "gen_ai.task.output": "gone"}
    operation = operation_of(task)
    assert (operation.op, operation.name) == ("step", "plan")
    assert (operation.input_value, operation.output_value) == ("go", "gone")


def test_reasoning_beside_a_completion_is_a_part_of_it() -> None:
    attributes = {"gen_ai.completion.0.content": "Paris.", "gen_ai.completion.0.reasoning": "France."}
    (message,) = operation_of(attributes).output_messages
    assert message.parts == (ReasoningPart("France."), TextPart("Paris."))


def test_an_answers_filter_result_is_no_prompt() -> None:
    attributes = {"gen_ai.system": "openai", "gen_ai.prompt.prompt_filter_results": "[]", "gen_ai.prompt.name": "x"}
    assert operation_of(attributes).input_messages == ()


def test_a_chat_is_written_the_way_it_is_read() -> None:
    operation = Operation(
        op="llm",
        provider="openai",
        request_model="gpt-4o",
        usage=Usage(3, 4),
        input_messages=(
            Message("user", (TextPart("hi"),)),
            Message("assistant", (ToolCall("f", "1", "{}"),)),
            Message("tool", (ToolResult("1", "ok"),)),
        ),
        output_messages=(Message("assistant", (TextPart("ok"),), finish_reason="stop"),),
        tool_definitions=(ToolDefinition("f", parameters="{}"),),
        session_id="s",
        metadata='{"plan": "pro", "n": 1, "nested": {"a": 1}, "none": null}',
    )
    assert write(operation, ("openllmetry",)) == {
        "llm.request.type": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 4,
        "llm.usage.total_tokens": 7,
        "llm.response.finish_reason": "stop",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "hi",
        "gen_ai.prompt.1.role": "assistant",
        "gen_ai.prompt.1.tool_calls.0.name": "f",
        "gen_ai.prompt.1.tool_calls.0.id": "1",
        "gen_ai.prompt.1.tool_calls.0.arguments": "{}",
        "gen_ai.prompt.2.role": "tool",
        "gen_ai.prompt.2.tool_call_id": "1",
        "gen_ai.prompt.2.content": "ok",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "ok",
        "gen_ai.completion.0.finish_reason": "stop",
        "llm.request.functions.0.name": "f",
        "llm.request.functions.0.parameters": "{}",
        "traceloop.association.properties.session_id": "s",
        "traceloop.association.properties.plan": "pro",
        "traceloop.association.properties.n": 1,
        "traceloop.association.properties.nested": '{"a":1}',
    }


def test_a_tool_span_is_a_tool_with_input_and_output() -> None:
    operation = Operation(op="tool", name="f", input_value="{}", output_value="ok")
    assert write(operation, ("openllmetry",)) == {
        "traceloop.span.kind": "tool",
        "traceloop.entity.name": "f",
        "traceloop.entity.input": "{}",
        "traceloop.entity.output": "ok",
    }
