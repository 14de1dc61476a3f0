"""Content policies apply to arguments and results, on both sides."""

from __future__ import annotations

import json

import pytest

from tests.instrumentation.mcp.sdk import NOTES, PNG, error_class, high_level_server, in_memory, uri
from tests.instrumentation.mcp.sides import sides
from tests.recording import Recorded, recording

pytestmark = pytest.mark.timeout(20)

PASSWORD = "correct-horse-battery"
TOKEN = "ghp_" + "a" * 36


def everything(recorded: Recorded) -> str:
    spans = [span.to_json() for span in recorded.spans]
    return "\n".join([*spans, json.dumps(recorded.envelopes)])


async def test_secrets_in_arguments_and_results_are_redacted(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        result = await session.call_tool("login", {"user": "ada", "password": PASSWORD})
    assert TOKEN in result.content[0].text
    written = everything(recorded)
    assert PASSWORD not in written
    assert TOKEN not in written
    client, server = sides(recorded, "tools/call")
    for side in (client, server):
        assert "ada" in side.attributes["input.value"]
        assert "ada got the token" in side.attributes["output.value"]


async def test_secrets_in_errors_and_addresses_are_redacted(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        await session.call_tool("fail", {"why": f"the server said {TOKEN}"})
        with pytest.raises(error_class()):
            await session.read_resource(uri(f"https://ada:{PASSWORD}@example.com/{TOKEN}"))
    written = everything(recorded)
    assert TOKEN not in written
    assert PASSWORD not in written
    client, _ = sides(recorded, "resources/read")
    assert "example.com" in client.attributes["mcp.resource.uri"]


async def test_nothing_is_written_under_none() -> None:
    with recording(capture="none") as recorded:
        async with in_memory(high_level_server()) as session:
            await session.call_tool("shout", {"text": "whisper"})
            await session.call_tool("fail", {"why": "whisper"})
            await session.read_resource(uri(NOTES))
        written = everything(recorded)
    for word in ("whisper", "WHISPER", "THE NOTES", NOTES):
        assert word not in written
    assert "tools/call shout" in written
    assert "tool_error" in written


@pytest.mark.parametrize("mode", ["hash", "summary", "raw"])
async def test_other_modes_write_something_else(mode: str) -> None:
    with recording(capture=mode) as recorded:
        async with in_memory(high_level_server()) as session:
            await session.list_tools()
            await session.call_tool("shout", {"text": "whisper"})
        client, _ = sides(recorded, "tools/call")
    assert client.attributes["aot.capture.content"] == mode
    assert ("whisper" in client.attributes["input.value"]) is (mode == "raw")
    assert ("WHISPER" in client.attributes["output.value"]) is (mode == "raw")


async def test_binary_results_are_told_by_their_size(recorded: Recorded) -> None:
    async with in_memory(high_level_server()) as session:
        result = await session.call_tool("picture")
    if "Unable to serialize unknown type" in str(result.content):
        pytest.skip("this version of mcp has no pictures under this version of pydantic")
    client, server = sides(recorded, "tools/call")
    for side in (client, server):
        (block,) = json.loads(side.attributes["output.value"])[:1]
        assert block["mimeType"] == "image/png"
        assert block["bytes"] == len(PNG)
        assert "data" not in block
