"""GenAI: the OpenTelemetry GenAI conventions (`gen_ai.*`), current names written, earlier ones read too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.definitions import read_definitions, write_definitions
from aotel.dialects.dialect import Dialect, Table, fill, merged
from aotel.dialects.documents import read_documents, write_documents
from aotel.dialects.json_text import embed, encode, json_object
from aotel.dialects.messages import read_messages, read_parts, write_messages, write_parts
from aotel.dialects.providers import normalized
from aotel.dialects.tags import AGENTS, SESSION, STEP, counts_tokens, tag_of, taxonomy_of
from aotel.dialects.values import content, flag, integer, score, text, texts, tokens
from aotel.operation import Agent, Embeddings, PromptTemplate, RequestParameters, Retrieval, Tool, Usage
from aotel.semconv import attributes as names
from aotel.semconv.operations import TAXONOMY, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Message, Operation

__all__ = ["DIALECT"]

_PROMPT_VARIABLE = f"{names.GEN_AI_PROMPT_VARIABLE}."

_OPERATION = Table(
    ("request_model", names.GEN_AI_REQUEST_MODEL, text),
    ("response_model", names.GEN_AI_RESPONSE_MODEL, text),
    ("response_id", names.GEN_AI_RESPONSE_ID, text),
    ("finish_reasons", names.GEN_AI_RESPONSE_FINISH_REASONS, texts),
    ("time_to_first_chunk", names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, score),
    ("session_id", names.GEN_AI_CONVERSATION_ID, text),
    ("user_id", names.USER_ID, text),
    ("error_type", names.ERROR_TYPE, text),
    ("server_address", names.SERVER_ADDRESS, text),
    ("server_port", names.SERVER_PORT, tokens),
)

_REQUEST = Table(
    ("temperature", names.GEN_AI_REQUEST_TEMPERATURE, score),
    ("top_p", names.GEN_AI_REQUEST_TOP_P, score),
    ("top_k", names.GEN_AI_REQUEST_TOP_K, score),
    ("max_tokens", names.GEN_AI_REQUEST_MAX_TOKENS, integer),
    ("stop", names.GEN_AI_REQUEST_STOP_SEQUENCES, texts),
    ("seed", names.GEN_AI_REQUEST_SEED, integer),
    ("frequency_penalty", names.GEN_AI_REQUEST_FREQUENCY_PENALTY, score),
    ("presence_penalty", names.GEN_AI_REQUEST_PRESENCE_PENALTY, score),
    ("stream", names.GEN_AI_REQUEST_STREAM, flag),
    ("choice_count", names.GEN_AI_REQUEST_CHOICE_COUNT, integer),
    ("encoding_formats", names.GEN_AI_REQUEST_ENCODING_FORMATS, texts),
    ("output_type", names.GEN_AI_OUTPUT_TYPE, text),
    ("seed", names.GEN_AI_OPENAI_REQUEST_SEED, integer),
    ("output_type", names.GEN_AI_OPENAI_REQUEST_RESPONSE_FORMAT, text),
)

_USAGE = Table(
    ("input_tokens", names.GEN_AI_USAGE_INPUT_TOKENS, tokens),
    ("output_tokens", names.GEN_AI_USAGE_OUTPUT_TOKENS, tokens),
    ("cache_read_tokens", names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, tokens),
    ("cache_write_tokens", names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, tokens),
    ("reasoning_tokens", names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, tokens),
    ("audio_input_tokens", names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS, tokens),
    ("audio_output_tokens", names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, tokens),
    ("input_tokens", names.GEN_AI_USAGE_PROMPT_TOKENS, tokens),
    ("output_tokens", names.GEN_AI_USAGE_COMPLETION_TOKENS, tokens),
    ("cache_write_tokens", names.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS, tokens),
)

_TOOL = Table(
    ("name", names.GEN_AI_TOOL_NAME, text),
    ("call_id", names.GEN_AI_TOOL_CALL_ID, text),
    ("type", names.GEN_AI_TOOL_TYPE, text),
    ("description", names.GEN_AI_TOOL_DESCRIPTION, text),
)

_AGENT = Table(
    ("id", names.GEN_AI_AGENT_ID, text),
    ("name", names.GEN_AI_AGENT_NAME, text),
    ("description", names.GEN_AI_AGENT_DESCRIPTION, text),
    ("version", names.GEN_AI_AGENT_VERSION, text),
)

_RETRIEVAL = Table(
    ("query", names.GEN_AI_RETRIEVAL_QUERY_TEXT, content),
    ("top_k", names.GEN_AI_RETRIEVAL_TOP_K, tokens),
    ("data_source_id", names.GEN_AI_DATA_SOURCE_ID, text),
)

_PROMPT = Table(
    ("name", names.GEN_AI_PROMPT_NAME, text),
    ("version", names.GEN_AI_PROMPT_VERSION, text),
)

_SIGNALS = frozenset(
    {
        names.AOT_OPERATION,
        names.GEN_AI_OPERATION_NAME,
        names.GEN_AI_PROVIDER_NAME,
        names.GEN_AI_SYSTEM,
        names.GEN_AI_SYSTEM_INSTRUCTIONS,
        names.GEN_AI_DATA_SOURCE_ID,
        names.GEN_AI_PROMPT,
        names.GEN_AI_COMPLETION,
    },
)

_PREFIXES = (
    "gen_ai.request.",
    "gen_ai.response.",
    "gen_ai.usage.",
    "gen_ai.input.",
    "gen_ai.output.",
    "gen_ai.tool.",
    "gen_ai.retrieval.",
    "gen_ai.embeddings.",
    "gen_ai.memory.",
)

_SUGGESTIONS = (
    ("tool", (names.GEN_AI_TOOL_NAME, names.GEN_AI_TOOL_CALL_ID, names.GEN_AI_TOOL_CALL_ARGUMENTS)),
    ("embedding", (names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT, names.GEN_AI_REQUEST_ENCODING_FORMATS)),
    ("retrieval", (names.GEN_AI_RETRIEVAL_QUERY_TEXT, names.GEN_AI_RETRIEVAL_DOCUMENTS)),
    ("llm", (names.GEN_AI_REQUEST_MODEL, names.GEN_AI_RESPONSE_MODEL, names.GEN_AI_INPUT_MESSAGES)),
    ("llm", (names.GEN_AI_OUTPUT_MESSAGES, names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)),
    ("llm", (names.GEN_AI_USAGE_PROMPT_TOKENS, names.GEN_AI_USAGE_COMPLETION_TOKENS, names.GEN_AI_PROMPT)),
)


def _tag(attributes: Mapping[str, object]) -> str | None:
    return tag_of(names.GEN_AI_OPERATION_NAME, text(attributes.get(names.GEN_AI_OPERATION_NAME)))


def _guess(attributes: Mapping[str, object]) -> str | None:
    return next((tag for tag, keys in _SUGGESTIONS if any(key in attributes for key in keys)), None)


def _read(attributes: Mapping[str, object], operation: Operation) -> None:
    fill(operation, _OPERATION.read(attributes))
    named = text(attributes.get(names.GEN_AI_OPERATION_NAME))
    if named is not None and operation.operation_name is None and named != taxonomy_of(operation).genai:
        operation.operation_name = named
    if operation.provider is None:
        provider = attributes.get(names.GEN_AI_PROVIDER_NAME) or attributes.get(names.GEN_AI_SYSTEM)
        operation.provider = normalized(text(provider))
    if operation.name is None:
        operation.name = text(attributes.get(names.GEN_AI_WORKFLOW_NAME))
    operation.request = merged(operation.request, RequestParameters, _REQUEST.read(attributes))
    operation.usage = merged(operation.usage, Usage, _USAGE.read(attributes))
    operation.agent = merged(operation.agent, Agent, _AGENT.read(attributes))
    operation.tool = merged(operation.tool, Tool, _read_tool(attributes))
    operation.retrieval = merged(operation.retrieval, Retrieval, _read_retrieval(attributes))
    operation.prompt = merged(operation.prompt, PromptTemplate, _read_prompt(attributes))
    dimension = tokens(attributes.get(names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT))
    if dimension is not None:
        operation.embeddings = merged(operation.embeddings, Embeddings, {"dimension": dimension})
    if operation.output_value is None:
        operation.output_value = content(attributes.get(names.FINAL_RESULT))
    _read_conversation(attributes, operation)


def _read_conversation(attributes: Mapping[str, object], operation: Operation) -> None:
    for field, name, read in (
        ("system_instructions", names.GEN_AI_SYSTEM_INSTRUCTIONS, read_parts),
        ("input_messages", names.GEN_AI_INPUT_MESSAGES, read_messages),
        ("output_messages", names.GEN_AI_OUTPUT_MESSAGES, read_messages),
        ("tool_definitions", names.GEN_AI_TOOL_DEFINITIONS, read_definitions),
        ("input_messages", names.GEN_AI_PROMPT, read_messages),
        ("output_messages", names.GEN_AI_COMPLETION, read_messages),
        ("input_messages", names.PYDANTIC_AI_ALL_MESSAGES, _read_asked),
    ):
        value = attributes.get(name)
        if value is not None and not getattr(operation, field):
            setattr(operation, field, read(value))


def _read_asked(value: object) -> tuple[Message, ...]:
    """What was said in an agent's run before its last answer."""
    messages = read_messages(value)
    return messages[:-1] if messages and messages[-1].role == "assistant" else messages


