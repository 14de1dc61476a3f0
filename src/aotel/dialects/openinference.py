"""OpenInference: the vocabulary of Phoenix and Arize (`openinference.span.kind`, `llm.*`, `input.value`, …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.definitions import from_schema, to_schema
from aotel.dialects.dialect import Dialect, Table, fill, merged
from aotel.dialects.documents import read_flat_documents, write_flat_documents
from aotel.dialects.flat_messages import read_flat_messages, write_flat_messages
from aotel.dialects.flatten import has_family, items
from aotel.dialects.json_text import decode, json_object, mime_type
from aotel.dialects.parameters import read_parameters, write_parameters
from aotel.dialects.providers import from_openinference, to_openinference
from aotel.dialects.tags import AGENTS, STEP, TOOLS, counts_tokens, openinference_kind, tag_of
from aotel.dialects.values import MAX_ITEMS, content, text, texts, tokens
from aotel.operation import (
    Agent,
    Embeddings,
    Message,
    PromptTemplate,
    RequestParameters,
    Reranking,
    Retrieval,
    TextPart,
    Tool,
    Usage,
)
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Operation, ToolDefinition

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
    ("total", names.LLM_TOKEN_COUNT_TOTAL, tokens),
    ("cache_read_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ, tokens),
    ("cache_write_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE, tokens),
    ("reasoning_tokens", names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING, tokens),
    ("audio_input_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_AUDIO, tokens),
    ("audio_output_tokens", names.LLM_TOKEN_COUNT_COMPLETION_DETAILS_AUDIO, tokens),
    ("cache_read_tokens", names.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_INPUT, tokens),
    ("input_tokens", names.DECISION_TOKEN_COUNT_INPUT, tokens),
    ("output_tokens", names.DECISION_TOKEN_COUNT_OUTPUT, tokens),
)
"""Written from `Usage.total`, the sum where no total was reported; read into `total_tokens`."""

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

_RERANKING = Table(
    ("query", names.RERANKER_QUERY, content),
    ("top_k", names.RERANKER_TOP_K, tokens),
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
    if not DIALECT.speaks(attributes):
        return None
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
    found = _USAGE.read(attributes)
    if "total" in found:
        found["total_tokens"] = found.pop("total")
    operation.usage = merged(operation.usage, Usage, found)
    operation.tool = merged(operation.tool, Tool, _read_tool(attributes))
    operation.prompt = merged(operation.prompt, PromptTemplate, _PROMPT.read(attributes))
    name = text(attributes.get(names.AGENT_NAME))
    if name is not None:
        operation.agent = merged(operation.agent, Agent, {"name": name})
    _read_documents(attributes, operation, kind)
    _read_embeddings(attributes, operation)
    _read_conversation(attributes, operation)


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


def _read_documents(attributes: Mapping[str, object], operation: Operation, kind: str | None) -> None:
    found: dict[str, object] = {}
    documents = read_flat_documents(attributes, names.RETRIEVAL_DOCUMENTS)
    if documents:
        found["documents"] = documents
    if kind == "RETRIEVER" and operation.input_value is not None:
        plain = operation.input_mime_type in (None, "text/plain") and mime_type(operation.input_value) is None
        if plain:
            found["query"] = operation.input_value
    operation.retrieval = merged(operation.retrieval, Retrieval, found)
    found = _RERANKING.read(attributes)
    for field, family in (
        ("input_documents", names.RERANKER_INPUT_DOCUMENTS),
        ("output_documents", names.RERANKER_OUTPUT_DOCUMENTS),
    ):
        documents = read_flat_documents(attributes, family)
        if documents:
            found[field] = documents
    operation.reranking = merged(operation.reranking, Reranking, found)


def _read_embeddings(attributes: Mapping[str, object], operation: Operation) -> None:
    entries = items(attributes, names.EMBEDDING_EMBEDDINGS)
    if not entries:
        return
    said = (content(entry.get(names.EMBEDDING_TEXT)) for entry in entries)
    found: dict[str, object] = {"texts": tuple(one for one in said if one is not None)}
    vectors = [entry[names.EMBEDDING_VECTOR] for entry in entries if names.EMBEDDING_VECTOR in entry]
    if vectors:
        found["count"] = len(vectors)
        found["dimension"] = _length(vectors[0])
    operation.embeddings = merged(operation.embeddings, Embeddings, found)


def _length(vector: object) -> int | None:
    if isinstance(vector, str):
        vector = decode(vector)
    return len(vector) if isinstance(vector, (list, tuple)) else None


def _read_conversation(attributes: Mapping[str, object], operation: Operation) -> None:
    if not operation.input_messages:
        operation.input_messages = read_flat_messages(attributes, names.LLM_INPUT_MESSAGES, "user") or _read_texts(
            attributes,
            names.LLM_PROMPTS,
            names.PROMPT_TEXT,
            "user",
        )
    if not operation.output_messages:
        operation.output_messages = read_flat_messages(
            attributes,
            names.LLM_OUTPUT_MESSAGES,
            "assistant",
        ) or _read_texts(attributes, names.LLM_CHOICES, names.COMPLETION_TEXT, "assistant")
    if not operation.tool_definitions:
        found = (_read_definition(item) for item in items(attributes, names.LLM_TOOLS))
        operation.tool_definitions = tuple(definition for definition in found if definition is not None)


def _read_texts(attributes: Mapping[str, object], family: str, name: str, role: str) -> tuple[Message, ...]:
    """The prompts or choices of a text completion, each as a message."""
    said = (content(item.get(name)) for item in items(attributes, family))
    return tuple(Message(role, (TextPart(one),)) for one in said if one is not None)


def _read_definition(item: Mapping[str, object]) -> ToolDefinition | None:
    return from_schema(
        content(item.get(names.TOOL_JSON_SCHEMA)),
        text(item.get(names.TOOL_NAME)),
        text(item.get(names.TOOL_DESCRIPTION)),
    )


def _write(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    kind = openinference_kind(operation)
    out[names.OPENINFERENCE_SPAN_KIND] = kind
    _write_values(operation, out, present)
    _OPERATION.write(operation, out)
    _write_model(operation, kind, out)
    if operation.usage is not None and counts_tokens(operation):
        _USAGE.write(operation.usage, out)
    if operation.tool is not None or operation.op in TOOLS:
        _write_tool(operation, out)
    if operation.agent is not None or operation.op in AGENTS:
        name = operation.agent.name if operation.agent is not None else None
        if name is None and operation.op in AGENTS:
            name = operation.name
        if name is not None:
            out[names.AGENT_NAME] = name
    if operation.prompt is not None:
        _PROMPT.write(operation.prompt, out)
    _write_documents(operation, out, present)
    _write_conversation(operation, out, present)


def _write_values(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    if names.INPUT_VALUE not in present and (value := operation.readable_input) is not None:
        out[names.INPUT_VALUE] = value
        mime = (operation.input_mime_type if operation.input_value is not None else None) or mime_type(value)
        if mime is not None:
            out[names.INPUT_MIME_TYPE] = mime
    if names.OUTPUT_VALUE not in present and (value := operation.readable_output) is not None:
        out[names.OUTPUT_VALUE] = value
        mime = (operation.output_mime_type if operation.output_value is not None else None) or mime_type(value)
        if mime is not None:
            out[names.OUTPUT_MIME_TYPE] = mime


def _write_model(operation: Operation, kind: str, out: dict[str, AttributeValue]) -> None:
    request, response, provider, system = _DECISION if kind == "DECISION" else _LLM
    if operation.request_model is not None:
        out[request] = operation.request_model
    if operation.response_model is not None:
        out[response] = operation.response_model
    model = operation.response_model or operation.request_model
    if model is not None:
        out[_MODEL_NAMES.get(kind, names.LLM_MODEL_NAME)] = model
    if operation.provider is not None:
        out[provider], of_system = to_openinference(operation.provider)
        if of_system is not None:
            out[system] = of_system
    if operation.request is not None and (parameters := write_parameters(operation.request)) is not None:
        embedding = kind == "EMBEDDING"
        out[names.EMBEDDING_INVOCATION_PARAMETERS if embedding else names.LLM_INVOCATION_PARAMETERS] = parameters
    if operation.finish_reasons:
        out[names.LLM_FINISH_REASON] = operation.finish_reasons[0]


def _write_tool(operation: Operation, out: dict[str, AttributeValue]) -> None:
    tool = operation.tool
    if tool is not None:
        _TOOL.write(tool, out)
        if tool.call_id is not None:
            out[names.TOOL_ID] = tool.call_id
        if tool.arguments is not None:
            out[names.TOOL_PARAMETERS] = tool.arguments
    if operation.name is not None and operation.op in TOOLS:
        out.setdefault(names.TOOL_NAME, operation.name)


def _write_documents(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    if operation.retrieval is not None and not has_family(present, names.RETRIEVAL_DOCUMENTS):
        write_flat_documents(operation.retrieval.documents, names.RETRIEVAL_DOCUMENTS, out)
    reranking = operation.reranking
    if reranking is not None:
        _RERANKING.write(reranking, out)
        if not has_family(present, names.RERANKER_INPUT_DOCUMENTS):
            write_flat_documents(reranking.input_documents, names.RERANKER_INPUT_DOCUMENTS, out)
        if not has_family(present, names.RERANKER_OUTPUT_DOCUMENTS):
            write_flat_documents(reranking.output_documents, names.RERANKER_OUTPUT_DOCUMENTS, out)
    if operation.embeddings is not None and not has_family(present, names.EMBEDDING_EMBEDDINGS):
        for index, said in enumerate(operation.embeddings.texts[:MAX_ITEMS]):
            out[f"{names.EMBEDDING_EMBEDDINGS}.{index}.{names.EMBEDDING_TEXT}"] = said


def _write_conversation(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    messages = operation.input_messages
    if operation.system_instructions:
        messages = (Message("system", operation.system_instructions), *messages)
    if messages and not _has_messages(present, names.LLM_INPUT_MESSAGES, names.LLM_PROMPTS):
        write_flat_messages(messages, names.LLM_INPUT_MESSAGES, out)
    messages = operation.output_messages
    if messages and not _has_messages(present, names.LLM_OUTPUT_MESSAGES, names.LLM_CHOICES):
        write_flat_messages(messages, names.LLM_OUTPUT_MESSAGES, out)
    if operation.tool_definitions and not has_family(present, names.LLM_TOOLS):
        for index, definition in enumerate(operation.tool_definitions[:MAX_ITEMS]):
            out[f"{names.LLM_TOOLS}.{index}.{names.TOOL_JSON_SCHEMA}"] = to_schema(definition)


def _has_messages(present: Mapping[str, object], *families: str) -> bool:
    return any(family in present or has_family(present, family) for family in families)


DIALECT = Dialect("openinference", _SIGNALS, _PREFIXES, _tag, _guess, _read, _write)
"""The OpenInference vocabulary."""
