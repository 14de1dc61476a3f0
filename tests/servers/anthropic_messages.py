"""Messages as Anthropic answers: the message itself, and the events that it is told in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.servers.prompts import PAUSE, asks, calls_asked_for, filled, slices, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INPUT, CACHE_READ, CACHE_WRITTEN, OUTPUT, THINKING = 12, 7, 5, 10, 64
"""Tokens. What is read from the cache or written to it is not part of the input; thinking comes on top of output."""

_CACHE_WRITTEN_FOR: Final = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 2}
_SIGNATURE: Final = "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk"
_SEARCH: Final = {"type": "server_tool_use", "id": "srvtoolu_0", "name": "web_search", "input": {"query": "weather"}}
_LATE: Final = (
    "input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens",
    "output_tokens_details", "server_tool_use",
)  # fmt: skip
"""What the last but one event counts; of it, the last two are not in the first event."""

_IN_PIECES: Final = {
    "text": ("text", "citations"),
    "thinking": ("thinking", "signature"),
    "tool_use": ("input",),
    "server_tool_use": ("input",),
}
"""The fields of a block that are empty at its start."""

_PING: Final = {"type": "ping"}


@dataclass(frozen=True)
class Script:
    """What the model says, and how it ends.

    Args:
        content: the blocks of the message, as they are on the wire.
        stop_reason: "end_turn", "tool_use", "max_tokens", "stop_sequence", "pause_turn", "refusal", …
        stop_sequence: the one that ended it.
        usage: stands for the whole `usage` object, as it is to be on the wire.
        ending: in a stream, "error" sends an event with an error in place of the second half; "disconnect" closes the
            connection there, or in the middle of an answer in one piece.
        pause: seconds after each event.
    """

    content: Sequence[Mapping[str, Any]] = ()
    stop_reason: str = "end_turn"
    stop_sequence: str | None = None
    usage: Mapping[str, Any] | None = None
    ending: Literal["whole", "error", "disconnect"] = "whole"
    pause: float = 0.0


def script_for(prompt: str, body: dict[str, Any]) -> Script:
    """Return what a prompt asks for; see `anthropic_api`.

    Args:
        prompt: what is said last.
        body: the request.
    """
    sequences = body.get("stop_sequences") or []
    stop_sequence = sequences[0] if sequences and asks(prompt, "stop early") else None
    content = _content(prompt, body)
    reasons = {
        "refusal": asks(prompt, "refuse"),
        "max_tokens": asks(prompt, "run out of tokens"),
        "pause_turn": asks(prompt, "pause your turn"),
        "stop_sequence": stop_sequence is not None,
        "tool_use": content[-1]["type"] == "tool_use",
    }
    return Script(
        content=content,
        stop_reason=next((reason for reason, applies in reasons.items() if applies), "end_turn"),
        stop_sequence=stop_sequence,
        ending="error" if asks(prompt, "fail in stream") else "disconnect" if asks(prompt, "disconnect") else "whole",
        pause=PAUSE if asks(prompt, "slowly") else 0.0,
    )


def _content(prompt: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if asks(prompt, "think"):
        thought = "The user wants to know. Let me think."
        content.append({"type": "thinking", "thinking": thought, "signature": _SIGNATURE})
    tools = [(tool["name"], tool.get("input_schema")) for tool in body.get("tools") or [] if "input_schema" in tool]
    calls = [
        {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments}
        for number, (name, arguments) in enumerate(calls_asked_for(prompt, tools))
    ]
    text = "Let me look." if calls else _text(prompt, body)
    content.append({"type": "text", "text": text})
    return [*content, *([_SEARCH] if asks(prompt, "pause your turn") else []), *calls]


def _text(prompt: str, body: dict[str, Any]) -> str:
    shape = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
    if asks(prompt, "refuse"):
        return "I can't"
    text = prompt or "Hello!"
    return json.dumps(filled(shape["schema"], text), ensure_ascii=False) if "schema" in shape else text


def message(message_id: str, model: str, script: Script) -> dict[str, Any]:
    """Return an answer in one piece."""
    return {
        "model": model,
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "content": [dict(block) for block in script.content],
        **_stop(script),
        "usage": _usage(script),
    }


def _stop(script: Script) -> dict[str, Any]:
    details = {"type": "refusal", "category": "cyber", "explanation": "This request could enable cyber harm."}
    more = {"stop_details": details} if script.stop_reason == "refusal" else {}
    return {"stop_reason": script.stop_reason, "stop_sequence": script.stop_sequence, **more}


def _usage(script: Script) -> dict[str, Any]:
    if script.usage is not None:
        return dict(script.usage)
    types = [block["type"] for block in script.content]
    usage: dict[str, Any] = {
        "input_tokens": INPUT,
        "cache_creation_input_tokens": CACHE_WRITTEN,
        "cache_read_input_tokens": CACHE_READ,
        "cache_creation": _CACHE_WRITTEN_FOR,
        "output_tokens": OUTPUT,
        "service_tier": "standard",
    }
    if "thinking" in types:
        usage.update(output_tokens=OUTPUT + THINKING, output_tokens_details={"thinking_tokens": THINKING})
    if "server_tool_use" in types:
        usage["server_tool_use"] = {"web_search_requests": 1, "web_fetch_requests": 0}
    return usage


def events(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events that tell a message.

    The first counts one token of output; the last but one counts all, and those of the input again.
    """
    usage = whole["usage"]
    begun = {name: count for name, count in usage.items() if name not in _LATE[4:]}
    if "output_tokens" in usage:
        begun["output_tokens"] = 1
    late = {name: usage[name] for name in _LATE if name in usage}
    stop = {name: whole[name] for name in ("stop_reason", "stop_sequence", "stop_details") if name in whole}
    start = {**whole, "content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None, "usage": begun}
    blocks = [event for index, block in enumerate(whole["content"]) for event in _told(index, block)]
    return [
        {"type": "message_start", "message": start},
        *blocks[:1],
        _PING,
        *blocks[1:],
        {"type": "message_delta", "delta": stop, "usage": late},
        {"type": "message_stop"},
    ]


def _told(index: int, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    deltas = list(_deltas(block))
    blank = {name: type(block[name])() for name in _IN_PIECES.get(block["type"], ()) if name in block}
    yield {"type": "content_block_start", "index": index, "content_block": {**block, **blank}}
    yield from ({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
    yield {"type": "content_block_stop", "index": index}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a block is told in; one of an uncommon kind comes whole."""
    kind = block["type"]
    if kind in {"text", "thinking"}:
        yield from ({"type": f"{kind}_delta", kind: piece} for piece in words(block[kind]))
    if kind == "text":
        yield from ({"type": "citations_delta", "citation": citation} for citation in block.get("citations") or ())
    elif kind == "thinking":
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif kind in {"tool_use", "server_tool_use"}:
        pieces = ["", *slices(json.dumps(block["input"], ensure_ascii=False))]
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
