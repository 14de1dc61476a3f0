"""Messages as GenAI writes them: one JSON text for a conversation, after the schemas of the GenAI conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from aotel.dialects import blocks
from aotel.dialects.json_text import embed, encode, encode_all, source, unembed
from aotel.dialects.media import from_url
from aotel.dialects.values import MAX_ITEMS
from aotel.operation import (
    MediaPart,
    Message,
    OtherPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aotel.operation import MessagePart

__all__ = ["media_object", "read_messages", "read_parts", "write_messages", "write_parts"]

_NOTHING = msgspec.Raw(b"")


class _Part(msgspec.Struct, gc=False):
    """A part of a kind that the schemas name; any other kind fails to decode, and is read the slow way."""

    type: Literal["text", "reasoning", "tool_call", "tool_call_response", "uri", "file", "blob"]
    content: str | None = None
    id: str | None = None
    name: str | None = None
    arguments: msgspec.Raw = _NOTHING
    response: msgspec.Raw = _NOTHING
    modality: str = ""
    mime_type: str | None = None
    uri: str | None = None
    file_id: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    transcript: str | None = None
    signature: str | None = None
    data: str | None = None
    encrypted_content: str | None = None


class _Message(msgspec.Struct, gc=False):
    role: str
    parts: list[_Part]
    name: str | None = None
    finish_reason: str | None = None


Spoken = TypeVar("Spoken", _Message, Message)

_MESSAGES = msgspec.json.Decoder(list[_Message])
_PARTS = msgspec.json.Decoder(list[_Part])


def read_messages(value: object) -> tuple[Message, ...]:
    """The messages of `gen_ai.input.messages` or `gen_ai.output.messages`.

    Args:
        value: JSON text, or the structured form. What is not as the schema says is read as well as it can be
            (OpenAI's and Anthropic's own shapes among it); what can't be read at all is ().

    Returns:
        The newest `MAX_ITEMS` messages, and of all their parts not more than four times as many.
    """
    text = source(value)
    try:
        messages = [
            Message(item.role, tuple([_BUILD[part.type](part) for part in item.parts]), item.name, item.finish_reason)
            for item in _bounded(_MESSAGES.decode(text))
        ]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        messages = _bounded(blocks.messages(text))
    return tuple(messages)


def read_parts(value: object) -> tuple[MessagePart, ...]:
    """The parts of `gen_ai.system_instructions`; a text that is no JSON is one text part."""
    text = source(value)
    try:
        return tuple([_BUILD[part.type](part) for part in _PARTS.decode(text)[:MAX_ITEMS]])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return tuple(blocks.parts(text)[:MAX_ITEMS])


def write_messages(messages: Sequence[Message]) -> str:
    """JSON text of messages, valid under the schema for input and the one for output messages."""
    return encode_all(messages, "genai", _message)


def write_parts(parts: Iterable[MessagePart]) -> str:
    """JSON text of parts without a message around them, as system instructions are."""
    return encode([_WRITE[type(part)](part) for part in parts])


def media_object(part: MediaPart) -> dict[str, object]:
    """A media part as the schemas have it: `uri`, `file` or `blob`, the last with size and digest for its content."""
    kind = "uri" if part.uri is not None else "file" if part.file_id is not None else "blob"
    facts = {
        "mime_type": part.mime_type,
        "uri": part.uri,
        "file_id": part.file_id,
        "content": part.content,
        "bytes": part.size,
        "sha256": part.sha256,
        "transcript": part.transcript,
    }
    said = {key: value for key, value in facts.items() if value is not None}
    return {"type": kind, "modality": part.modality, **said}


def _message(message: Message) -> dict[str, object]:
    found: dict[str, object] = {"role": message.role, "parts": [_WRITE[type(part)](part) for part in message.parts]}
    if message.name is not None:
        found["name"] = message.name
    if message.finish_reason is not None:
        found["finish_reason"] = message.finish_reason
    return found


def _bounded(messages: list[Spoken]) -> list[Spoken]:
    """The newest messages whose parts are not too many in all."""
    newest = messages[-MAX_ITEMS:]
    left = 4 * MAX_ITEMS
    for index in range(len(newest) - 1, -1, -1):
        left -= len(newest[index].parts)
        if left < 0:
            return newest[index + 1 :]
    return newest


def _read_text(part: _Part) -> MessagePart:
    return TextPart(part.content or "")


def _read_reasoning(part: _Part) -> MessagePart:
    return ReasoningPart(part.content or "", part.id, part.signature, part.data, part.encrypted_content)


def _read_tool_call(part: _Part) -> MessagePart:
    return ToolCall(part.name or "", part.id, unembed(part.arguments))


def _read_tool_result(part: _Part) -> MessagePart:
    return ToolResult(part.id, unembed(part.response))


def _read_media(part: _Part) -> MessagePart:
    if part.uri is not None and part.uri.startswith("data:"):
        return from_url(part.modality, part.uri, part.mime_type, part.transcript)
    return MediaPart(
        part.modality,
        part.mime_type,
        part.uri,
        part.file_id,
        part.content,
        part.bytes,
        part.sha256,
        part.transcript,
    )


_BUILD: dict[str, Callable[[_Part], MessagePart]] = {
    "text": _read_text,
    "reasoning": _read_reasoning,
    "tool_call": _read_tool_call,
    "tool_call_response": _read_tool_result,
    "uri": _read_media,
    "file": _read_media,
    "blob": _read_media,
}


def _write_text(part: TextPart) -> object:
    return {"type": "text", "content": part.content}


def _write_reasoning(part: ReasoningPart) -> object:
    found = {"type": "reasoning", "content": part.content}
    for key in ("id", "signature", "data", "encrypted_content"):
        value = getattr(part, key)
        if value is not None:
            found[key] = value
    return found


def _write_tool_call(part: ToolCall) -> object:
    found: dict[str, object] = {"type": "tool_call", "name": part.name}
    if part.id is not None:
        found["id"] = part.id
    if part.arguments is not None:
        found["arguments"] = embed(part.arguments)
    return found


def _write_tool_result(part: ToolResult) -> object:
    response = None if part.result is None else embed(part.result)
    found: dict[str, object] = {"type": "tool_call_response", "response": response}
    if part.id is not None:
        found["id"] = part.id
    return found


def _write_other(part: OtherPart) -> object:
    found = embed(part.json)
    # A part is an object: an array or a text, which no schema would take for one, becomes one's content.
    return found if part.json.startswith("{") and not isinstance(found, str) else {"type": part.type, "content": found}


_WRITE: dict[type, Callable[..., object]] = {
    TextPart: _write_text,
    ReasoningPart: _write_reasoning,
    ToolCall: _write_tool_call,
    ToolResult: _write_tool_result,
    MediaPart: media_object,
    OtherPart: _write_other,
}
