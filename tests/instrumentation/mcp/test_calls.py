"""Each request is one span on each side, with what the conventions say of it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import SpanKind

import aotel
from tests.instrumentation.mcp.sdk import (
    METHODS,
    NOTES,
    every_method,
    high_level_server,
    in_memory,
    low_level_server,
    uri,
)
from tests.instrumentation.mcp.sides import is_under, made_by, sides

if TYPE_CHECKING:
    from tests.recording import Recorded

pytestmark = [pytest.mark.timeout(20), pytest.mark.filterwarnings("ignore:The roots capability is deprecated")]


async def test_each_method_is_one_span_on_each_side_in_one_trace(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        with aotel.step("program"):
            await every_method(session)
    program = recorded.named("program")
    for method in METHODS[1:]:
        client, server = sides(recorded, method)
        assert is_under(client, program)
        assert is_under(server, client)
        assert client.attributes["mcp.protocol.version"] == server.attributes["mcp.protocol.version"]
        assert client.attributes["jsonrpc.request.id"] == server.attributes["jsonrpc.request.id"]
        assert client.attributes["mcp.server.name"] == "weather"
        assert server.attributes["aot.operation"] == "step"
        assert server.attributes["openinference.span.kind"] == "CHAIN"
    sides(recorded, "initialize")
    assert {str(each.attributes.get("mcp.method.name")) for each in recorded.operations} - {"None"} == set(METHODS)
    assert made_by(recorded, "mcp-python-sdk") == []


async def test_spans_inside_a_handler_are_under_the_servers_span(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        await session.call_tool("shout", {"text": "hi"})
    _, server = sides(recorded, "tools/call")
    (inner,) = [each for each in recorded.operations if each.attributes["aot.operation"] == "transform"]
    assert is_under(inner, server)


async def test_tool_call_says_what_was_called_with_what_and_what_came(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        result = await session.call_tool("add", {"a": 1, "b": 2})
    assert result.content[0].text == "3"
    client, server = sides(recorded, "tools/call")
    assert client.span.name == server.span.name == "tools/call add"
    said = client.attributes
    assert said["aot.operation"] == "tool"
    assert said["openinference.span.kind"] == "TOOL"
    assert said["gen_ai.operation.name"] == "execute_tool"
    assert said["gen_ai.tool.name"] == said["tool.name"] == "add"
    assert said["gen_ai.tool.type"] == "extension"
    assert json.loads(said["gen_ai.tool.call.arguments"]) == {"a": 1, "b": 2}
    assert said["gen_ai.tool.call.result"] == said["output.value"] == "3"
    assert json.loads(said["input.value"]) == {"a": 1, "b": 2}
    assert client.start["payload"]["preview"]["kwargs"] == {"a": "1", "b": "2"}
    assert client.end["kind"] == "agent.tool.result"
    assert client.end["payload"]["result_preview"] == "'3'"
    assert client.end["payload"]["tool"]["name"] == "add"
    assert server.attributes["gen_ai.tool.name"] == "add"
    assert "tool.name" not in server.attributes
    assert json.loads(server.attributes["input.value"]) == {"a": 1, "b": 2}
    assert server.attributes["output.value"] == "3"


async def test_resource_is_retrieved_with_its_documents(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.read_resource(uri(NOTES))
    client, server = sides(recorded, "resources/read")
    assert client.span.name == "resources/read"
    assert client.attributes["openinference.span.kind"] == "RETRIEVER"
    assert client.attributes["mcp.resource.uri"] == server.attributes["mcp.resource.uri"] == NOTES
    assert client.attributes["retrieval.documents.0.document.content"] == "THE NOTES"
    assert client.attributes["retrieval.documents.0.document.id"] == NOTES


async def test_prompt_is_named(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.get_prompt("greet", {"name": "Ada"})
    client, server = sides(recorded, "prompts/get")
    assert client.span.name == server.span.name == "prompts/get greet"
    assert client.attributes["gen_ai.prompt.name"] == server.attributes["gen_ai.prompt.name"] == "greet"
    assert client.attributes["openinference.span.kind"] == "CHAIN"
    assert "GREET ADA" in client.attributes["output.value"]


async def test_pings_are_no_spans(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        recorded.clear()
        await session.send_ping()
    assert recorded.names == []


async def test_low_level_server(recorded: Recorded) -> None:
    async with in_memory(low_level_server()) as session:
        await session.list_tools()
        await session.call_tool("echo", {"x": 1})
    client, server = sides(recorded, "tools/call")
    assert is_under(server, client)
    assert client.attributes["mcp.server.name"] == "low"
    assert client.attributes["output.value"] == "{'x': 1}"


async def test_fifty_parallel_calls_keep_apart(recorded: Recorded) -> None:
    async def one(session: Any, number: int) -> None:
        with aotel.step(f"caller {number}"):
            result = await session.call_tool("shout", {"text": f"n{number}"})
        assert result.content[0].text == f"N{number}"

    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        await asyncio.gather(*[one(session, number) for number in range(50)])
    operations = recorded.operations
    by_id = {each.context.span_id: each for each in operations}
    calls = [each for each in operations if each.attributes.get("mcp.method.name") == "tools/call"]
    assert len(calls) == 100
    for each in calls:
        assert each.span.parent is not None
        parent = by_id[each.span.parent.span_id]
        assert parent.context.trace_id == each.context.trace_id
        if each.span.kind is SpanKind.SERVER:
            assert parent.attributes["output.value"] == each.attributes["output.value"]
            assert parent.attributes["jsonrpc.request.id"] == each.attributes["jsonrpc.request.id"]
        else:
            assert each.attributes["output.value"] == f"N{parent.span.name.split()[1]}"
    inner = [each for each in operations if each.attributes["aot.operation"] == "transform"]
    assert len({each.context.trace_id for each in inner}) == 50


async def test_server_that_asks_its_client_is_one_trace_too(recorded: Recorded) -> None:
    async def roots(_: Any) -> Any:
        from importlib import import_module

        with aotel.step("asked"):
            return import_module("mcp.types").ListRootsResult(roots=[])

    async with in_memory(high_level_server(), list_roots_callback=roots) as session:
        await session.list_tools()
        result = await session.call_tool("ask", {"question": "how many"})
    assert result.content[0].text == "how many 0"
    client, server = sides(recorded, "roots/list")
    _, handler = sides(recorded, "tools/call")
    asked = recorded.named("asked")
    assert is_under(client, handler)
    assert is_under(server, client)
    assert is_under(asked, server)


async def test_attributes_of_a_handlers_own_change_nothing_of_what_the_span_is(recorded: Recorded) -> None:
    server = high_level_server()

    def annotate() -> str:
        trace.get_current_span().set_attribute("mine", "x")
        return "ok"

    server.tool()(annotate)
    async with in_memory(server) as session:
        await session.call_tool("annotate")
    _, answered = sides(recorded, "tools/call")
    assert answered.attributes["mine"] == "x"
    assert answered.attributes["openinference.span.kind"] == "CHAIN"
    assert answered.attributes["aot.operation"] == "step"


async def test_baggage_travels_with_the_trace(recorded: Recorded) -> None:
    seen: list[object] = []
    server = high_level_server()

    def look() -> str:
        seen.append(baggage.get_baggage("tenant"))
        return "ok"

    server.tool()(look)
    async with in_memory(server) as session:
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        await session.call_tool("look")
        context.detach(token)
    assert seen == ["acme"]
    sides(recorded, "tools/call")
