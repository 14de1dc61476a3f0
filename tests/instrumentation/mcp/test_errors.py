"""How requests end that don't end well; the program sees what it would see without us."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from opentelemetry.trace import StatusCode

from tests.instrumentation.mcp.sdk import (
    VERSION,
    error_class,
    high_level_server,
    in_memory,
    low_level_server,
    seconds,
)
from tests.instrumentation.mcp.sides import client_side, sides

if TYPE_CHECKING:
    from tests.recording import Recorded

pytestmark = pytest.mark.timeout(20)


async def test_tool_that_says_it_failed_fails_the_span_and_raises_nothing(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        result = await session.call_tool("fail", {"why": "no wind"})
    assert (result.is_error if VERSION == 2 else result.isError) is True
    for side in sides(recorded, "tools/call"):
        assert side.outcome == "error"
        assert side.span.status.status_code is StatusCode.ERROR
        assert side.attributes["error.type"] == "tool_error"
        assert side.end["kind"] == "coat.error"
        assert side.end["payload"]["error_type"] == "tool_error"
        assert "Error executing tool fail" in side.end["payload"]["message"]
        assert "Error executing tool fail" in side.attributes["output.value"]
        assert "Error executing tool fail" in str(side.span.status.description)
    client, _ = sides(recorded, "tools/call")
    assert client.attributes["gen_ai.tool.name"] == "fail"


async def test_error_of_the_protocol_is_raised_and_told_by_its_code(recorded: Recorded) -> None:
    async with in_memory(low_level_server()) as session:
        await session.list_tools()
        with pytest.raises(error_class(), match="no tool other"):
            await session.call_tool("other", {})
    client, server = sides(recorded, "tools/call")
    for side in (client, server):
        assert side.span.status.status_code is StatusCode.ERROR
        assert side.attributes["error.type"] == side.attributes["rpc.response.status_code"] == "-32602"
        assert "no tool other" in side.end["payload"]["message"]
        assert side.end["payload"]["error_type"].lower() == "mcperror"
    assert client.span.events[0].name == "exception"


async def test_timeout(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        with pytest.raises(error_class(), match=r"(?i)timed out"):
            await session.call_tool("wait", {"seconds": 5}, seconds(0.1))
    client = client_side(recorded, "tools/call")
    assert client.outcome == "error"
    assert client.attributes["aot.error.category"] == "timeout"
    assert client.attributes["error.type"] == ("-32001" if VERSION == 2 else "408")


async def test_cancelled_call_is_no_error(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        task = asyncio.create_task(session.call_tool("wait", {"seconds": 5}))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    client, server = sides(recorded, "tools/call")  # the server's was stopped by its client, or with its session
    assert client.outcome == "cancelled"
    assert client.span.status.status_code is StatusCode.UNSET
    assert server.outcome == "cancelled"


async def test_request_that_the_client_cancels_by_notification(recorded: Recorded) -> None:
    types = import_module("mcp.types")
    async with in_memory(high_level_server()) as session:
        await session.list_tools()
        task = asyncio.create_task(session.call_tool("wait", {"seconds": 5}))
        await asyncio.sleep(0.1)
        name = "request_id" if VERSION == 2 else "requestId"
        running = session._dispatcher._next_id if VERSION == 2 else session._request_id - 1
        notification = types.CancelledNotification(
            method="notifications/cancelled", params=types.CancelledNotificationParams(**{name: running})
        )
        await session.send_notification(notification if VERSION == 2 else types.ClientNotification(notification))
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    _, server = sides(recorded, "tools/call")
    assert server.outcome == "cancelled"


async def test_session_that_ended_fails_the_call(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.list_tools()
    recorded.clear()
    with pytest.raises(Exception):  # noqa: B017 - each version has its own
        await session.call_tool("add", {"a": 1, "b": 2})
    assert client_side(recorded, "tools/call").outcome == "error"
