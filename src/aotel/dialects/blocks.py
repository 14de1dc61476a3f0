"""Messages that follow no schema of ours: the shapes of OpenAI's, Anthropic's and other APIs, read leniently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from aotel.dialects.json_text import array, decode, fields, inner_array, objects, said, unembed
from aotel.dialects.media import from_url
from aotel.dialects.values import MAX_ITEMS, tokens
from aotel.operation import MediaPart, Message, OtherPart, ReasoningPart, TextPart, ToolCall, ToolResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.dialects.json_text import Fields
    from aotel.operation import MessagePart

__all__ = ["messages", "part", "parts"]


def messages(json: str) -> list[Message]:
    """Messages of a JSON array, or of a single JSON object; what is no message is passed over."""
    read = (_message(found) for found in objects(json)[-MAX_ITEMS:])
    return [message for message in read if message.role or message.parts]


def parts(json: str) -> list[MessagePart]:
    """Parts of a JSON array, object or string; a text that is no JSON is one text part."""
    raws = array(json)
    if raws:
        return _parts(raws)
    return [TextPart(json)] if json and decode(json) is None else []


def part(json: str, kind: str) -> MessagePart:
    """The part that a JSON object is; what isn't of a kind we know is kept as it is.

    Args:
        json: JSON text.
        kind: the kind's name in its source.
    """
    found = _part(msgspec.Raw(json.encode("utf-8", "replace")))
    return OtherPart(kind, json) if found is None or isinstance(found, (TextPart, OtherPart)) else found


def _message(found: Fields) -> Message:
    read = _parts(inner_array(found.get("parts")) or inner_array(found.get("content")))
    call_id = said(found, "tool_call_id")
    if call_id is not None:
        read = [ToolResult(call_id, said(found, "content"))]
    read += [_tool_call(call) for raw in inner_array(found.get("tool_calls")) if (call := fields(raw))]
    role = said(found, "role", "type") or ""
    return Message(role, tuple(read), said(found, "name"), said(found, "finish_reason"))


def _parts(raws: list[msgspec.Raw]) -> list[MessagePart]:
    return [read for raw in raws[:MAX_ITEMS] if (read := _part(raw)) is not None]


def _part(raw: msgspec.Raw) -> MessagePart | None:
    found = fields(raw)
    if not found:
        plain = unembed(raw)
        return None if plain is None else TextPart(plain)
    kind = said(found, "type") or "unknown"
    read = _READ.get(kind)
    known = None if read is None else read(found)
    return known if known is not None else OtherPart(kind, bytes(raw).decode("utf-8", "replace"))


def _text(found: Fields) -> MessagePart | None:
    text = said(found, "content", "text")
    return None if text is None else TextPart(text)


def _reasoning(found: Fields) -> MessagePart | None:
    return ReasoningPart(
        said(found, "content", "thinking", "text") or "",
        said(found, "id"),
        said(found, "signature"),
        said(found, "data"),
        said(found, "encrypted_content"),
    )


def _tool_call(found: Fields) -> ToolCall:
    facts = {**found, **fields(found.get("function"))}
    return ToolCall(
        said(facts, "name") or "",
        said(found, "id", "call_id"),
        said(facts, "arguments", "input", "args"),
    )


def _tool_result(found: Fields) -> MessagePart | None:
    result = said(found, "response", "result", "content", "output")
    return ToolResult(said(found, "id", "tool_use_id", "tool_call_id", "call_id"), result)


def _media(found: Fields) -> MessagePart | None:
    modality = said(found, "modality") or ""
    mime_type = said(found, "mime_type")
    transcript = said(found, "transcript")
    uri = said(found, "uri")
    if uri is not None:
        return from_url(modality, uri, mime_type, transcript)
    return MediaPart(
        modality,
        mime_type,
        file_id=said(found, "file_id"),
        content=said(found, "content"),
        size=tokens(said(found, "bytes")),
        sha256=said(found, "sha256"),
        transcript=transcript,
    )


def _image(found: Fields) -> MessagePart | None:
    """OpenAI's `image_url`, a text or an object with `url`, and Anthropic's `source`."""
    url = found.get("image_url")
    location = said(fields(url), "url") or (said(found, "image_url") if not fields(url) else None)
    if location:
        return from_url("image", location)
    image = fields(found.get("source"))
    data, location = said(image, "data"), said(image, "url")
    if data is not None:
        return MediaPart("image", said(image, "media_type"), content=data)
    return None if location is None else from_url("image", location)


_READ: dict[str, Callable[[Fields], MessagePart | None]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "reasoning": _reasoning,
    "thinking": _reasoning,
    "redacted_thinking": _reasoning,
    "tool_call": _tool_call,
    "tool_use": _tool_call,
    "function_call": _tool_call,
    "tool_call_response": _tool_result,
    "tool_result": _tool_result,
    "uri": _media,
    "file": _media,
    "blob": _media,
    "image": _image,
    "image_url": _image,
    "input_image": _image,
}
