"""Names of attributes: ours, those of the conventions as installed, and which of them are content."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from openinference.semconv import trace as openinference
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from aotel import semconv
from aotel.semconv import attributes, environment, kinds, operations
from aotel.semconv.attributes import CONTENT, CONTENT_EXCEPTIONS, CONTENT_PREFIXES, NAMES, is_content

CONSTANTS = {name: value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)}
PROVIDER_SPECIFIC = "gen_ai.openai."


def test_a_constant_is_named_after_its_attribute() -> None:
    odd = {name for name, value in CONSTANTS.items() if name != value.upper().replace(".", "_")}
    assert {name.split("_ENTRY_")[0] for name in odd} == {
        "COMPLETION",
        "FUNCTION",
        "OPENLLMETRY_USAGE_CACHE_CREATION_INPUT_TOKENS",
        "OPENLLMETRY_USAGE_CACHE_READ_INPUT_TOKENS",
        "PROMPT",
        "TOOL_CALL",
    }


def test_all_genai_names_of_the_installed_conventions_are_here() -> None:
    theirs = {value for name, value in vars(gen_ai_attributes).items() if name.isupper() and isinstance(value, str)}
    missing = {name for name in theirs - NAMES if not name.startswith(PROVIDER_SPECIFIC)}
    assert missing == set()


def test_all_openinference_names_of_the_installed_conventions_are_here() -> None:
    classes = [c for name, c in vars(openinference).items() if name.endswith("Attributes")]
    theirs = {value for c in classes for name, value in vars(c).items() if name.isupper()}
    assert theirs <= set(CONSTANTS.values())


def test_every_name_is_a_constant_and_content_is_among_the_names() -> None:
    assert set(CONSTANTS.values()) >= NAMES
    assert CONTENT < NAMES
    assert CONTENT_EXCEPTIONS < NAMES - CONTENT


@pytest.mark.parametrize(
    "name",
    [
        "input.value",
        "output.value",
        "exception.message",
        "exception.stacktrace",
        "gen_ai.input.messages",
        "gen_ai.prompt",
        "gen_ai.prompt.0.content",
        "gen_ai.prompt.12.tool_calls.0.arguments",
        "gen_ai.completion.0.content",
        "gen_ai.tool.call.result",
        "llm.input_messages.3.message.contents.0.message_content.text",
        "llm.tools.0.tool.json_schema",
        "llm.invocation_parameters",
        "retrieval.documents.0.document.content",
        "embedding.embeddings.0.embedding.text",
        "traceloop.entity.input",
        "traceloop.association.properties.email",
        "aot.attributes.path",
        "aot.data",
        "metadata",
    ],
)
def test_what_people_models_and_tools_said_is_content(name: str) -> None:
    assert is_content(name)


@pytest.mark.parametrize(
    "name",
    [
        "gen_ai.prompt.name",
        "gen_ai.request.model",
        "gen_ai.usage.input_tokens",
        "gen_ai.tool.name",
        "llm.model_name",
        "llm.token_count.prompt",
        "llm.prompt_template.version",
        "input.mime_type",
        "session.id",
        "user.id",
        "aot.operation",
        "envpod.pid",
        "error.type",
        "exception.type",
        "traceloop.association.properties.session_id",
        "http.request.method",
        "llm.input_messages_count",
    ],
)
def test_what_describes_an_operation_is_no_content(name: str) -> None:
    assert not is_content(name)


def test_no_name_of_ours_that_is_no_content_looks_like_it() -> None:
    assert {name for name in NAMES - CONTENT if name.startswith(CONTENT_PREFIXES)} == CONTENT_EXCEPTIONS


def test_the_vocabulary_imports_next_to_nothing() -> None:
    allowed = {"__future__", "enum", "typing"}
    for module in (semconv, attributes, environment, kinds, operations):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        assert imported <= allowed
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.Import)]
