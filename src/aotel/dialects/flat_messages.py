"""Messages as OpenInference writes them: one attribute a fact, under indexed names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects import blocks
from aotel.dialects.flatten import FamilyNames, items
from aotel.dialects.json_text import decode, encode, is_json
from aotel.dialects.media import from_url, to_url
from aotel.dialects.messages import media_object
from aotel.dialects.values import MAX_ITEMS, content, text
from aotel.operation import MediaPart, Message, OtherPart, ReasoningPart, TextPart, ToolCall, ToolResult
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import MessagePart, Operation

__all__ = ["after_instructions", "read_flat_messages", "read_flat_texts", "with_instructions", "write_flat_messages"]

_URLS = {
    "image": f"{names.MESSAGE_CONTENT_IMAGE}.{names.IMAGE_URL}",
    "audio": f"{names.MESSAGE_CONTENT_AUDIO}.{names.AUDIO_URL}",
    "video": f"{names.MESSAGE_CONTENT_VIDEO}.{names.VIDEO_URL}",
    "document": f"{names.MESSAGE_CONTENT_DOCUMENT}.{names.DOCUMENT_URL}",
}
_MIME_TYPES = {
    "audio": f"{names.MESSAGE_CONTENT_AUDIO}.{names.AUDIO_MIME_TYPE}",
    "document": f"{names.MESSAGE_CONTENT_DOCUMENT}.{names.DOCUMENT_MIME_TYPE}",
}
_TRANSCRIPT = f"{names.MESSAGE_CONTENT_AUDIO}.{names.AUDIO_TRANSCRIPT}"

_REASONING = (
    ("id", names.MESSAGE_CONTENT_ID),
    ("signature", names.MESSAGE_CONTENT_SIGNATURE),
    ("data", names.MESSAGE_CONTENT_DATA),
    ("encrypted_content", names.MESSAGE_CONTENT_ENCRYPTED_CONTENT),
)

_NAMES = {family: FamilyNames(family) for family in (names.LLM_INPUT_MESSAGES, names.LLM_OUTPUT_MESSAGES)}

_MAX_PARTS = 4 * MAX_ITEMS

_ROLE_AND_CONTENT = 2
"""Attributes of the commonest message."""


def with_instructions(operation: Operation) -> tuple[Message, ...]:
    """Input messages for vocabularies that have no other place for system instructions: those come first."""
    if not operation.system_instructions:
        return operation.input_messages
    return (Message("system", operation.system_instructions), *operation.input_messages)


def after_instructions(messages: tuple[Message, ...], operation: Operation) -> tuple[Message, ...]:
    """Input messages without the first, where it says nothing but the instructions that an operation has already."""
    if operation.system_instructions and messages:
        first = messages[0]
        if first.role == "system" and first.parts == operation.system_instructions:
            return messages[1:]
    return messages


def read_flat_messages(entries: Iterable[Mapping[str, object]], role: str) -> tuple[Message, ...]:
    """The messages of `llm.input_messages` or `llm.output_messages`, from its items.

    Args:
        entries: the items, in order.
        role: of a message that doesn't say its own.
    """
    return tuple([_message(entry, role) for entry in entries])


def read_flat_texts(entries: Iterable[Mapping[str, object]], name: str, role: str) -> tuple[Message, ...]:
    """The prompts or choices of a text completion, each as a message.

    Args:
        entries: items of `llm.prompts` or `llm.choices`.
        name: of the text in an item.
        role: who says it.
    """
    said = (content(entry.get(name)) for entry in entries)
    return tuple([Message(role, (TextPart(one),)) for one in said if one is not None])


def write_flat_messages(messages: Sequence[Message], family: str, out: dict[str, AttributeValue]) -> None:
    """Adds messages to attributes. Each tool result becomes a message of its own: OpenInference has room for one.

    Args:
        messages: of one that is remembered, only the place is new.
        family: `llm.input_messages` or `llm.output_messages`.
        out: the attributes.
    """
    if len(messages) + sum([len(message.parts) for message in messages]) > MAX_ITEMS:
        messages = _newest(messages)
    index = 0
    full_names = _NAMES[family]
    for message in messages:
        remembered = message.remembered
        if remembered is None:
            for one in _split(message):
                _write_message(one, f"{family}.{index}.", out)
                index += 1
            continue
        flat = remembered.get("openinference")
        if not isinstance(flat, tuple):
            flat = remembered["openinference"] = _flat(message)
        for pairs in flat:
            item_names = full_names[index]
            for rest, value in pairs:
                out[item_names[rest]] = value
            index += 1


def _newest(messages: Sequence[Message]) -> Sequence[Message]:
    """The newest messages, as many as make no more than `MAX_ITEMS` of OpenInference's, with not too many parts."""
    left, parts = MAX_ITEMS, _MAX_PARTS
    for position in range(len(messages) - 1, -1, -1):
        left -= len(_split(messages[position]))
        parts -= len(messages[position].parts)
        if left < 0 or parts < 0:
            return messages[position + 1 :]
    return messages


