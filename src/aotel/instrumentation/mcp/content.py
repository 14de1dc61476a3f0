"""What an MCP message says, of either version of the SDK, as plain values: arguments in, results out."""

from __future__ import annotations

from typing import Any, Final

from aotel.instrumentation.mcp.propagation import META

Plain = Any
"""JSON-like: None, bool, int, float, str, list and dict of text keys."""

_BINARY: Final = frozenset({"data", "blob"})
_ENVELOPE: Final = frozenset({META, "resultType", "ttlMs", "cacheScope"})
_BASE64: Final = 4  # characters that say three bytes
_DEPTH: Final = 24


def wire(value: Any) -> Plain:
    """Return a message's part as it goes over the wire, without its `_meta` and with its binaries by their size."""
    dump = getattr(value, "model_dump", None)
    found = dump(by_alias=True, mode="json", exclude_none=True) if callable(dump) else value
    if type(found) is dict:
        found = {name: item for name, item in found.items() if name not in _ENVELOPE}
    return _by_size(found, 0)


def _by_size(value: Plain, depth: int) -> Plain:
    cls = type(value)
    if cls is list:
        return [_by_size(item, depth + 1) for item in value] if depth < _DEPTH else None
    if cls is not dict:
        return value
    if depth >= _DEPTH:
        return None
    if _is_binary(value):
        rest = {name: _by_size(item, depth + 1) for name, item in value.items() if name not in _BINARY}
        return {**rest, "bytes": sum(_bytes(value[name]) for name in _BINARY if name in value)}
    return {name: _by_size(item, depth + 1) for name, item in value.items()}


def _is_binary(block: dict[str, Plain]) -> bool:
    """Say whether this is an image, a sound or a binary resource, and not somebody's own object."""
    if type(block.get("blob")) is str and "uri" in block:
        return True
    return block.get("type") in {"image", "audio"} and type(block.get("data")) is str


def _bytes(base64: Plain) -> int:
    return max(0, len(base64) * 3 // _BASE64 - base64[-2:].count("=")) if type(base64) is str else 0


def arguments_of(method: str, params: Any) -> dict[str, Plain]:
    """Return what a request asks, by name: a tool's own arguments, the parameters of anything else."""
    if params is None:
        return {}
    found = wire(params)
    if type(found) is not dict:
        return {}
    if method != "tools/call":
        return found
    arguments = found.get("arguments")
    return arguments if type(arguments) is dict else {}


def result_of(method: str, result: Any) -> Plain:
    """Return what a request came to, as a person wants to read it."""
    found = wire(result)
    if type(found) is not dict:
        return found
    if method == "tools/call" and "content" in found:
        return _tool_result(found)
    contents = found.get("contents")
    if method == "resources/read" and type(contents) is list:
        return [_document(item) if type(item) is dict else item for item in contents]
    return found


def _tool_result(found: dict[str, Plain]) -> Plain:
    blocks = found["content"]
    if type(blocks) is not list or not blocks:
        return found.get("structuredContent", blocks)
    text = joined(blocks)
    return blocks if text is None else text


def _document(item: dict[str, Plain]) -> dict[str, Plain]:
    # As the pipeline reads the documents of a retrieval.
    renamed = {"uri": "id", "text": "content"}
    return {renamed.get(name, name): value for name, value in item.items() if name != META}


def joined(blocks: Plain) -> str | None:
    """Return the text of blocks that are all text; None where there is something else among them."""
    if type(blocks) is not list:
        return None
    texts: list[str] = []
    for block in blocks:
        text = block.get("text") if type(block) is dict and block.get("type") == "text" else None
        if type(text) is not str:
            return None
        texts.append(text)
    return "\n".join(texts)


def get(value: Any, name: str, other: str) -> Any:
    """Return a field of a message by its name on the wire, or as version 2 of the SDK has it; None if it has neither.

    Args:
        value: a model, one that wraps a model (`root`), or a dict.
        name: on the wire.
        other: in version 2.
    """
    value = getattr(value, "root", value)
    if type(value) is dict:
        return value.get(name)
    return getattr(value, name, None) if hasattr(value, name) else getattr(value, other, None)
