"""OpenLLMetry: Traceloop's vocabulary (`traceloop.*`, `gen_ai.prompt.N.*`, `llm.*`), written on request only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects import blocks
from aotel.dialects.dialect import Dialect, Table, fill, merged
from aotel.dialects.flat_messages import after_instructions, with_instructions
from aotel.dialects.flatten import has_family, items
from aotel.dialects.json_text import embed, encode, is_json, json_object
from aotel.dialects.messages import write_parts
from aotel.dialects.providers import normalized
from aotel.dialects.tags import AGENT, DELEGATION, SESSION, STEP, TOOLS, counts_tokens, tag_of
from aotel.dialects.values import MAX_ITEMS, content, flag, integer, score, text, texts, tokens
from aotel.operation import (
    Message,
    PromptTemplate,
    ReasoningPart,
    RequestParameters,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
    Usage,
)
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import MessagePart, Operation

__all__ = ["DIALECT"]

_PROPERTIES = f"{names.TRACELOOP_ASSOCIATION_PROPERTIES}."
_VARIABLES = f"{names.TRACELOOP_PROMPT_TEMPLATE_VARIABLES}."
_SESSION = names.TRACELOOP_ASSOCIATION_PROPERTIES_SESSION_ID
_USER = names.TRACELOOP_ASSOCIATION_PROPERTIES_USER_ID

_OPERATION = Table(
    ("request_model", names.GEN_AI_REQUEST_MODEL, text),
    ("response_model", names.GEN_AI_RESPONSE_MODEL, text),
    ("response_id", names.GEN_AI_RESPONSE_ID, text),
    ("session_id", _SESSION, text),
    ("user_id", _USER, text),
    ("input_value", names.TRACELOOP_ENTITY_INPUT, content),
    ("output_value", names.TRACELOOP_ENTITY_OUTPUT, content),
    ("user_id", names.GEN_AI_USER, text),
    ("user_id", names.LLM_USER, text),
)

_FINISH_REASONS = (
    names.LLM_RESPONSE_FINISH_REASON,
    names.GEN_AI_RESPONSE_FINISH_REASON,
    names.LLM_RESPONSE_STOP_REASON,
    names.GEN_AI_RESPONSE_STOP_REASON,
)

_REQUEST = Table(
    ("temperature", names.GEN_AI_REQUEST_TEMPERATURE, score),
    ("top_p", names.GEN_AI_REQUEST_TOP_P, score),
    ("top_k", names.LLM_TOP_K, score),
    ("max_tokens", names.GEN_AI_REQUEST_MAX_TOKENS, integer),
    ("stop", names.LLM_CHAT_STOP_SEQUENCES, texts),
    ("frequency_penalty", names.LLM_FREQUENCY_PENALTY, score),
    ("presence_penalty", names.LLM_PRESENCE_PENALTY, score),
    ("stream", names.LLM_IS_STREAMING, flag),
    ("choice_count", names.GEN_AI_REQUEST_N, integer),
    ("max_tokens", names.GEN_AI_REQUEST_MAX_COMPLETION_TOKENS, integer),
    ("stream", names.GEN_AI_IS_STREAMING, flag),
)

_USAGE = Table(
    ("input_tokens", names.GEN_AI_USAGE_PROMPT_TOKENS, tokens),
    ("output_tokens", names.GEN_AI_USAGE_COMPLETION_TOKENS, tokens),
    ("total_tokens", names.LLM_USAGE_TOTAL_TOKENS, tokens),
    ("cache_read_tokens", names.OPENLLMETRY_USAGE_CACHE_READ_INPUT_TOKENS, tokens),
    ("cache_write_tokens", names.OPENLLMETRY_USAGE_CACHE_CREATION_INPUT_TOKENS, tokens),
    ("reasoning_tokens", names.LLM_USAGE_REASONING_TOKENS, tokens),
    ("total_tokens", names.GEN_AI_USAGE_TOTAL_TOKENS, tokens),
    ("reasoning_tokens", names.GEN_AI_USAGE_REASONING_TOKENS, tokens),
)

_PROMPT = Table(
    ("name", names.TRACELOOP_PROMPT_KEY, text),
    ("version", names.TRACELOOP_PROMPT_VERSION, text),
    ("template", names.TRACELOOP_PROMPT_TEMPLATE, content),
)

_KINDS = {SESSION: "workflow", AGENT: "agent", DELEGATION: "agent", **dict.fromkeys(TOOLS, "tool")}
"""Tag -> `traceloop.span.kind`; what is no model's is a task."""

_REQUEST_TYPES = {"llm": "chat", "embedding": "embedding", "rerank": "rerank"}

_SIGNALS = frozenset(
    {
        names.TRACELOOP_SPAN_KIND,
        names.TRACELOOP_ENTITY_NAME,
        names.TRACELOOP_ENTITY_INPUT,
        names.TRACELOOP_ENTITY_OUTPUT,
        names.LLM_REQUEST_TYPE,
        names.LLM_RESPONSE_FINISH_REASON,
        names.LLM_RESPONSE_STOP_REASON,
        names.GEN_AI_USAGE_PROMPT_TOKENS,
        names.GEN_AI_USAGE_TOTAL_TOKENS,
        names.GEN_AI_IS_STREAMING,
        names.LLM_IS_STREAMING,
        names.GEN_AI_TASK_NAME,
        names.GEN_AI_TASK_INPUT,
    },
)

