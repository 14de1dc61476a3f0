"""Responses as OpenAI answers: the answer itself, and the events that it is told in."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from tests.servers.http import sse
from tests.servers.openai_chat import CACHE_WRITTEN, CACHED, CREATED, INPUT, OUTPUT, REASONING
from tests.servers.openai_errors import SERVER_ERROR
from tests.servers.prompts import slices, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.openai_chat import Call, Script

Event = dict[str, Any]

_FAILURE: Final = {"code": "server_error", "message": SERVER_ERROR["message"]}
_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ECHOED: Final[dict[str, Any]] = {
    "background": False, "instructions": None, "max_output_tokens": None, "max_tool_calls": None, "metadata": {},
    "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": None, "safety_identifier": None,
    "store": True, "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "user": None,
}  # fmt: skip
"""What an answer repeats of the request, and what it says where the request doesn't."""


def response(number: int, body: dict[str, Any], script: Script, model: str) -> dict[str, Any]:
    """Return the answer as it is in the end: completed, incomplete or failed.

    Args:
        number: of the request, for ids.
        body: the request.
        script: what is said.
        model: that answers.
    """
    reason = _INCOMPLETE.get(script.finish_reason or "")
    failed = script.ending == "failed"
    status = "failed" if failed else "completed" if reason is None else "incomplete"
    tier = body.get("service_tier")
    return {
        "id": f"resp_{number:08}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "completed_at": CREATED + 1 if status == "completed" else None,
        "error": _FAILURE if failed else None,
        "incomplete_details": None if reason is None or failed else {"reason": reason},
        "model": model,
        "output": [] if failed else _items(number, script, "completed" if reason is None else "incomplete"),
        "reasoning": {"effort": None, "summary": None, **(body.get("reasoning") or {})},
        "service_tier": tier if tier not in {None, "auto"} else "default",
        "usage": None if failed else _usage(script),
        **{name: default if body.get(name) is None else body[name] for name, default in _ECHOED.items()},
    }


def unfinished(final: dict[str, Any], status: str) -> dict[str, Any]:
    """Return the answer as it is before there is anything of it: "queued" or "in_progress"."""
    nothing: dict[str, Any] = {
        "output": [],
        "usage": None,
        "error": None,
        "incomplete_details": None,
        "completed_at": None,
    }
    return {**final, "status": status, **nothing}


def _usage(script: Script) -> dict[str, Any]:
    if script.usage is not None:
        return dict(script.usage)
    thought = 0 if script.reasoning is None else REASONING
    return {
        "input_tokens": INPUT,
        "input_tokens_details": {"cached_tokens": CACHED, "cache_write_tokens": CACHE_WRITTEN},
        "output_tokens": OUTPUT + thought,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": INPUT + OUTPUT + thought,
    }


def _items(number: int, script: Script, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if script.reasoning is not None:
        summary = [{"type": "summary_text", "text": script.reasoning}]
        items.append({"id": f"rs_{number:08}", "type": "reasoning", "summary": summary})
    if script.content is not None or script.refusal is not None:
        part = _text_part(script.content) if script.refusal is None else {"type": "refusal", "refusal": script.refusal}
        identity = {"id": f"msg_{number:08}", "type": "message", "role": "assistant"}
        items.append({**identity, "status": status, "content": [part]})
    return [*items, *(_call(f"fc_{number:08}_{index}", call) for index, call in enumerate(script.tool_calls))]


def _text_part(text: str | None) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text or ""}


def _call(item_id: str, call: Call) -> dict[str, Any]:
    facts = {"name": call.name, "arguments": call.arguments, "call_id": call.id}
    return {"id": item_id, "type": "function_call", "status": "completed", **facts}


def events(final: dict[str, Any]) -> list[Event]:
    """Return the events that tell an answer, from the first to the last."""
    background = bool(final["background"])
    started = [("created", "queued"), ("queued", "queued")] if background else [("created", "in_progress")]
    told = chain(
        ({"type": f"response.{name}", "response": unfinished(final, status)} for name, status in started),
        [{"type": "response.in_progress", "response": unfinished(final, "in_progress")}],
        *(_told(index, item) for index, item in enumerate(final["output"])),
        [{"type": f"response.{final['status']}", "response": final}],
    )
    return [{**event, "sequence_number": number} for number, event in enumerate(told)]


def failing_events(final: dict[str, Any]) -> list[Event]:
    """Return the first half of the events, then an error and the failure of the answer."""
    whole = events(final)
    half = whole[: len(whole) // 2]
    error = {"type": "error", "error": SERVER_ERROR, "sequence_number": len(half)}
    failed = {**unfinished(final, "failed"), "error": _FAILURE}
    return [*half, error, {"type": "response.failed", "response": failed, "sequence_number": len(half) + 1}]


def encoded(told: list[Event]) -> list[bytes]:
    """Return events as they are on the wire."""
    return [sse(event, str(event["type"])) for event in told]


def _told(index: int, item: dict[str, Any]) -> Iterator[Event]:
    where = {"output_index": index}
    empty = {
        name: [] if isinstance(item[name], list) else "" for name in ("summary", "content", "arguments") & item.keys()
    }
    status = {"status": "in_progress"} if "status" in item else {}
    yield {"type": "response.output_item.added", "item": {**item, **empty, **status}, **where}
    tell = {"reasoning": _told_reasoning, "message": _told_message, "function_call": _told_call}[item["type"]]
    yield from tell(item, {"item_id": item["id"], **where})
    yield {"type": "response.output_item.done", "item": item, **where}


def _told_reasoning(item: dict[str, Any], where: Event) -> Iterator[Event]:
    for index, part in enumerate(item["summary"]):
        here = {**where, "summary_index": index}
        yield {"type": "response.reasoning_summary_part.added", "part": {**part, "text": ""}, **here}
        for piece in words(part["text"]):
            yield {"type": "response.reasoning_summary_text.delta", "delta": piece, "obfuscation": "Xy7", **here}
        yield {"type": "response.reasoning_summary_text.done", "text": part["text"], **here}
        yield {"type": "response.reasoning_summary_part.done", "part": part, **here}


def _told_message(item: dict[str, Any], where: Event) -> Iterator[Event]:
    for index, part in enumerate(item["content"]):
        here = {**where, "content_index": index}
        key = "text" if part["type"] == "output_text" else "refusal"
        more: Event = {"logprobs": []} if key == "text" else {}
        yield {"type": "response.content_part.added", "part": {**part, key: ""}, **here}
        for piece in words(part[key]):
            yield {"type": f"response.{part['type']}.delta", "delta": piece, **more, "obfuscation": "Xy7", **here}
        yield {"type": f"response.{part['type']}.done", key: part[key], **more, **here}
        yield {"type": "response.content_part.done", "part": part, **here}


def _told_call(item: dict[str, Any], where: Event) -> Iterator[Event]:
    for piece in slices(item["arguments"]):
        yield {"type": "response.function_call_arguments.delta", "delta": piece, "obfuscation": "Xy7", **where}
    yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"], **where}