def _flat(message: Message) -> tuple[tuple[tuple[str, AttributeValue], ...], ...]:
    """What follows the index -> value, of each message that OpenInference makes of one."""
    found: list[tuple[tuple[str, AttributeValue], ...]] = []
    for one in _split(message):
        out: dict[str, AttributeValue] = {}
        _write_message(one, "", out)
        found.append(tuple(out.items()))
    return tuple(found)


def _write_message(message: Message, prefix: str, out: dict[str, AttributeValue]) -> None:
    out[prefix + names.MESSAGE_ROLE] = message.role
    if message.name is not None:
        out[prefix + names.MESSAGE_NAME] = message.name
    if len(message.parts) == 1 and type(message.parts[0]) is TextPart:
        out[prefix + names.MESSAGE_CONTENT] = message.parts[0].content
    else:
        _write_parts(message.parts, prefix, out)


def _split(message: Message) -> Sequence[Message]:
    if ToolResult not in map(type, message.parts):
        return (message,)
    results = [Message("tool", (part,), message.name) for part in message.parts if type(part) is ToolResult]
    rest = tuple(part for part in message.parts if type(part) is not ToolResult)
    return [*results, Message(message.role, rest, message.name)] if rest else results


def _write_parts(parts: tuple[MessagePart, ...], prefix: str, out: dict[str, AttributeValue]) -> None:
    shown = [part for part in parts if type(part) is not ToolCall]
    if len(shown) == 1 and type(shown[0]) is TextPart:
        out[prefix + names.MESSAGE_CONTENT] = shown[0].content
    else:
        for index, part in enumerate(shown):
            _write_part(part, f"{prefix}{names.MESSAGE_CONTENTS}.{index}.", prefix, out)
    calls = (part for part in parts if type(part) is ToolCall)
    for index, call in enumerate(calls):
        _write_call(call, f"{prefix}{names.MESSAGE_TOOL_CALLS}.{index}.", out)


def _write_part(part: MessagePart, prefix: str, message: str, out: dict[str, AttributeValue]) -> None:
    if type(part) is TextPart:
        out[prefix + names.MESSAGE_CONTENT_TYPE] = "text"
        out[prefix + names.MESSAGE_CONTENT_TEXT] = part.content
    elif type(part) is ReasoningPart:
        _write_reasoning(part, prefix, out)
    elif type(part) is ToolResult:
        if part.id is not None:
            out[message + names.MESSAGE_TOOL_CALL_ID] = part.id
        if part.result is not None:
            out[message + names.MESSAGE_CONTENT] = part.result
    elif type(part) is MediaPart:
        url = to_url(part) if part.modality in _URLS else None
        if url is not None:
            _write_media(part, url, prefix, out)
        else:
            written = media_object(part)
            _write_other(str(written["type"]), encode(written), prefix, out)
    elif type(part) is OtherPart:
        fields = decode(part.json)
        plain = fields.get("content") if isinstance(fields, dict) and fields.keys() == {"type", "content"} else None
        _write_other(part.type, plain if isinstance(plain, str) and not is_json(plain) else part.json, prefix, out)


def _write_reasoning(part: ReasoningPart, prefix: str, out: dict[str, AttributeValue]) -> None:
    out[prefix + names.MESSAGE_CONTENT_TYPE] = "reasoning"
    if part.content:
        out[prefix + names.MESSAGE_CONTENT_TEXT] = part.content
    for field, name in _REASONING:
        value = getattr(part, field)
        if value is not None:
            out[prefix + name] = value