_PREFIXES = (
    f"{names.GEN_AI_PROMPT}.",
    f"{names.GEN_AI_COMPLETION}.",
    f"{names.LLM_REQUEST_FUNCTIONS}.",
    "llm.usage.",
)


def _tag(attributes: Mapping[str, object]) -> str | None:
    request_type = text(attributes.get(names.LLM_REQUEST_TYPE))
    return tag_of(names.LLM_REQUEST_TYPE, request_type) or tag_of(
        names.TRACELOOP_SPAN_KIND,
        text(attributes.get(names.TRACELOOP_SPAN_KIND)),
    )


def _guess(attributes: Mapping[str, object]) -> str | None:
    families = (names.GEN_AI_PROMPT, names.GEN_AI_COMPLETION)
    spoken_to_a_model = any(items(attributes, family) for family in families)
    return "llm" if spoken_to_a_model or any(key.startswith("llm.") for key in attributes) else None


def _read(attributes: Mapping[str, object], operation: Operation) -> None:
    fill(operation, _OPERATION.read(attributes))
    fill(
        operation,
        {
            "name": text(attributes.get(names.TRACELOOP_ENTITY_NAME)) or text(attributes.get(names.GEN_AI_TASK_NAME)),
            "provider": normalized(text(attributes.get(names.GEN_AI_SYSTEM))),
            "input_value": content(attributes.get(names.GEN_AI_TASK_INPUT)),
            "output_value": content(attributes.get(names.GEN_AI_TASK_OUTPUT)),
            "metadata": _gathered(attributes, _PROPERTIES, {_SESSION, _USER}),
            "finish_reasons": texts(next((attributes[name] for name in _FINISH_REASONS if name in attributes), ())),
        },
    )
    operation.request = merged(operation.request, RequestParameters, _REQUEST.read(attributes))
    operation.usage = merged(operation.usage, Usage, _USAGE.read(attributes))
    found = _PROMPT.read(attributes)
    variables = _gathered(attributes, _VARIABLES, set()) or content(
        attributes.get(names.TRACELOOP_PROMPT_TEMPLATE_VARIABLES),
    )
    if variables is not None:
        found["variables"] = variables
    operation.prompt = merged(operation.prompt, PromptTemplate, found)
    _read_conversation(attributes, operation)


def _gathered(attributes: Mapping[str, object], prefix: str, without: set[str]) -> str | None:
    """What stands under a prefix, one attribute a key, as one JSON object."""
    found = {
        key[len(prefix) :]: embed(value) if isinstance(value, str) else value
        for key, value in attributes.items()
        if key.startswith(prefix) and key not in without
    }
    return encode(found) if found else None


def _read_conversation(attributes: Mapping[str, object], operation: Operation) -> None:
    if not operation.input_messages:
        entries = items(attributes, names.GEN_AI_PROMPT)
        messages = tuple([_read_message(entry, "user") for entry in entries])
        operation.input_messages = after_instructions(messages, operation)
    if not operation.output_messages:
        entries = items(attributes, names.GEN_AI_COMPLETION)
        operation.output_messages = tuple([_read_message(entry, "assistant") for entry in entries])
    if not operation.tool_definitions:
        functions = items(attributes, names.LLM_REQUEST_FUNCTIONS)
        found = (_read_definition(function) for function in functions)
        operation.tool_definitions = tuple(definition for definition in found if definition is not None)


def _read_message(entry: Mapping[str, object], role: str) -> Message:
    said = content(entry.get(names.PROMPT_ENTRY_CONTENT))
    call_id = text(entry.get(names.PROMPT_ENTRY_TOOL_CALL_ID))
    reasoning = content(entry.get(names.COMPLETION_ENTRY_REASONING))
    parts: list[MessagePart] = []
    if reasoning is not None:
        parts.append(ReasoningPart(reasoning))
    if call_id is not None:
        parts.append(ToolResult(call_id, said))
    elif said is not None:
        parts += _read_content(said)
    calls = items(entry, names.PROMPT_ENTRY_TOOL_CALLS)
    parts += [
        ToolCall(
            text(call.get(names.TOOL_CALL_ENTRY_NAME)) or "",
            text(call.get(names.TOOL_CALL_ENTRY_ID)),
            content(call.get(names.TOOL_CALL_ENTRY_ARGUMENTS)),
        )
        for call in calls
    ]
    return Message(
        text(entry.get(names.PROMPT_ENTRY_ROLE)) or role,
        tuple(parts),
        finish_reason=text(entry.get(names.COMPLETION_ENTRY_FINISH_REASON)),
    )


def _read_content(said: str) -> Iterable[MessagePart]:
    """A text, or the parts that it is the JSON array of."""
    return blocks.parts(said) if said.startswith('[{"') and is_json(said) else (TextPart(said),)


