"""Programs that know nothing of aotel, under `opentelemetry-instrument`: the right spans in Phoenix, and whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.reading import conversation, conversation_of, indexed
from tests.e2e.running import INSTRUMENT, PROGRAMS, run
from tests.e2e.wiretap import Wiretap
from tests.servers.openai_api import OpenAIServer, not_found

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.phoenix import Phoenix, Span
    from tests.e2e.wiretap import Exchange

RAW = {"AOTEL_CAPTURE": "raw"}
LIFETIME = 120.0


def spans_of(
    phoenix: Phoenix, directory: Path, project: str, server: OpenAIServer, *program: str, count: int, **more: str
) -> tuple[list[Span], list[Exchange]]:
    with Wiretap(f"{server.url}/v1") as tap:
        variables = {"OPENAI_BASE_URL": tap.url, "OPENAI_API_KEY": "key", **RAW, **more}
        run(directory, *INSTRUMENT, PROGRAMS / program[0], *program[1:], project=project, phoenix=phoenix, **variables)
    found = phoenix.spans(project, until=lambda spans: len(spans) >= count)
    assert len(found) == count
    return found, tap.exchanges


def test_a_program_that_uses_openai_is_seen_as_it_is(phoenix: Phoenix, tmp_path: Path) -> None:
    with OpenAIServer(lifetime=LIFETIME) as server:
        server.next(not_found())
        spans, exchanges = spans_of(phoenix, tmp_path, "app", server, "app.py", count=5)
    assert [(span.name, span.kind, span.parent) for span in spans] == [
        ("chat gone", "LLM", None),
        *[("chat gpt-5", "LLM", None)] * 4,
    ]
    chats = list(zip(spans, exchanges, strict=True))[1:4]
    assert [conversation(span) for span, _ in chats] == [conversation_of(exchange) for _, exchange in chats]
    assert [call["name"] for call in conversation(chats[2][0])[-1]["calls"]] == ["get_weather"]
    failed, *_, responded = spans
    assert failed.status == "ERROR"
    assert failed.events[0]["attributes"]["exception.type"].endswith("NotFoundError")
    assert failed.status_message
    assert {span.status for span in spans[1:]} <= {"OK", "UNSET"}
    assert [message["content"] for message in conversation(responded)] == ["What is a span?", "What is a span?"]
    assert {span.attributes["llm.model_name"] for span in spans[1:]} == {"gpt-5-2024-07-18"}


@pytest.mark.parametrize("way", ["plain", "streamed"])
@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_chat_of_200_messages_with_60_tools_arrives_whole(
    way: str, protocol: str, phoenix: Phoenix, tmp_path: Path
) -> None:
    endpoint = phoenix.grpc if protocol == "grpc" else phoenix.url
    more = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    program = ("long_chat.py", *(["streamed"] if way == "streamed" else []))
    with OpenAIServer(lifetime=LIFETIME) as server:
        (span,), (exchange,) = spans_of(
            phoenix, tmp_path, f"long {way} {protocol.partition('/')[0]}", server, *program, count=1, **more
        )
    assert len(exchange.request["messages"]) == 200
    assert conversation(span) == conversation_of(exchange)
    offered = [json.loads(text) for text in indexed(span.attributes, "llm.tools", "tool.json_schema")]
    assert len(offered) == 60
    assert offered == exchange.request["tools"]
    assert span.attributes["output.value"] == exchange.message["content"]
