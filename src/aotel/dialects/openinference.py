"""OpenInference: the vocabulary of Phoenix and Arize (`openinference.span.kind`, `llm.*`, `input.value`, …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.definitions import read_flat_definitions, write_flat_definitions
from aotel.dialects.dialect import Dialect, Table, fill, merged
from aotel.dialects.flat_messages import (
    after_instructions,
    read_flat_messages,
    read_flat_texts,
    with_instructions,
    write_flat_messages,
)
from aotel.dialects.flat_search import SEARCH_FAMILIES, read_search, write_search
from aotel.dialects.flatten import grouped, has_family
from aotel.dialects.json_text import TEXT_MIME_TYPE, decode, mime_type
from aotel.dialects.messages import read_messages
from aotel.dialects.parameters import read_parameters, write_parameters
from aotel.dialects.providers import from_openinference, to_openinference
from aotel.dialects.tags import AGENTS, STEP, counts_tokens, openinference_kind, tag_of
from aotel.dialects.values import content, text, texts, tokens
from aotel.operation import Agent, PromptTemplate, RequestParameters, Retrieval, Tool, Usage
from aotel.semconv import attributes as names
from aotel.semconv.operations import TAXONOMY, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Operation

__all__ = ["DIALECT"]

_OPERATION = Table(
    ("session_id", names.SESSION_ID, text),
    ("user_id", names.USER_ID, text),
    ("metadata", names.METADATA, text),
    ("tags", names.TAG_TAGS, texts),
)

_USAGE = Table(
    ("input_tokens", names.LLM_TOKEN_COUNT_PROMPT, tokens),
    ("output_tokens", names.LLM_TOKEN_COUNT_COMPLETION, tokens),
    ("total_tokens", names.LLM_TOKEN_COUNT_TOTAL, tokens),
    ("cache_read_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ, tokens),
    ("cache_write_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE, tokens),
    ("reasoning_tokens", names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING, tokens),
    ("audio_input_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO, tokens),
    ("audio_output_tokens", names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO, tokens),
    ("cache_read_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_INPUT, tokens),
    ("input_tokens", names.DECISION_TOKEN_COUNT_INPUT, tokens),
    ("output_tokens", names.DECISION_TOKEN_COUNT_OUTPUT, tokens),
)
_TOOL = Table(
    ("name", names.TOOL_NAME, text),
    ("description", names.TOOL_DESCRIPTION, text),
    ("call_id", names.TOOL_CALL_ID, text),
    ("call_id", names.TOOL_ID, text),
)

_PROMPT = Table(
    ("name", names.PROMPT_ID, text),
    ("version", names.LLM_PROMPT_TEMPLATE_VERSION, text),
    ("template", names.LLM_PROMPT_TEMPLATE_TEMPLATE, content),
    ("variables", names.LLM_PROMPT_TEMPLATE_VARIABLES, content),
)

_MODEL_NAMES = {
    "EMBEDDING": names.EMBEDDING_MODEL_NAME,
    "RERANKER": names.RERANKER_MODEL_NAME,
    "DECISION": names.DECISION_MODEL_NAME,
}

_LLM = (names.LLM_REQUEST_MODEL_NAME, names.LLM_RESPONSE_MODEL_NAME, names.LLM_PROVIDER, names.LLM_SYSTEM)
_DECISION = (
    names.DECISION_REQUEST_MODEL_NAME,
    names.DECISION_RESPONSE_MODEL_NAME,
    names.DECISION_PROVIDER,
    names.DECISION_SYSTEM,
)
"""What a model call and a decision model's call name alike."""

_SIGNALS = frozenset(
    {
        names.OPENINFERENCE_SPAN_KIND,
        names.INPUT_VALUE,
        names.OUTPUT_VALUE,
        names.LLM_MODEL_NAME,
        names.LLM_PROVIDER,
        names.LLM_SYSTEM,
        names.LLM_INVOCATION_PARAMETERS,
        names.LLM_FINISH_REASON,
        names.TOOL_PARAMETERS,
        names.DECISION_MODEL_NAME,
    },
)