def _read_tool(attributes: Mapping[str, object]) -> dict[str, object]:
    found = _TOOL.read(attributes)
    for field, name in (("arguments", names.GEN_AI_TOOL_CALL_ARGUMENTS), ("result", names.GEN_AI_TOOL_CALL_RESULT)):
        value = attributes.get(name)
        if value is not None:
            found[field] = value if isinstance(value, str) else encode(value)
    return found


def _read_retrieval(attributes: Mapping[str, object]) -> dict[str, object]:
    found = _RETRIEVAL.read(attributes)
    documents = attributes.get(names.GEN_AI_RETRIEVAL_DOCUMENTS)
    if documents is not None:
        found["documents"] = read_documents(documents)
    return found


def _read_prompt(attributes: Mapping[str, object]) -> dict[str, object]:
    found = _PROMPT.read(attributes)
    variables = {
        key[len(_PROMPT_VARIABLE) :]: embed(value) if isinstance(value, str) else value
        for key, value in attributes.items()
        if key.startswith(_PROMPT_VARIABLE)
    }
    if variables:
        found["variables"] = encode(variables)
    return found


def _write(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    # The hot path of our own spans: most of them say little, so each group of fields costs one test when it is empty.
    row = TAXONOMY.get(operation.op or STEP) or lookup(operation.op)
    named = operation.operation_name or row.genai
    if named is not None:
        out[names.GEN_AI_OPERATION_NAME] = named
    _write_identity(operation, out)
    _write_model(operation, out)
    if operation.tool is not None or row.openinference == "TOOL":
        _write_tool(operation, row.openinference == "TOOL", out)
    if operation.agent is not None or row.openinference == "AGENT":
        _write_agent(operation, out)
    if operation.retrieval is not None or operation.embeddings is not None or operation.prompt is not None:
        _write_search(operation, out, present)
    if operation.input_messages or operation.output_messages:
        _write_messages(operation, out, present)
    if operation.system_instructions or operation.tool_definitions:
        _write_instructions(operation, out, present)


def _write_identity(operation: Operation, out: dict[str, AttributeValue]) -> None:
    if operation.session_id is not None:
        out[names.GEN_AI_CONVERSATION_ID] = operation.session_id
    if operation.user_id is not None:
        out[names.USER_ID] = operation.user_id
    if operation.error_type is not None:
        out[names.ERROR_TYPE] = operation.error_type
    if operation.server_address is not None:
        out[names.SERVER_ADDRESS] = operation.server_address
    if operation.server_port is not None:
        out[names.SERVER_PORT] = operation.server_port


def _write_model(operation: Operation, out: dict[str, AttributeValue]) -> None:
    if operation.provider is not None:
        out[names.GEN_AI_PROVIDER_NAME] = operation.provider
    if operation.request_model is not None:
        out[names.GEN_AI_REQUEST_MODEL] = operation.request_model
    if operation.response_model is not None:
        out[names.GEN_AI_RESPONSE_MODEL] = operation.response_model
    if operation.response_id is not None:
        out[names.GEN_AI_RESPONSE_ID] = operation.response_id
    if reasons := operation.reasons:
        out[names.GEN_AI_RESPONSE_FINISH_REASONS] = reasons
    if operation.time_to_first_chunk is not None:
        out[names.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = operation.time_to_first_chunk
    if operation.request is not None:
        _REQUEST.write(operation.request, out)
    if operation.usage is not None and counts_tokens(operation):
        _write_usage(operation.usage, out)


def _write_usage(usage: Usage, out: dict[str, AttributeValue]) -> None:
    if usage.input_tokens is not None:
        out[names.GEN_AI_USAGE_INPUT_TOKENS] = usage.input_tokens
    if usage.output_tokens is not None:
        out[names.GEN_AI_USAGE_OUTPUT_TOKENS] = usage.output_tokens
    if usage.cache_read_tokens is not None:
        out[names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS] = usage.cache_read_tokens
    if usage.cache_write_tokens is not None:
        out[names.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS] = usage.cache_write_tokens
    if usage.reasoning_tokens is not None:
        out[names.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS] = usage.reasoning_tokens
    if usage.audio_input_tokens is not None:
        out[names.GEN_AI_USAGE_AUDIO_INPUT_TOKENS] = usage.audio_input_tokens
    if usage.audio_output_tokens is not None:
        out[names.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS] = usage.audio_output_tokens


def _write_tool(operation: Operation, executed: bool, out: dict[str, AttributeValue]) -> None:  # noqa: FBT001 - private
    """A tool, and where this is its execution, what the operation says in its stead."""
    tool = operation.tool or _NO_TOOL
    name, arguments, result = tool.name, tool.arguments, tool.result
    if executed:
        name = name or operation.name
        arguments = operation.input_value if arguments is None else arguments
        result = operation.output_value if result is None else result
    if name is not None:
        out[names.GEN_AI_TOOL_NAME] = name
    if tool.call_id is not None:
        out[names.GEN_AI_TOOL_CALL_ID] = tool.call_id
    if tool.type is not None:
        out[names.GEN_AI_TOOL_TYPE] = tool.type
    if tool.description is not None:
        out[names.GEN_AI_TOOL_DESCRIPTION] = tool.description
    if arguments is not None:
        out[names.GEN_AI_TOOL_CALL_ARGUMENTS] = arguments
    if result is not None:
        out[names.GEN_AI_TOOL_CALL_RESULT] = result


_NO_TOOL = Tool()


def _write_agent(operation: Operation, out: dict[str, AttributeValue]) -> None:
    if operation.agent is not None:
        _AGENT.write(operation.agent, out)
    if operation.name is not None:
        if operation.op == SESSION:
            out[names.GEN_AI_WORKFLOW_NAME] = operation.name
        elif operation.op in AGENTS:
            out.setdefault(names.GEN_AI_AGENT_NAME, operation.name)


def _write_search(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    if operation.retrieval is not None:
        _write_retrieval(operation.retrieval, out, present)
    if operation.embeddings is not None and operation.embeddings.dimension is not None:
        out[names.GEN_AI_EMBEDDINGS_DIMENSION_COUNT] = operation.embeddings.dimension
    if operation.prompt is not None:
        _write_prompt(operation.prompt, out)


def _write_retrieval(retrieval: Retrieval, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    _RETRIEVAL.write(retrieval, out)
    if retrieval.documents and names.GEN_AI_RETRIEVAL_DOCUMENTS not in present:
        out[names.GEN_AI_RETRIEVAL_DOCUMENTS] = write_documents(retrieval.documents)


def _write_prompt(prompt: PromptTemplate, out: dict[str, AttributeValue]) -> None:
    _PROMPT.write(prompt, out)
    if prompt.variables is not None:
        for key, value in json_object(prompt.variables).items():
            out[_PROMPT_VARIABLE + key] = value if isinstance(value, str) else encode(value)


def _write_messages(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    if operation.input_messages and names.GEN_AI_INPUT_MESSAGES not in present:
        out[names.GEN_AI_INPUT_MESSAGES] = write_messages(operation.input_messages)
    if operation.output_messages and names.GEN_AI_OUTPUT_MESSAGES not in present:
        out[names.GEN_AI_OUTPUT_MESSAGES] = write_messages(operation.output_messages)


def _write_instructions(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    if operation.system_instructions and names.GEN_AI_SYSTEM_INSTRUCTIONS not in present:
        out[names.GEN_AI_SYSTEM_INSTRUCTIONS] = write_parts(operation.system_instructions)
    if operation.tool_definitions and names.GEN_AI_TOOL_DEFINITIONS not in present:
        out[names.GEN_AI_TOOL_DEFINITIONS] = write_definitions(operation.tool_definitions)


DIALECT = Dialect("genai", _SIGNALS, _PREFIXES, _tag, _guess, _read, _write)
"""The GenAI vocabulary."""
