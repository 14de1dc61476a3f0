"""Long chats, images and tools: their span fits into an export request, and says what it is."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from aotel.testing import record_spans
from tests.instrumentation.openai.clients import client_of
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded

IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20_000
REQUEST_LIMIT = 3_500_000  # bytes


def chat(length: int, size: int) -> list[dict[str, Any]]:
    """Return a conversation of so many messages, each of so many characters, no two alike."""
    roles = ("user", "assistant")
    return [{"role": roles[turn % 2], "content": f"message {turn} " + "word " * (size // 5)} for turn in range(length)]


def image() -> dict[str, Any]:
    """Return a message with a picture of 5 MB."""
    url = f"data:image/png;base64,{b64encode(IMAGE).decode()}"
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


def tool(name: str, size: int) -> dict[str, Any]:
    """Return a tool whose schema has so many characters."""
    fields = {f"field_{number}": {"type": "string", "description": "x" * 80} for number in range(size // 120)}
    schema = {"type": "object", "properties": fields}
    return {"type": "function", "function": {"name": name, "description": "does it", "parameters": schema}}


CASES: dict[str, dict[str, Any]] = {
    "200 messages": {"messages": chat(200, 500)},
    "2000 messages": {"messages": chat(2000, 2_000)},
    "long messages": {"messages": chat(20, 400_000)},
    "an image": {"messages": [{"role": "user", "content": "look"}, image()]},
    "tools": {"messages": chat(1, 10), "tools": [tool("one", 100_000), tool("two", 100_000)]},
    "everything": {"messages": [*chat(400, 20_000), image()], "tools": [tool(f"t{n}", 100_000) for n in range(20)]},
}


@pytest.mark.parametrize("case", CASES)
def test_a_span_fits_into_an_export_request(case: str, wire: OpenAiWire) -> None:
    with OtlpReceiver() as receiver:
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=receiver.endpoint, insecure=True)))
        with record_spans(tracer_provider=provider):
            client_of(wire).chat.completions.create(model="m", **CASES[case])
            provider.force_flush()
            (span,) = receiver.wait_for_spans(1)
            (size,) = receiver.sizes
        provider.shutdown()
    assert size < REQUEST_LIMIT
    attributes = span.attributes
    assert attributes["openinference.span.kind"] == "LLM"
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.usage.input_tokens"] == 30
    assert attributes["gen_ai.request.model"] == "m"
    assert attributes["aot.operation"] == "llm"
    for name in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"):
        if name in attributes:
            json.loads(str(attributes[name]))
    newest = CASES[case]["messages"][-1]["content"]
    if isinstance(newest, str):
        assert newest[:100] in str(attributes["gen_ai.input.messages"])


def test_an_image_is_its_size_and_digest(wire: OpenAiWire, recorded: Recorded) -> None:
    client_of(wire).chat.completions.create(model="m", messages=[image()])
    (part,) = json.loads(recorded.operation.attributes["gen_ai.input.messages"])[0]["parts"]
    assert part["modality"] == "image"
    assert part["mime_type"] == "image/png"
    assert part["bytes"] == len(IMAGE)
    assert part["sha256"] == hashlib.sha256(IMAGE).hexdigest()
    assert sum(len(str(value)) for value in recorded.operation.attributes.values()) < 10_000


def test_a_long_chat_has_all_its_messages(wire: OpenAiWire, recorded: Recorded) -> None:
    asked = chat(200, 500)
    client_of(wire).chat.completions.create(model="m", messages=asked)
    attributes = recorded.operation.attributes
    told = json.loads(attributes["gen_ai.input.messages"])
    assert [message["parts"][0]["content"] for message in told] == [message["content"] for message in asked]
    assert attributes["llm.input_messages.199.message.content"] == asked[199]["content"]
    assert attributes["openinference.span.kind"] == "LLM"


def test_tool_schemas_are_told_as_they_are(wire: OpenAiWire, recorded: Recorded) -> None:
    one = tool("one", 100_000)
    client_of(wire).chat.completions.create(model="m", messages=chat(1, 10), tools=[one])
    (definition,) = json.loads(recorded.operation.attributes["gen_ai.tool.definitions"])
    assert definition["name"] == "one"
    assert definition["parameters"] == one["function"]["parameters"]


def test_an_agent_that_sends_its_history_again_is_read_once(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    asked = chat(50, 1_000)
    for turn in range(5):
        client.chat.completions.create(model="m", messages=asked)
        asked += [{"role": "assistant", "content": f"answer {turn}"}, {"role": "user", "content": f"more {turn}"}]
    for turn, operation in enumerate(recorded.operations):
        told = json.loads(operation.attributes["gen_ai.input.messages"])
        assert [message["parts"][0]["content"] for message in told] == [
            message["content"] for message in asked[: 50 + 2 * turn]
        ]


def test_limits_of_the_program_are_kept(monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire) -> None:
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "40")
    provider = TracerProvider()
    with record_spans(tracer_provider=provider) as spans:
        client_of(wire).chat.completions.create(model="m", messages=chat(200, 500))
        (span,) = spans.spans
    assert len(span.attributes or {}) <= 40
    assert dict(span.attributes or {})["openinference.span.kind"] == "LLM"
    provider.shutdown()