_PREFIXES = (
    names.LLM_INPUT_MESSAGES,
    names.LLM_OUTPUT_MESSAGES,
    "llm.token_count.",
    "llm.prompts.",
    "llm.choices.",
    "llm.tools.",
    names.RETRIEVAL_DOCUMENTS,
    "reranker.",
    "embedding.",
)

_FAMILIES = (
    names.LLM_INPUT_MESSAGES,
    names.LLM_OUTPUT_MESSAGES,
    names.LLM_PROMPTS,
    names.LLM_CHOICES,
    names.LLM_TOOLS,
    *SEARCH_FAMILIES,
)

_PLAIN = (None, TEXT_MIME_TYPE)

_SUGGESTIONS = (
    ("reranker.", "rerank"),
    ("embedding.", "embedding"),
    (names.RETRIEVAL_DOCUMENTS, "retrieval"),
    (names.TOOL_PARAMETERS, "tool"),
    ("llm.", "llm"),
)


def _kind(attributes: Mapping[str, object]) -> str | None:
    """The span kind, where it says anything."""
    kind = (text(attributes.get(names.OPENINFERENCE_SPAN_KIND)) or "UNKNOWN").upper()
    return None if kind == "UNKNOWN" else kind


def _tag(attributes: Mapping[str, object]) -> str | None:
    return tag_of(names.OPENINFERENCE_SPAN_KIND, _kind(attributes))


def _guess(attributes: Mapping[str, object]) -> str | None:
    for prefix, tag in _SUGGESTIONS:
        if any(key.startswith(prefix) for key in attributes):
            return tag
    return STEP


def _read(attributes: Mapping[str, object], operation: Operation) -> None:
    kind = _kind(attributes)
    if kind is not None and operation.kind_override is None and kind != openinference_kind(operation):
        operation.kind_override = kind
    fill(operation, _OPERATION.read(attributes))
    _read_values(attributes, operation)
    _read_model(attributes, operation)
    operation.usage = merged(operation.usage, Usage, _USAGE.read(attributes))
    operation.tool = merged(operation.tool, Tool, _read_tool(attributes))
    operation.prompt = merged(operation.prompt, PromptTemplate, _PROMPT.read(attributes))
    name = text(attributes.get(names.AGENT_NAME))
    if name is not None:
        operation.agent = merged(operation.agent, Agent, {"name": name})
    if kind == "RETRIEVER":
        operation.retrieval = merged(operation.retrieval, Retrieval, _read_query(operation))
    found_families = grouped(attributes, _FAMILIES)
    read_search(attributes, found_families, operation)
    _read_families(found_families, operation)
    _read_whole_families(attributes, operation)


def _read_values(attributes: Mapping[str, object], operation: Operation) -> None:
    if operation.input_value is None:
        operation.input_value = content(attributes.get(names.INPUT_VALUE))
        operation.input_mime_type = text(attributes.get(names.INPUT_MIME_TYPE))
    if operation.output_value is None:
        operation.output_value = content(attributes.get(names.OUTPUT_VALUE))
        operation.output_mime_type = text(attributes.get(names.OUTPUT_MIME_TYPE))


def _read_model(attributes: Mapping[str, object], operation: Operation) -> None:
    found: dict[str, object] = {}
    asked_for = None
    for name in (names.LLM_INVOCATION_PARAMETERS, names.EMBEDDING_INVOCATION_PARAMETERS):
        value = attributes.get(name)
        if value is not None:
            found, asked_for = read_parameters(value)
    operation.request = merged(operation.request, RequestParameters, found)
    request, response, provider, system = _DECISION if names.DECISION_MODEL_NAME in attributes else _LLM
    said = (text(attributes.get(name)) for name in (names.LLM_MODEL_NAME, *_MODEL_NAMES.values()))
    model = next((name for name in said if name is not None), None)
    asked_for = text(attributes.get(request)) or asked_for
    answered = text(attributes.get(response))
    if answered is None and model is not None and asked_for is not None and model != asked_for:
        # The one model name that a span has is the one that answered, where that is known to be another.
        answered = model
    fill(operation, {"request_model": asked_for or (None if answered is not None else model)})
    fill(operation, {"response_model": answered})
    if operation.provider is None:
        operation.provider = from_openinference(text(attributes.get(provider)), text(attributes.get(system)))
    if not operation.finish_reasons:
        operation.finish_reasons = texts(attributes.get(names.LLM_FINISH_REASON))