def _read_definition(function: Mapping[str, object]) -> ToolDefinition | None:
    name = text(function.get(names.TOOL_CALL_ENTRY_NAME))
    if name is None:
        return None
    return ToolDefinition(
        name,
        description=text(function.get(names.FUNCTION_ENTRY_DESCRIPTION)),
        parameters=content(function.get(names.FUNCTION_ENTRY_PARAMETERS)),
    )


def _write(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    request_type = _REQUEST_TYPES.get(operation.op or STEP)
    if request_type is not None:
        out[names.LLM_REQUEST_TYPE] = request_type
    else:
        out[names.TRACELOOP_SPAN_KIND] = _KINDS.get(operation.op or STEP, "task")
    if operation.name is not None:
        out[names.TRACELOOP_ENTITY_NAME] = operation.name
    if operation.provider is not None:
        out[names.GEN_AI_SYSTEM] = operation.provider
    _OPERATION.write(operation, out)
    if reasons := operation.reasons:
        out[names.LLM_RESPONSE_FINISH_REASON] = reasons[0]
    if operation.request is not None:
        _REQUEST.write(operation.request, out)
    if operation.usage is not None and counts_tokens(operation):
        _USAGE.write(operation.usage, out)
        if operation.usage.total is not None:
            out[names.LLM_USAGE_TOTAL_TOKENS] = operation.usage.total
    if operation.metadata is not None:
        _spread(operation.metadata, _PROPERTIES, out)
    if operation.prompt is not None:
        _write_prompt(operation.prompt, out)
    _write_conversation(operation, out, present)


def _write_prompt(prompt: PromptTemplate, out: dict[str, AttributeValue]) -> None:
    _PROMPT.write(prompt, out)
    if prompt.variables is not None:
        _spread(prompt.variables, _VARIABLES, out)


def _spread(json: str, prefix: str, out: dict[str, AttributeValue]) -> None:
    """Adds the keys of a JSON object to attributes, one each."""
    for key, value in json_object(json).items():
        if value is None or key == "":
            continue
        plain = isinstance(value, (str, bool, float)) or (isinstance(value, int) and integer(value) is not None)
        out.setdefault(prefix + key, value if plain else encode(value))


def _write_conversation(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    messages = with_instructions(operation)
    if messages and not items(present, names.GEN_AI_PROMPT):
        _write_messages(messages, names.GEN_AI_PROMPT, out)
    if operation.output_messages and not items(present, names.GEN_AI_COMPLETION):
        _write_messages(operation.output_messages, names.GEN_AI_COMPLETION, out)
    if operation.tool_definitions and not has_family(present, names.LLM_REQUEST_FUNCTIONS):
        for index, definition in enumerate(operation.tool_definitions[:MAX_ITEMS]):
            prefix = f"{names.LLM_REQUEST_FUNCTIONS}.{index}."
            out[prefix + names.TOOL_CALL_ENTRY_NAME] = definition.name
            if definition.description is not None:
                out[prefix + names.FUNCTION_ENTRY_DESCRIPTION] = definition.description
            if definition.parameters is not None:
                out[prefix + names.FUNCTION_ENTRY_PARAMETERS] = definition.parameters


def _write_messages(messages: Sequence[Message], family: str, out: dict[str, AttributeValue]) -> None:
    for index, message in enumerate(messages[-MAX_ITEMS:]):
        prefix = f"{family}.{index}."
        out[prefix + names.PROMPT_ENTRY_ROLE] = message.role
        if message.finish_reason is not None:
            out[prefix + names.COMPLETION_ENTRY_FINISH_REASON] = message.finish_reason
        calls = [part for part in message.parts if type(part) is ToolCall]
        for number, call in enumerate(calls):
            _write_call(call, f"{prefix}{names.PROMPT_ENTRY_TOOL_CALLS}.{number}.", out)
        _write_content([part for part in message.parts if type(part) is not ToolCall], prefix, out)


def _write_call(call: ToolCall, prefix: str, out: dict[str, AttributeValue]) -> None:
    out[prefix + names.TOOL_CALL_ENTRY_NAME] = call.name
    if call.id is not None:
        out[prefix + names.TOOL_CALL_ENTRY_ID] = call.id
    if call.arguments is not None:
        out[prefix + names.TOOL_CALL_ENTRY_ARGUMENTS] = call.arguments


def _write_content(parts: list[MessagePart], prefix: str, out: dict[str, AttributeValue]) -> None:
    """The one content that an entry has: a text, a tool's result, or all parts as a JSON array."""
    if not parts:
        return
    only = parts[0] if len(parts) == 1 else None
    if type(only) is TextPart:
        out[prefix + names.PROMPT_ENTRY_CONTENT] = only.content
    elif type(only) is ToolResult and only.id is not None:
        out[prefix + names.PROMPT_ENTRY_TOOL_CALL_ID] = only.id
        if only.result is not None:
            out[prefix + names.PROMPT_ENTRY_CONTENT] = only.result
    else:
        out[prefix + names.PROMPT_ENTRY_CONTENT] = write_parts(parts)


DIALECT = Dialect("openllmetry", _SIGNALS, _PREFIXES, _tag, _guess, _read, _write)
"""The OpenLLMetry vocabulary."""
