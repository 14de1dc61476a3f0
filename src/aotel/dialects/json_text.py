"""JSON text in attributes: reading it leniently, writing it validly, and putting it inside other JSON as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from aotel.operation import Message, ToolDefinition

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.operation import Json

__all__ = [
    "Fields",
    "array",
    "decode",
    "embed",
    "encode",
    "encode_all",
    "fields",
    "inner_array",
    "is_json",
    "json_object",
    "mime_type",
    "objects",
    "said",
    "source",
    "unembed",
]

Fields = Mapping[str, msgspec.Raw]
"""A JSON object of which only the outermost level is decoded."""

Item = TypeVar("Item", Message, ToolDefinition)

JSON_MIME_TYPE = "application/json"
TEXT_MIME_TYPE = "text/plain"

_OPENING = frozenset("{[")
_CLOSING = frozenset("}]")

_RAW = msgspec.json.Decoder(msgspec.Raw)
_ANY = msgspec.json.Decoder()
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()

_BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding raises; ValueError is also a lone surrogate's."""

_UNSAYABLE = (TypeError, ValueError, OverflowError, RecursionError)
"""What encoding raises; ValueError is also a lone surrogate's."""

_MAX_DEPTH = 64
"""Levels of a tree that we encode; what is deeper is left out."""

_MAX_BITS = 1024
"""Of an integer that we encode; Python refuses to write out the really long ones."""


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or array as a whole."""
    return mime_type(text) is not None


def mime_type(text: str) -> str | None:
    """`application/json` for a JSON object or array, None for what is to be read as plain text."""
    if text[:1] not in _OPENING or text[-1:] not in _CLOSING:
        return None
    try:
        _RAW.decode(text)
    except _BROKEN:
        return None
    return JSON_MIME_TYPE


def decode(text: str) -> Json:
    """A JSON text as Python values; None when it isn't JSON.

    `NaN`, infinities and lone surrogates, which Python's encoder lets through, are read as null and U+FFFD.
    """
    try:
        return cast("Json", _ANY.decode(text))
    except _BROKEN:
        pass
    try:
        return clean(json.loads(text, parse_constant=_nothing))
    except (ValueError, RecursionError):
        return None


def json_object(value: object) -> dict[str, Json]:
    """An attribute that holds a JSON object, as text or in structured form; {} when it doesn't."""
    found = decode(source(value))
    return found if isinstance(found, dict) else {}


def source(value: object) -> str:
    """JSON text of an attribute: strings are taken as JSON already, structured values are encoded."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return encode(value)


def encode(value: object) -> str:
    """Valid JSON of a tree of plain values and embedded texts. What JSON can't say becomes null."""
    try:
        return _ENCODER.encode(value).decode()
    except _UNSAYABLE:
        return _ENCODER.encode(clean(value)).decode()


def encode_all(items: Sequence[Item], key: str, tree: Callable[[Item], object]) -> str:
    """A JSON array of messages or of tool definitions, of which those that are remembered are encoded once.

    Args:
        items: what the array says. What JSON can't say in one of them becomes null, and changes no other.
        key: of an item's text among what is remembered of it.
        tree: makes an item a tree for `encode`.
    """
    if items and items[0].remembered is None:  # as then mostly all: encoded at once, which is faster than one by one
        try:
            return _ENCODER.encode([tree(item) for item in items]).decode()
        except _UNSAYABLE:
            pass
    texts: list[str] = []
    for item in items:
        remembered = item.remembered
        text = None if remembered is None else remembered.get(key)
        if not isinstance(text, str):
            text = encode(tree(item))
            if remembered is not None:
                remembered[key] = text
        texts.append(text)
    return f"[{','.join(texts)}]"


def objects(text: str) -> list[Fields]:
    """The objects of a JSON array, each decoded at its outermost level only: texts inside stay exactly as they came."""
    return [found for raw in array(text) if (found := fields(raw))]


def array(text: str) -> list[msgspec.Raw]:
    """The items of a JSON array; anything else that is JSON is its own only item, and what is no JSON has none."""
    try:
        return _LIST.decode(text)
    except _BROKEN:
        pass
    try:
        return [_RAW.decode(text)]
    except _BROKEN:
        pass
    # Perhaps Python's own JSON, with NaN or lone surrogates in it: again, in a form that everyone can read.
    found = decode(text)
    return [] if found is None else array(encode(found))


def inner_array(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    """The items of an array inside other JSON; anything else that says something is its own only item."""
    if raw is None:
        return []
    try:
        return _LIST.decode(raw)
    except _BROKEN:
        return [raw] if unembed(raw) else []


def fields(raw: msgspec.Raw | None) -> Fields:
    """The fields of a JSON object; {} for anything else."""
    if raw is None:
        return {}
    try:
        return _FIELDS.decode(raw)
    except _BROKEN:
        return {}


def said(found: Fields, *names: str) -> str | None:
    """The first of some fields that says anything, as text: a string's content, else its JSON."""
    for name in names:
        raw = found.get(name)
        if raw is not None and (text := unembed(raw)) is not None:
            return text
    return None


def embed(text: str) -> msgspec.Raw | str:
    """A text as a value inside other JSON: an object or array stays one, all else is a string."""
    if text and text[0] in "{[" and text[-1] in "}]":
        try:
            return _RAW.decode(text)
        except _BROKEN:
            pass
    return text


def unembed(raw: msgspec.Raw) -> str | None:
    """The text that was embedded: a string's content, null as None, anything else as its JSON."""
    found = bytes(raw)
    if found == b"null" or not found:
        return None
    if found[0] == ord('"'):
        value = decode(found.decode("utf-8", "replace"))
        return value if isinstance(value, str) else None
    return found.decode("utf-8", "replace")


def clean(value: object, depth: int = 0) -> Json:
    """A tree with nothing in it that JSON or UTF-8 can't say."""
    if isinstance(value, msgspec.Raw):
        value = decode(bytes(value).decode("utf-8", "replace"))
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (bool, int, float)):
        return _finite(value)
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {str(clean(str(key))): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [clean(item, depth + 1) for item in value]
    return None


def _finite(value: float) -> float | None:
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_BITS else None
    return value if value - value == 0 else None


def _nothing(_constant: str) -> None:
    """`NaN` and the infinities say nothing that can be passed on."""