def _read_tool(attributes: Mapping[str, object]) -> dict[str, object]:
    found = _TOOL.read(attributes)
    parameters = content(attributes.get(names.TOOL_PARAMETERS))
    if parameters is not None and not _is_schema(parameters):
        found["arguments"] = parameters
    return found


def _is_schema(parameters: str) -> bool:
    """Whether `tool.parameters` describes the arguments; emitters disagree on whether it is them or their schema."""
    found = decode(parameters)
    return isinstance(found, dict) and isinstance(found.get("properties"), dict) and "type" in found


def _read_query(operation: Operation) -> dict[str, object]:
    """A search's input value is its query, where it is plain text."""
    value = operation.input_value
    if value is None or operation.input_mime_type not in _PLAIN or mime_type(value) is not None:
        return {}
    return {"query": value}


def _read_families(found: Mapping[str, list[dict[str, object]]], operation: Operation) -> None:
    if not found:
        return
    messages = read_flat_messages(found.get(names.LLM_INPUT_MESSAGES, ()), "user")
    prompts = read_flat_texts(found.get(names.LLM_PROMPTS, ()), names.PROMPT_TEXT, "user")
    answers = read_flat_messages(found.get(names.LLM_OUTPUT_MESSAGES, ()), "assistant")
    choices = read_flat_texts(found.get(names.LLM_CHOICES, ()), names.COMPLETION_TEXT, "assistant")
    asked = after_instructions(messages or prompts, operation)
    fill(operation, {"input_messages": asked, "output_messages": answers or choices})
    fill(operation, {"tool_definitions": read_flat_definitions(found.get(names.LLM_TOOLS, ()))})


def _read_whole_families(attributes: Mapping[str, object], operation: Operation) -> None:
    """Messages that an emitter put into one JSON text instead of indexed attributes."""
    for field, name in (("input_messages", names.LLM_INPUT_MESSAGES), ("output_messages", names.LLM_OUTPUT_MESSAGES)):
        value = attributes.get(name)
        if value is not None:
            fill(operation, {field: read_messages(value)})


