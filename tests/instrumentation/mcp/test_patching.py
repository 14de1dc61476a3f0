"""On, off and on again: exactly what there was before, and mcp's own spans back where it has some."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind

import aotel
from aotel.instrumentation import instrument, instrumented, uninstrument
from aotel.instrumentation.mcp import McpInstrumentor
from tests.instrumentation.mcp.sdk import VERSION, every_method, high_level_server, in_memory, takes_meta
from tests.instrumentation.mcp.sides import made_by, sides

if TYPE_CHECKING:
    from tests.recording import Recorded

pytestmark = pytest.mark.timeout(20)

PATCHED = {
    1: (
        ("mcp.shared.session", "BaseSession", "send_request"),
        ("mcp.client.session", "ClientSession", "_received_request"),
        ("mcp.server.lowlevel.server", "Server", "_handle_request"),
        ("mcp.shared.session", "RequestResponder", "respond"),
        ("mcp.server.session", "ServerSession", "_received_request"),
    ),
    2: (
        ("mcp.client.session", "ClientSession", "send_request"),
        ("mcp.client.session", "ClientSession", "send_discover"),
        ("mcp.client.session", "ClientSession", "_on_request"),
        ("mcp.server.session", "ServerSession", "send_request"),
        ("mcp.server._otel", "OpenTelemetryMiddleware", "__call__"),
        ("mcp.shared.jsonrpc_dispatcher", "", "otel_span"),
        ("mcp.shared.jsonrpc_dispatcher", "", "inject_trace_context"),
    ),
}[VERSION] + (
    ("mcp.client.streamable_http", "StreamableHTTPTransport", "_handle_post_request"),
    ("mcp.client.session", "ClientSession", "call_tool"),
)


def found() -> list[Any]:
    owners = [(getattr(import_module(module), owner or "__dict__"), owner, name) for module, owner, name in PATCHED]
    return [vars(owner).get(name) if kind else owner.get(name) for owner, kind, name in owners]


def test_uninstrument_puts_everything_back() -> None:
    on = found()
    uninstrument("mcp")
    off = found()
    assert "mcp" not in instrumented()
    assert [a is b for a, b in zip(on, off, strict=True)][:-1] == [False] * (len(on) - 1)
    assert on[-1] is off[-1]
    assert not [each for each in off if type(each).__module__.startswith("wrapt")]
    instrument("mcp")
    uninstrument("mcp")
    assert all(a is b for a, b in zip(off, found(), strict=True))


async def test_no_spans_of_ours_after_uninstrument_and_mcps_own_are_back(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        uninstrument("mcp")
        recorded.clear()
        await every_method(session)
        names = [span.name for span in recorded.spans if span.kind is not SpanKind.INTERNAL]
        if VERSION == 1:
            assert names == []
        else:
            assert "MCP send tools/call shout" in names
            assert "tools/call shout" in names
        instrument("mcp")
        recorded.clear()
        await every_method(session)
    client, server = sides(recorded, "tools/call")
    assert client.context.trace_id == server.context.trace_id


async def test_session_from_before_instrumentation_counts_once(recorded: Recorded) -> None:
    uninstrument("mcp")
    async with in_memory(high_level_server()) as session:
        instrument("mcp")
        recorded.clear()
        await every_method(session)
    sides(recorded, "tools/call")


async def test_instrumented_twice_counts_once(recorded: Recorded) -> None:
    instrument("mcp")
    McpInstrumentor().instrument()
    async with in_memory(high_level_server()) as session:
        await every_method(session)
    sides(recorded, "tools/call")


async def test_subclass_counts_once(recorded: Recorded) -> None:
    base: Any = import_module("mcp.client.session").ClientSession

    class Session(base):  # type: ignore[misc]
        async def send_request(self, *args: Any, **kwargs: Any) -> Any:
            return await super().send_request(*args, **kwargs)

        async def call_tool(self, *args: Any, **kwargs: Any) -> Any:
            return await super().call_tool(*args, **kwargs)

    async with in_memory(high_level_server(), kind=Session) as session:
        await every_method(session)
    sides(recorded, "tools/call")


async def test_results_keep_their_types_and_requests_their_fields(recorded: Recorded) -> None:
    types = import_module("mcp.types")
    async with in_memory(high_level_server()) as session:
        assert type(await session.list_tools()) is types.ListToolsResult
        params = types.CallToolRequestParams(name="add", arguments={"a": 1, "b": 2})
        request = types.CallToolRequest(method="tools/call", params=params)
        wrapped = request if VERSION == 2 else types.ClientRequest(request)
        before = wrapped.model_dump_json()
        assert type(await session.send_request(wrapped, types.CallToolResult)) is types.CallToolResult
        assert wrapped.model_dump_json() == before
    sides(recorded, "tools/call")


async def test_what_the_program_put_into_meta_stays(recorded: Recorded) -> None:
    seen: list[dict[str, Any]] = []
    server = high_level_server()
    context_class = getattr(import_module(type(server).__module__), "Context")  # noqa: B009 - of either version

    async def meta(ctx: Any) -> str:
        found = ctx.request_context.meta
        seen.append(dict(found) if isinstance(found, dict) else found.model_dump())
        return "ok"

    meta.__annotations__["ctx"] = context_class
    server.tool()(meta)
    theirs = f"00-{'1' * 32}-{'2' * 16}-01"
    async with in_memory(server) as session:
        if not takes_meta(session):
            pytest.skip("this version takes no _meta")
        await session.call_tool("meta", meta={"mine": "x"})
        await session.call_tool("meta", meta={"traceparent": theirs})
        await session.call_tool("meta")
    assert seen[0]["mine"] == "x"
    assert seen[0]["traceparent"].startswith("00-")
    assert seen[1]["traceparent"] == theirs
    calls = [each for each in recorded.operations if each.attributes.get("mcp.method.name") == "tools/call"]
    (adopted,) = [each for each in calls if each.context.trace_id == int("1" * 32, 16)]
    assert adopted.span.kind is SpanKind.SERVER
    assert seen[2]["traceparent"].startswith("00-")


async def test_disabled_is_passed_through(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    from aotel.calls import PORT

    async with in_memory(high_level_server()) as session:
        recorded.clear()
        monkeypatch.setattr(PORT, "enabled", False)
        await every_method(session)
        monkeypatch.undo()
    assert made_by(recorded, "aotel") == []


async def test_suppressed_instrumentation_makes_no_spans(recorded: Recorded) -> None:
    from opentelemetry.instrumentation.utils import suppress_instrumentation

    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        recorded.clear()
        with suppress_instrumentation():
            await session.call_tool("add", {"a": 1, "b": 2})
        assert SpanKind.CLIENT not in {span.kind for span in recorded.spans if span.name in made_by(recorded, "aotel")}


@pytest.mark.skipif(VERSION == 1, reason="version 2 has a client above the session")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_client_of_version_2(recorded: Recorded, mode: str) -> None:
    client_class = import_module("mcp.client.client").Client
    with aotel.step("program"):
        async with client_class(high_level_server(), mode=mode) as client:
            await client.list_tools()
            await client.call_tool("shout", {"text": "hi"})
    caller, server = sides(recorded, "tools/call")
    assert caller.context.trace_id == server.context.trace_id == recorded.named("program").context.trace_id
    assert caller.attributes["mcp.server.name"] == "weather"
    sides(recorded, "server/discover" if mode == "auto" else "initialize")
    assert made_by(recorded, "mcp-python-sdk") == []
