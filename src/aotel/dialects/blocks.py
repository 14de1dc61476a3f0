"""Messages that follow no schema of ours: the shapes of OpenAI's, Anthropic's and other APIs, read leniently."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from aotel.dialects.json_text import decode, encode, unembed
from aotel.dialects.media import from_url
from aotel.dialects.values import MAX_ITEMS, content, text, tokens
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
    from aotel.operation import MessagePart

__all__ = ["messages", "part", "parts"]

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)

_NOTHING = msgspec.Raw(b"")

Fields = Mapping[str, msgspec.Raw]
"""A JSON object of which only the outermost level is decoded: the texts inside stay exactly as they came."""


def messages(json: str) -> list[Message]:
    """Messages of a JSON array, or of a single JSON object; what is no message is passed over."""
    found = (_message(fields) for raw in _array(json)[-MAX_ITEMS:] if (fields := _fields(raw)))
    return [message for message in found if message.role or message.parts]


def parts(json: str) -> list[MessagePart]:
    """Parts of a JSON array, object or string; a text that is no JSON is one text part."""
    raws = _array(json)
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


def _array(json: str) -> list[msgspec.Raw]:
    """The items of an array; anything else that is JSON is its own only item."""
    try:
        return _LIST.decode(json)
    except _BROKEN:
        pass
    found = decode(json)
    if isinstance(found, list):
        # Python's own JSON, with NaN or lone surrogates in it, in a form that everyone can read.
        return _LIST.decode(encode(found))
    return [] if found is None else [msgspec.Raw(encode(found).encode())]


def _fields(raw: msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _OBJECT.decode(raw)
    except _BROKEN:
        return {}


def _text(fields: Fields, *names: str) -> str | None:
    """The first of some fields that holds anything, as text: a string's content, else its JSON."""
    for name in names:
        raw = fields.get(name)
        if raw is not None and (found := unembed(raw)) is not None:
            return found
    return None


def _message(fields: Fields) -> Message:
    found = _parts(_items(fields.get("parts", _NOTHING)) or _items(fields.get("content", _NOTHING)))
    call_id = _text(fields, "tool_call_id")
    if call_id is not None:
        found = [ToolResult(call_id, _text(fields, "content"))]
    found += [_tool_call(call) for raw in _items(fields.get("tool_calls", _NOTHING)) if (call := _fields(raw))]
    role = _text(fields, "role", "type") or ""
    return Message(role, tuple(found), _text(fields, "name"), _text(fields, "finish_reason"))


def _items(raw: msgspec.Raw) -> list[msgspec.Raw]:
    try:
        return _LIST.decode(raw)[:MAX_ITEMS]
    except _BROKEN:
        found = unembed(raw) if bytes(raw) else None
        return [] if not found else [raw]


def _parts(raws: list[msgspec.Raw]) -> list[MessagePart]:
    return [part for raw in raws[:MAX_ITEMS] if (part := _part(raw)) is not None]


def _part(raw: msgspec.Raw) -> MessagePart | None:
    fields = _fields(raw)
    if not fields:
        found = unembed(raw)
        return None if found is None else TextPart(found)
    kind = _text(fields, "type") or "unknown"
    read = _READ.get(kind)
    found_part = None if read is None else read(fields)
    return found_part if found_part is not None else OtherPart(kind, bytes(raw).decode("utf-8", "replace"))


def _text_part(fields: Fields) -> MessagePart | None:
    found = _text(fields, "content", "text")
    return None if found is None else TextPart(found)


def _reasoning(fields: Fields) -> MessagePart | None:
    found = _text(fields, "content", "thinking", "text") or ""
    return ReasoningPart(
        found,
        _text(fields, "id"),
        _text(fields, "signature"),
        _text(fields, "data"),
        _text(fields, "encrypted_content"),
    )


def _tool_call(fields: Fields) -> ToolCall:
    function = _fields(fields.get("function", _NOTHING))
    return ToolCall(
        _text(fields, "name") or _text(function, "name") or "",
        _text(fields, "id", "call_id"),
        _text(fields, "arguments", "input", "args") or _text(function, "arguments"),
    )


def _tool_result(fields: Fields) -> MessagePart | None:
    found = _text(fields, "response", "result", "content", "output")
    return ToolResult(_text(fields, "id", "tool_use_id", "tool_call_id", "call_id"), found)


def _media(fields: Fields) -> MessagePart | None:
    modality = _text(fields, "modality") or ""
    mime_type = _text(fields, "mime_type")
    uri = _text(fields, "uri")
    if uri is not None:
        return from_url(modality, uri, mime_type, _text(fields, "transcript"))
    return MediaPart(
        modality,
        mime_type,
        file_id=_text(fields, "file_id"),
        content=_text(fields, "content"),
        size=tokens(_text(fields, "bytes")),
        sha256=_text(fields, "sha256"),
        transcript=_text(fields, "transcript"),
    )


def _image(fields: Fields) -> MessagePart | None:
    """OpenAI's `image_url`, a text or an object with `url`, and Anthropic's `source`."""
    url = fields.get("image_url", _NOTHING)
    found = text(_text(_fields(url), "url")) or (text(unembed(url)) if bytes(url)[:1] == b'"' else None)
    if found is not None:
        return from_url("image", found)
    image = _fields(fields.get("source", _NOTHING))
    data, found = _text(image, "data"), _text(image, "url")
    if data is not None:
        return MediaPart("image", _text(image, "media_type"), content=content(data))
    return None if found is None else from_url("image", found)


_READ: dict[str, Callable[[Fields], MessagePart | None]] = {
    "text": _text_part,
    "input_text": _text_part,
    "output_text": _text_part,
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