def _write(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    # The hot path of our own spans: most of them say little, so each group of fields costs one test when it is empty.
    row = TAXONOMY.get(operation.op or STEP) or lookup(operation.op)
    kind = operation.kind_override or row.openinference
    out[names.OPENINFERENCE_SPAN_KIND] = kind
    _write_values(operation, out, present)
    _write_identity(operation, out)
    _write_model(operation, kind, out)
    if operation.tool is not None:
        _write_tool(operation.tool, out)
    if operation.name is not None:
        if row.openinference == "TOOL":
            out.setdefault(names.TOOL_NAME, operation.name)
        elif operation.op in AGENTS:
            out.setdefault(names.AGENT_NAME, operation.name)
    if operation.retrieval is not None or operation.reranking is not None or operation.embeddings is not None:
        write_search(operation, out, present)
    if operation.input_messages or operation.output_messages or operation.system_instructions:
        _write_messages(operation, out, present)
    if operation.tool_definitions and not has_family(present, names.LLM_TOOLS):
        write_flat_definitions(operation.tool_definitions, out)


def _write_values(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    value, mime = operation.input_value, operation.input_mime_type
    if value is None:
        value, mime = operation.readable_input, None
    if value is not None and names.INPUT_VALUE not in present:
        out[names.INPUT_VALUE] = value
        out[names.INPUT_MIME_TYPE] = mime or mime_type(value) or TEXT_MIME_TYPE
    value, mime = operation.output_value, operation.output_mime_type
    if value is None:
        value, mime = operation.readable_output, None
    # The type is said of plain text too, and of a value that is there without one. Phoenix makes up a value from
    # `gen_ai.response.id`, of the type JSON; the span's own value stands, but would get that type.
    shown = present.get(names.OUTPUT_VALUE, value)
    if value is not None and shown is value:
        out[names.OUTPUT_VALUE] = value
    if isinstance(shown, str):
        out[names.OUTPUT_MIME_TYPE] = (mime if shown is value else None) or mime_type(shown) or TEXT_MIME_TYPE


def _write_identity(operation: Operation, out: dict[str, AttributeValue]) -> None:
    if operation.session_id is not None:
        out[names.SESSION_ID] = operation.session_id
    if operation.user_id is not None:
        out[names.USER_ID] = operation.user_id
    if operation.metadata is not None:
        out[names.METADATA] = operation.metadata
    if operation.tags:
        out[names.TAG_TAGS] = operation.tags
    if operation.agent is not None and operation.agent.name is not None:
        out[names.AGENT_NAME] = operation.agent.name
    if operation.prompt is not None:
        _PROMPT.write(operation.prompt, out)


def _write_model(operation: Operation, kind: str, out: dict[str, AttributeValue]) -> None:
    model = operation.response_model or operation.request_model
    if model is not None or operation.provider is not None:
        _write_origin(operation, model, kind, out)
    if operation.usage is not None and counts_tokens(operation):
        _write_usage(operation.usage, out)
    if operation.request is not None and (parameters := write_parameters(operation.request)) is not None:
        embedding = kind == "EMBEDDING"
        out[names.EMBEDDING_INVOCATION_PARAMETERS if embedding else names.LLM_INVOCATION_PARAMETERS] = parameters
    if reasons := operation.reasons:
        out[names.LLM_FINISH_REASON] = reasons[0]


def _write_origin(operation: Operation, model: str | None, kind: str, out: dict[str, AttributeValue]) -> None:
    request, response, provider, system = _DECISION if kind == "DECISION" else _LLM
    if model is not None:
        out[_MODEL_NAMES.get(kind, names.LLM_MODEL_NAME)] = model
    if operation.request_model is not None:
        out[request] = operation.request_model
    if operation.response_model is not None:
        out[response] = operation.response_model
    if operation.provider is not None:
        out[provider], of_system = to_openinference(operation.provider)
        if of_system is not None:
            out[system] = of_system


def _write_usage(usage: Usage, out: dict[str, AttributeValue]) -> None:
    if usage.input_tokens is not None:
        out[names.LLM_TOKEN_COUNT_PROMPT] = usage.input_tokens
    if usage.output_tokens is not None:
        out[names.LLM_TOKEN_COUNT_COMPLETION] = usage.output_tokens
    if (total := usage.total) is not None:
        out[names.LLM_TOKEN_COUNT_TOTAL] = total
    if usage.cache_read_tokens is not None:
        out[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ] = usage.cache_read_tokens
    if usage.cache_write_tokens is not None:
        out[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE] = usage.cache_write_tokens
    if usage.reasoning_tokens is not None:
        out[names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING] = usage.reasoning_tokens
    if usage.audio_input_tokens is not None:
        out[names.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO] = usage.audio_input_tokens
    if usage.audio_output_tokens is not None:
        out[names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO] = usage.audio_output_tokens


def _write_tool(tool: Tool, out: dict[str, AttributeValue]) -> None:
    if tool.name is not None:
        out[names.TOOL_NAME] = tool.name
    if tool.description is not None:
        out[names.TOOL_DESCRIPTION] = tool.description
    if tool.call_id is not None:
        # The conventions have the first name; what reads a model's calls and their executions together, the second.
        out[names.TOOL_ID] = tool.call_id
        out[names.TOOL_CALL_ID] = tool.call_id
    if tool.arguments is not None:
        out[names.TOOL_PARAMETERS] = tool.arguments


def _write_messages(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    messages = with_instructions(operation)
    if messages and not _has_messages(present, names.LLM_INPUT_MESSAGES, names.LLM_PROMPTS):
        write_flat_messages(messages, names.LLM_INPUT_MESSAGES, out)
    messages = operation.output_messages
    if messages and not _has_messages(present, names.LLM_OUTPUT_MESSAGES, names.LLM_CHOICES):
        write_flat_messages(messages, names.LLM_OUTPUT_MESSAGES, out)


def _has_messages(present: Mapping[str, object], *families: str) -> bool:
    return bool(present) and any(family in present or has_family(present, family) for family in families)


DIALECT = Dialect("openinference", _SIGNALS, _PREFIXES, _tag, _guess, _read, _write)
"""The OpenInference vocabulary."""