def _write_media(part: MediaPart, url: str, prefix: str, out: dict[str, AttributeValue]) -> None:
    out[prefix + names.MESSAGE_CONTENT_TYPE] = part.modality
    out[prefix + _URLS[part.modality]] = url
    mime_type = _MIME_TYPES.get(part.modality)
    if part.mime_type is not None and mime_type is not None:
        out[prefix + mime_type] = part.mime_type
    if part.transcript is not None and part.modality == "audio":
        out[prefix + _TRANSCRIPT] = part.transcript


def _write_other(kind: str, said: str, prefix: str, out: dict[str, AttributeValue]) -> None:
    """A part that OpenInference has no words for: its kind, and as text what it says, mostly the JSON that it is."""
    out[prefix + names.MESSAGE_CONTENT_TYPE] = kind
    out[prefix + names.MESSAGE_CONTENT_TEXT] = said


def _write_call(call: ToolCall, prefix: str, out: dict[str, AttributeValue]) -> None:
    if call.id is not None:
        out[prefix + names.TOOL_CALL_ID] = call.id
    out[prefix + names.TOOL_CALL_FUNCTION_NAME] = call.name
    if call.arguments is not None:
        out[prefix + names.TOOL_CALL_FUNCTION_ARGUMENTS] = call.arguments


def _message(item: Mapping[str, object], role: str) -> Message:
    said = content(item.get(names.MESSAGE_CONTENT))
    own_role = text(item.get(names.MESSAGE_ROLE))
    if said is not None and own_role is not None and len(item) == _ROLE_AND_CONTENT:
        return Message(own_role, (TextPart(said),))
    role = own_role or role
    call_id = text(item.get(names.MESSAGE_TOOL_CALL_ID))
    parts: list[MessagePart] = [
        part for block in items(item, names.MESSAGE_CONTENTS) if (part := _read_part(block)) is not None
    ]
    if call_id is not None:
        parts.append(ToolResult(call_id, said))
    elif said is not None and not any(type(part) is TextPart and part.content == said for part in parts):
        parts.insert(0, TextPart(said))
    seen = {part.id for part in parts if type(part) is ToolCall and part.id is not None}
    calls = [_read_call(call) for call in items(item, names.MESSAGE_TOOL_CALLS)]
    parts += [call for call in calls if call.id not in seen]
    function = text(item.get(names.MESSAGE_FUNCTION_CALL_NAME))
    if function is not None:
        parts.append(ToolCall(function, None, content(item.get(names.MESSAGE_FUNCTION_CALL_ARGUMENTS_JSON))))
    return Message(role, tuple(parts), text(item.get(names.MESSAGE_NAME)))


def _read_call(call: Mapping[str, object]) -> ToolCall:
    return ToolCall(
        text(call.get(names.TOOL_CALL_FUNCTION_NAME)) or "",
        text(call.get(names.TOOL_CALL_ID)),
        content(call.get(names.TOOL_CALL_FUNCTION_ARGUMENTS)),
    )


def _read_part(block: Mapping[str, object]) -> MessagePart | None:
    kind = text(block.get(names.MESSAGE_CONTENT_TYPE))
    said = content(block.get(names.MESSAGE_CONTENT_TEXT))
    if kind == "tool_use":
        return _read_call(block)
    if kind == "reasoning":
        opaque = (text(block.get(name)) for _, name in _REASONING)
        return ReasoningPart(said or "", *opaque)
    for modality, name in _URLS.items():
        url = text(block.get(name))
        if url is not None:
            return _read_media(modality, url, block)
    return None if said is None else _read_text(said, kind)


def _read_text(said: str, kind: str | None) -> MessagePart:
    if kind is None or kind == "text":
        return TextPart(said)
    if is_json(said):
        return blocks.part(said, kind)
    return OtherPart(kind, encode({"type": kind, "content": said}))


def _read_media(modality: str, url: str, block: Mapping[str, object]) -> MediaPart:
    mime_type = _MIME_TYPES.get(modality)
    part = from_url(modality, url, None if mime_type is None else text(block.get(mime_type)))
    if modality == "audio":
        part.transcript = content(block.get(_TRANSCRIPT))
    return part
