"""What Phoenix has of the example agent, as its API tells it, is what the agent did."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.demo import run_agent
from tests.e2e.reading import conversation, conversation_of, documents, indexed
from tests.e2e.running import INSTRUMENT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.demo import Demo
    from tests.e2e.phoenix import Phoenix

MODEL = "docs-extract"
CALL = f"chat {MODEL}"
TREE = [
    ("docs-demo", "AGENT", None),
    ("DocsAgent.answer", "AGENT", "docs-demo"),
    ("DocsAgent.plan", "CHAIN", "DocsAgent.answer"),
    (CALL, "LLM", "DocsAgent.plan"),
    ("look up", "CHAIN", "DocsAgent.answer"),
    ("Library.read_document", "TOOL", "look up"),
    (CALL, "LLM", "DocsAgent.answer"),
    ("Library.search", "RETRIEVER", "look up"),
    ("Library.rank", "RERANKER", "look up"),
    ("Library.read_section", "TOOL", "look up"),
    ("SourceChecker.check", "AGENT", "DocsAgent.answer"),
    ("SourceChecker.stands_in", "EVALUATOR", "SourceChecker.check"),
    ("Library.read_section", "TOOL", "SourceChecker.stands_in"),
    ("DocsAgent.may_keep", "CHAIN", "docs-demo"),
]
"""What the agent does when it is asked about a document that there is not: names, kinds and what is inside what."""

WAYS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "over http": (INSTRUMENT, {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}),
    "aotel run": (
        (sys.executable, "-m", "aotel.cli", "run", "--view", "off", "--backend", "otlp", "--", sys.executable),
        {},
    ),
}


def test_kinds_names_and_nesting_are_those_of_the_program(demo: Demo) -> None:
    assert demo.tree() == TREE
    assert len({span.trace for span in demo.spans}) == 1


@pytest.mark.parametrize("way", WAYS)
def test_the_other_ways_lead_there_too(way: str, phoenix: Phoenix, tmp_path: Path) -> None:
    command, variables = WAYS[way]
    if "http" in way:
        variables = {**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": phoenix.url}
    found = run_agent(phoenix, tmp_path, project=way, command=command, **variables)
    assert found.tree() == TREE
    assert tokens_of(found) == counted(found)
    assert messages_of(found) == said(found)


def test_messages_and_tool_calls_are_those_of_the_wire(demo: Demo) -> None:
    assert messages_of(demo) == said(demo)
    assert any(call["name"] == "read_document" for exchange in demo.exchanges for call in exchange.message["calls"])


def test_tools_that_the_model_was_offered_are_there(demo: Demo) -> None:
    for span, exchange in zip(demo.named(CALL), demo.exchanges, strict=True):
        offered = [json.loads(text) for text in indexed(span.attributes, "llm.tools", "tool.json_schema")]
        assert offered == exchange.request["tools"]


def test_tokens_are_those_that_the_provider_counted(demo: Demo, phoenix: Phoenix) -> None:
    assert tokens_of(demo) == counted(demo)
    (trace,) = phoenix.traces(demo.project)
    (session,) = phoenix.sessions(demo.project)
    total = [sum(column) for column in zip(*counted(demo), strict=True)]
    for summed in (trace, session):
        assert [summed[f"token_count_{name}"] for name in ("prompt", "completion", "total")] == total


def test_the_session_holds_the_trace(demo: Demo, phoenix: Phoenix) -> None:
    (session,) = phoenix.sessions(demo.project)
    assert [trace["trace_id"] for trace in session["traces"]] == [demo.spans[0].trace]
    assert {span.attributes["session.id"] for span in demo.spans} == {session["session_id"]}


def test_documents_are_those_that_the_search_returned(demo: Demo) -> None:
    for search in demo.named("Library.search"):
        returned = json.loads(search.attributes["output.value"])
        assert returned
        assert documents(search.attributes, "retrieval.documents") == returned


def test_documents_are_those_that_were_ranked(demo: Demo) -> None:
    for ranking in demo.named("Library.rank"):
        attributes = ranking.attributes
        assert documents(attributes, "reranker.input_documents") == json.loads(attributes["input.value"])["hits"]
        assert documents(attributes, "reranker.output_documents") == json.loads(attributes["output.value"])


def test_a_tool_has_its_arguments_and_its_result(demo: Demo) -> None:
    results = {part["content"] for exchange in demo.exchanges for part in exchange.request["messages"]}
    tools = demo.named("Library.read_section")
    assert tools
    for tool in tools:
        attributes = tool.attributes
        assert attributes["tool.name"] == "Library.read_section"
        assert json.loads(attributes["input.value"]) == {"address": attributes["tool.parameters.address"]}
        assert any(str(result).endswith(attributes["output.value"]) for result in results)


def test_an_error_has_its_status_and_its_exception(demo: Demo) -> None:
    (failed,) = [span for span in demo.spans if span.status == "ERROR"]
    assert failed.name == "Library.read_document"
    assert failed.status_message == "FileNotFoundError: there is no docs/faq.md"
    (event,) = failed.events
    assert event["name"] == "exception"
    assert event["attributes"]["exception.type"] == "FileNotFoundError"
    assert event["attributes"]["exception.message"] == "there is no docs/faq.md"
    assert "in read_document" in event["attributes"]["exception.stacktrace"]


def test_text_is_called_text_and_json_json(demo: Demo) -> None:
    """Phoenix makes up a type where a span has none, and shows a text that it takes for JSON as code."""
    types = {"text/plain": 0, "application/json": 0}
    for span in demo.spans:
        for way in ("input", "output"):
            if f"{way}.value" in span.attributes:
                value, found = (span.attributes.get(f"{way}.{name}") for name in ("value", "mime_type"))
                assert found == ("application/json" if is_json(str(value)) else "text/plain"), (span.name, way, value)
                types[found] += 1
    assert all(types.values())


def test_the_answer_is_what_the_person_read(demo: Demo) -> None:
    (answer,) = demo.named("DocsAgent.answer")
    assert answer.attributes["output.value"] == demo.exchanges[-1].message["content"]
    assert answer.attributes["output.value"].split()[0] in demo.printed


def tokens_of(demo: Demo) -> list[list[int]]:
    names = [f"llm.token_count.{name}" for name in ("prompt", "completion", "total")]
    counts = [[span.attributes.get(name, 0) for name in names] for span in demo.spans]
    return [count for count in counts if any(count)]


def counted(demo: Demo) -> list[list[int]]:
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    found = [[exchange.usage[name] for name in names] for exchange in demo.exchanges]
    assert all(all(counts) for counts in found)
    return found


def messages_of(demo: Demo) -> list[list[dict[str, Any]]]:
    """Return the messages of each model call as Phoenix has them."""
    return [conversation(span) for span in demo.named(CALL)]


def said(demo: Demo) -> list[list[dict[str, Any]]]:
    """Return the messages of each model call as the wire had them."""
    return [conversation_of(exchange) for exchange in demo.exchanges]


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
