"""What a prompt asks a model server for in plain words, the same for every provider; and how its answers are sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.servers.http import DISCONNECT, Reply, dumps, json_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.servers.http import Piece

PAUSE: Final = 0.02  # seconds between the events of a stream, asked for with "slowly"
CITY: Final = "Zürich"
"""What strings in the arguments of a tool are; not ASCII, as a stream may be cut within a character."""

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"

_DEFAULT_ARGUMENTS: Final = {"city": CITY, "unit": "celsius"}
_BY_TYPE: Final = {"integer": 1, "number": 1.5, "boolean": True, "null": None}


def prompt_of(messages: object) -> str:
    """Return what is said last: the text of the last message of a user, or "The tool said: …" after a tool's result.

    Args:
        messages: of Chat Completions, of Responses (`input`), of Anthropic's Messages; or a string.
    """
    if isinstance(messages, str):
        return messages
    items = [item for item in messages if isinstance(item, dict)] if isinstance(messages, list) else []
    result = _tool_result(items[-1]) if items else None
    if result is not None:
        return f"The tool said: {result}"
    return next((_text(item.get("content")) for item in reversed(items) if item.get("role") == "user"), "")


def _tool_result(item: dict[str, Any]) -> str | None:
    if item.get("role") in {"tool", "function"}:
        return _text(item.get("content"))
    if item.get("type") == "function_call_output":
        return _text(item.get("output"))
    content = item.get("content")
    results = [part for part in content if part.get("type") == "tool_result"] if isinstance(content, list) else []
    return " ".join(_text(part.get("content")) for part in results) if results else None


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def asks(prompt: str, *phrases: str) -> bool:
    """Say whether a prompt contains one of the phrases, in whatever case."""
    return any(phrase in prompt.lower() for phrase in phrases)


def calls_asked_for(prompt: str, tools: Sequence[tuple[str, object]]) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls that a prompt asks for ("call a tool", "call two tools"): names and arguments.

    Args:
        prompt: see `prompt_of`.
        tools: names and JSON schemas of those that the model may call; "get_weather" if there are none.
    """
    known = list(tools) or [("get_weather", None)]
    number = 2 if asks(prompt, "call two tools") else int(asks(prompt, "call a tool"))
    chosen = (known * 2)[:number]
    return [(name, _DEFAULT_ARGUMENTS if not schema else filled(schema, CITY)) for name, schema in chosen]


def filled(schema: object, text: str, root: object = None) -> Any:
    """Return something that fits a JSON schema, with `text` for every string."""
    if not isinstance(schema, dict):
        return text
    root = schema if root is None else root
    if "$ref" in schema and isinstance(root, dict):
        return filled(root["$defs"][schema["$ref"].rpartition("/")[2]], text, root)
    for one_of in ("enum", "anyOf"):
        if one_of in schema:
            first = schema[one_of][0]
            return first if one_of == "enum" else filled(first, text, root)
    kind = schema.get("type")
    if kind == "object":
        return {name: filled(each, text, root) for name, each in schema.get("properties", {}).items()}
    return [filled(schema.get("items"), text, root)] if kind == "array" else _BY_TYPE.get(str(kind), text)


def words(text: str) -> list[str]:
    """Return a text in pieces as a model would stream it: a word each, with the space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def slices(text: str, size: int = 7) -> list[str]:
    """Return a text in pieces of equal length."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def whole(answer: object, *, cut: bool) -> Reply:
    """Return an answer in one piece; `cut` disconnects in the middle of it."""
    reply = json_reply(answer)
    if not cut:
        return reply
    content = dumps(answer)
    return Reply(200, reply.headers, [content[: len(content) // 2], DISCONNECT])


def streamed(
    events: Sequence[bytes], *, ending: str, failure: bytes, pause: float, content_type: str = EVENT_STREAM
) -> Reply:
    """Return a streamed answer.

    Args:
        events: as they are on the wire.
        ending: of "error" and "disconnect", each stands for the second half of the events; otherwise all are sent.
        failure: what is sent with "error".
        pause: seconds after each event.
        content_type: of the answer.
    """
    half = events[: max(1, len(events) // 2)]
    told = {"error": [*half, failure], "disconnect": half}.get(ending, events)
    pieces: list[Piece] = [piece for event in told for piece in ((event, pause) if pause else (event,))]
    if ending == "disconnect":
        pieces.append(DISCONNECT)
    return Reply(200, {"content-type": content_type, "cache-control": "no-cache"}, pieces)
