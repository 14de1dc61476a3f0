"""What is said to a model and by it: read without loss, without secrets, or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest

from aotel.instrumentation import instrument
from tests.instrumentation.anthropic.clients import KINDS, MODEL, REQUEST, Kind
from tests.instrumentation.anthropic.wire import THINKING, TOOL_USE, Wire, says
from tests.instrumentation.either import got
from tests.recording import recording
from tests.servers.anthropic_api import error_reply

if TYPE_CHECKING:
    from pathlib import Path

    from tests.recording import Recorded

SECRET = "sk-ant-api03-" + "Zq7Kp2Xw" * 8
REDACTED_THINKING = {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "Paris"}}


def _client(server: Wire, **options: Any) -> Any:
    return KINDS[0].client(server.url, **options)


def _read(recorded: Recorded, name: str) -> list[Any]:
    found: list[Any] = json.loads(recorded.operations[-1].attributes[name])
    return found


def test_tool_loop_is_captured_without_loss(recorded: Recorded, server: Wire) -> None:
    server.scripts.append(says(THINKING, REDACTED_THINKING, SEARCH, TOOL_USE, stop_reason="tool_use"))
    client = _client(server)
    messages: list[Any] = [{"role": "user", "content": "Rain?"}]
    tool = {"name": "weather", "description": "Tells it", "input_schema": {"type": "object"}}
    request: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "tools": [tool]}
    asked = client.messages.create(**request, messages=messages)
    messages.append({"role": "assistant", "content": asked.content})
    result = [{"type": "text", "text": "Rain"}, {"type": "text", "text": "all day"}]
    messages.append(
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_01", "content": result}],
        }
    )
    client.messages.create(**request, messages=messages)
    said = _read(recorded, "gen_ai.input.messages")
    parts = said[1]["parts"]
    assert said[1]["role"] == "assistant"
    assert parts[0] == {"type": "reasoning", "content": THINKING["thinking"], "signature": THINKING["signature"]}
    assert parts[1] == {"type": "reasoning", "content": "", "data": REDACTED_THINKING["data"]}
    assert parts[2]["type"] == "server_tool_use"
    assert parts[2]["input"] == {"query": "Paris"}
    assert parts[3] == {
        "type": "tool_call",
        "name": "weather",
        "id": "toolu_01",
        "arguments": {"city": "Paris", "days": 2},
    }
    assert said[2] == {
        "role": "user",
        "parts": [{"type": "tool_call_response", "response": "Rain\nall day", "id": "toolu_01"}],
    }
    assert _read(recorded, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather", "description": "Tells it", "parameters": {"type": "object"}}
    ]
    # What was sent is what the program gave.
    assert server.requests[1].body["messages"][1]["content"][3]["input"] == TOOL_USE["input"]


def test_helper_s_message_may_be_sent_back(recorded: Recorded, server: Wire) -> None:
    client = _client(server)
    with client.messages.stream(**REQUEST) as stream:
        final = stream.get_final_message()
    again = {"role": "assistant", "content": final.content}
    client.messages.create(**{**REQUEST, "messages": [*REQUEST["messages"], again, {"role": "user", "content": "?"}]})
    parts = _read(recorded, "gen_ai.input.messages")[1]["parts"]
    assert [part["content"] for part in parts] == [final.content[0].thinking, final.content[1].text]


def test_parameters_and_system_are_read(recorded: Recorded, server: Wire) -> None:
    system = [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]
    body: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }
    body["service_tier"] = "auto"
    _client(server).messages.create(**REQUEST, system=system, stop_sequences=["END"], extra_body=body)
    attributes = recorded.operation.attributes
    assert json.loads(attributes["gen_ai.system_instructions"]) == [
        {"type": "text", "content": "Be brief."},
        {"type": "text", "content": "Be kind."},
    ]
    assert attributes["gen_ai.request.temperature"] == 0.5
    assert attributes["gen_ai.request.top_p"] == 0.9
    assert attributes["gen_ai.request.top_k"] == 40
    assert attributes["gen_ai.request.max_tokens"] == 100
    assert attributes["gen_ai.request.stop_sequences"] == ("END",)
    others = json.loads(attributes["llm.invocation_parameters"])
    assert others["thinking"] == {"type": "enabled", "budget_tokens": 1024}
    assert others["service_tier"] == "auto"


def test_refusal_is_said(recorded: Recorded, server: Wire) -> None:
    server.scripts.append(says(stop_reason="refusal"))
    _client(server).messages.create(**REQUEST)
    call = recorded.operation
    assert call.outcome == "ok"
    assert call.attributes["aot.response.refused"] == "refusal"
    assert call.attributes["gen_ai.response.finish_reasons"] == ("refusal",)


def test_secrets_stay_inside(recorded: Recorded, server: Wire) -> None:
    server.scripts.extend([says({"type": "text", "text": f"It is {SECRET}"})] * 2)
    said = [{"role": "user", "content": [{"type": "text", "text": f"Key: {SECRET}"}]}]
    request: dict[str, Any] = {"model": MODEL, "max_tokens": 9, "messages": said, "system": f"Hide {SECRET}"}
    client = _client(server, api_key=SECRET, default_headers={"x-other": SECRET})
    client.messages.create(**request)
    list(client.messages.create(**request, stream=True))
    server.next(error_reply(401, "authentication_error", f"bad {SECRET}"))
    with pytest.raises(anthropic.AuthenticationError):
        client.messages.create(**request)
    spans = [span.to_json() for span in recorded.spans]
    assert len(spans) == 3
    assert SECRET not in "".join(spans)
    assert SECRET not in json.dumps(recorded.envelopes)
    assert server.requests[0].body["system"] == f"Hide {SECRET}"


@pytest.mark.parametrize("mode", ["none", "hash", "summary"])
def test_content_that_is_not_to_be_written_is_not(mode: str, server: Wire) -> None:
    server.scripts.extend([says({"type": "text", "text": "Elephants"})] * 2)
    said = {"system": "Giraffes", "messages": [{"role": "user", "content": "Zebras"}]}
    tool = {"name": "weather", "description": "Ostriches", "input_schema": {"type": "object"}}
    with recording(capture=mode) as recorded:
        instrument("anthropic")
        client = _client(server)
        client.messages.create(model=MODEL, max_tokens=9, tools=[tool], **said)
        list(client.messages.create(model=MODEL, max_tokens=9, tools=[tool], stream=True, **said))
        written = "".join([span.to_json() for span in recorded.spans]) + json.dumps(recorded.envelopes)
        assert [call.attributes["gen_ai.usage.input_tokens"] for call in recorded.operations] == [19, 19]
    for word in ("Elephants", "Giraffes", "Zebras", "Ostriches"):
        assert word not in written
    assert ("gen_ai.input.messages" in written) == (mode != "none")


def test_images_and_documents_are_written_by_digest(recorded: Recorded, server: Wire) -> None:
    png = "iVBORw0KGgo" + "A" * 400 + "="
    content = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_01"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Hello"}, "title": "T"},
    ]
    _client(server).messages.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": content}])
    parts = _read(recorded, "gen_ai.input.messages")[0]["parts"]
    assert parts[0]["type"] == "blob"
    assert parts[0]["mime_type"] == "image/png"
    assert parts[0]["bytes"] > 300
    assert "content" not in parts[0]
    assert parts[1] == {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"}
    assert parts[2] == {"type": "file", "modality": "document", "file_id": "file_01"}
    assert parts[3]["source"]["data"] == "Hello"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_what_can_be_read_once_is_read_once(kind: Kind, recorded: Recorded, server: Wire, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(400))
    source = {"type": "base64", "media_type": "image/png", "data": image}
    content = iter([{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}])
    messages = iter([{"role": "user", "content": content}])
    try:
        await got(kind.client(server.url).messages.create(model=MODEL, max_tokens=9, messages=messages))
    except TypeError:
        pytest.skip("not in this version")
    parts = _read(recorded, "gen_ai.input.messages")[0]["parts"]
    assert parts[0] == {"type": "text", "content": "What is it?"}
    assert parts[1]["bytes"] == 408
    assert recorded.operation.attributes["gen_ai.request.model"] == MODEL
    assert len(server.requests[0].body["messages"][0]["content"]) == 2
