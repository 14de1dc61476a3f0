"""Chat Completions and the completions before them, as OpenAI answers: in one piece, and in chunks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from tests.servers.http import sse
from tests.servers.prompts import PAUSE, asks, calls_asked_for, filled, slices, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CREATED: Final = 1_760_000_000  # seconds since the epoch
FINGERPRINT: Final = "fp_0123456789"
INPUT, CACHED, CACHE_WRITTEN, OUTPUT, REASONING, AUDIO_INPUT, AUDIO_OUTPUT = 19, 4, 2, 10, 64, 5, 6
"""Tokens. Cached and written ones are part of the input; reasoning and audio come on top of output."""

_SAFE: Final = {"filtered": False, "severity": "safe"}
_FILTERS: Final = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_NOT_FILTERED: Final = {"content_filter_results": _FILTERS}
_PROMPT_FILTERS: Final = [{"prompt_index": 0, "content_filter_results": _FILTERS}]


@dataclass(frozen=True)
class Call:
    """A call of a tool; `arguments` are the text that the model writes, JSON or not."""

    name: str
    arguments: str
    id: str = "call_0"


@dataclass(frozen=True)
class Script:
    """What the model says, in whichever of OpenAI's APIs, and how it ends.

    Args:
        content: text.
        reasoning: `reasoning_content` as DeepSeek's chat has it; a summary in Responses.
        refusal: text.
        tool_calls: calls of functions.
        finish_reason: as chat has it; None for "tool_calls" or "stop", whichever is right. In Responses "length" and
            "content_filter" are incomplete answers.
        usage: stands for the whole `usage` object, as it is to be on the wire.
        message: more fields of a chat message, as they are; in a stream they are in the delta after the first.
        ending: in a stream, "error" sends an event with an error in place of the second half; "disconnect" closes the
            connection there, or in the middle of an answer in one piece; "failed" is a failed answer in Responses.
        pause: seconds after each event.
    """

    content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: Sequence[Call] = ()
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = None
    message: Mapping[str, Any] = field(default_factory=dict)
    ending: Literal["whole", "error", "disconnect", "failed"] = "whole"
    pause: float = 0.0


def script_for(prompt: str, body: dict[str, Any], schema: object = None) -> Script:
    """Return what a prompt asks for; see `openai_api`.

    Args:
        prompt: what is said last.
        body: the request, whose `tools` (in the shape of either API) are called.
        schema: what the answer has to fit, if the request says so.
    """
    tools = [_tool(tool) for tool in body.get("tools") or body.get("functions") or []]
    calls = calls_asked_for(prompt, [tool for tool in tools if tool[0]])
    refusal = "I'm sorry, but I can't help with that." if asks(prompt, "refuse") else None
    text = prompt or "Hello!"
    if schema is not None:
        text = json.dumps(filled(schema, text), ensure_ascii=False)
    return Script(
        content=None if calls or refusal else text,
        reasoning="The user wants to know. Let me think." if asks(prompt, "think") else None,
        refusal=refusal,
        tool_calls=[
            Call(name, json.dumps(arguments, ensure_ascii=False, separators=(",", ":")), f"call_{number}")
            for number, (name, arguments) in enumerate(calls)
        ],
        finish_reason=_finish_reason(prompt),
        ending=_ending(prompt),
        pause=PAUSE if asks(prompt, "slowly") else 0.0,
    )


def _tool(tool: dict[str, Any]) -> tuple[str, object]:
    facts = tool.get("function", tool)
    return facts.get("name", ""), facts.get("parameters")


def _finish_reason(prompt: str) -> str | None:
    if asks(prompt, "be filtered"):
        return "content_filter"
    return "length" if asks(prompt, "run out of tokens") else None


def _ending(prompt: str) -> Literal["whole", "error", "disconnect", "failed"]:
    if asks(prompt, "fail in stream"):
        return "error"
    if asks(prompt, "disconnect"):
        return "disconnect"
    return "failed" if asks(prompt, "fail the response") else "whole"


def dated(model: str) -> str:
    """Return the model that answers where an alias is asked for: the alias with a date."""
    return model if model[-2:].isdigit() and model.count("-") >= 3 else f"{model}-2024-07-18"


def chat_completion(number: int, body: dict[str, Any], script: Script, model: str, *, azure: bool) -> dict[str, Any]:
    """Return an answer in one piece.

    Args:
        number: of the request, for ids.
        body: the request.
        script: what is said.
        model: that answers.
        azure: whether it is Azure that answers.
    """
    choice = {"message": _message(number, body, script), "logprobs": None, "finish_reason": _reason(body, script)}
    more = _NOT_FILTERED if azure else {}
    return {
        **_head(number, body, model, "chat.completion"),
        "choices": [{"index": index, **choice, **more} for index in range(body.get("n") or 1)],
        "usage": _usage(body, script),
        **({"prompt_filter_results": _PROMPT_FILTERS} if azure else {}),
    }


def chat_chunks(
    number: int, body: dict[str, Any], script: Script, model: str, *, azure: bool, strict: bool
) -> list[bytes]:
    """Return an answer as events; the arguments as for `chat_completion`.

    With `stream_options.include_usage`, the tokens are in a chunk of their own, without choices; all others have
    `"usage": null`. A strict server (Mistral) counts them in the chunk with the finish reason, without being asked.
    """
    options = body.get("stream_options") or {}
    head = _head(number, body, model, "chat.completion.chunk")
    counted = bool(options.get("include_usage"))
    tail = {"usage": None} if counted else {}
    padding = {} if strict or azure or options.get("include_obfuscation") is False else {"obfuscation": "Xy7"}
    chunks = [
        {**head, "choices": [choice], **tail, **padding} for choice in _chunk_choices(number, body, script, azure)
    ]
    if strict:
        chunks[-1]["usage"] = _usage(body, script)
    if azure:
        unknown = {"id": "", "object": "", "created": 0, "model": ""}
        chunks.insert(0, {"choices": [], **unknown, "prompt_filter_results": _PROMPT_FILTERS, **tail})
    if counted:
        chunks.append({**head, "choices": [], "usage": _usage(body, script), **padding})
    return [*map(sse, chunks), sse("[DONE]")]


def _head(number: int, body: dict[str, Any], model: str, kind: str) -> dict[str, Any]:
    tier = body.get("service_tier")
    return {
        "id": f"chatcmpl-{number:08}",
        "object": kind,
        "created": CREATED,
        "model": model,
        "service_tier": tier if tier not in {None, "auto"} else "default",
        "system_fingerprint": FINGERPRINT,
    }


def _message(number: int, body: dict[str, Any], script: Script) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": script.content, "refusal": script.refusal}
    if script.reasoning is not None:
        message["reasoning_content"] = script.reasoning
    if _is_spoken(body, script):
        message.update(content=None, audio=_audio(number, script))
    if script.tool_calls and "functions" in body:
        message["function_call"] = _function(script.tool_calls[0])
    elif script.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": _function(call)} for call in script.tool_calls
        ]
    return {**message, "annotations": [], **script.message}


def _function(call: Call) -> dict[str, str]:
    return {"name": call.name, "arguments": call.arguments}


def _is_spoken(body: dict[str, Any], script: Script) -> bool:
    return "audio" in (body.get("modalities") or ()) and script.content is not None


def _audio(number: int, script: Script) -> dict[str, Any]:
    return {"id": f"audio_{number:08}", "data": "UklGRgAA", "expires_at": CREATED + 3600, "transcript": script.content}


def _reason(body: dict[str, Any], script: Script) -> str:
    calls = "function_call" if "functions" in body else "tool_calls"
    return script.finish_reason or (calls if script.tool_calls else "stop")


def _usage(body: dict[str, Any], script: Script) -> dict[str, Any]:
    if script.usage is not None:
        return dict(script.usage)
    heard, spoken = (AUDIO_INPUT, AUDIO_OUTPUT) if _is_spoken(body, script) else (0, 0)
    thought = 0 if script.reasoning is None else REASONING
    asked, told = INPUT + heard, OUTPUT + thought + spoken
    return {
        "prompt_tokens": asked,
        "completion_tokens": told,
        "total_tokens": asked + told,
        "prompt_tokens_details": {
            "cached_tokens": CACHED,
            "cache_write_tokens": CACHE_WRITTEN,
            "audio_tokens": heard,
        },
        "completion_tokens_details": {
            "reasoning_tokens": thought,
            "audio_tokens": spoken,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _chunk_choices(number: int, body: dict[str, Any], script: Script, azure: bool) -> Iterator[dict[str, Any]]:
    """Yield the choices of chunks, one a chunk; several choices by turns."""
    indices = range(body.get("n") or 1)
    more = _NOT_FILTERED if azure else {}
    for delta in _deltas(number, body, script):
        for index in indices:
            yield {"index": index, "delta": delta, "logprobs": None, "finish_reason": None, **more}
    for index in indices:
        yield {"index": index, "delta": {}, "logprobs": None, "finish_reason": _reason(body, script), **more}


def _deltas(number: int, body: dict[str, Any], script: Script) -> Iterator[dict[str, Any]]:
    spoken = _is_spoken(body, script)
    yield {"role": "assistant", "content": None if script.content is None or spoken else "", "refusal": None}
    if script.message:
        yield dict(script.message)
    yield from ({"content": None, "reasoning_content": piece} for piece in words(script.reasoning or ""))
    if spoken:
        yield from _spoken(_audio(number, script))
    else:
        yield from ({"content": piece} for piece in words(script.content or ""))
    yield from ({"refusal": piece} for piece in words(script.refusal or ""))
    if script.tool_calls and "functions" in body:
        yield from _called(script.tool_calls[0])
    else:
        for index, call in enumerate(script.tool_calls):
            yield from _tool_called(index, call)


def _spoken(audio: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"audio": {"id": audio["id"], "transcript": audio["transcript"]}}
    yield from ({"audio": {"data": piece}} for piece in slices(audio["data"], 4))
    yield {"audio": {"expires_at": audio["expires_at"]}}


def _called(call: Call) -> Iterator[dict[str, Any]]:
    yield {"function_call": {"name": call.name, "arguments": ""}}
    yield from ({"function_call": {"arguments": piece}} for piece in slices(call.arguments))


def _tool_called(index: int, call: Call) -> Iterator[dict[str, Any]]:
    start = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
    yield {"tool_calls": [{"index": index, **start}]}
    for piece in slices(call.arguments):
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def text_completion(number: int, body: dict[str, Any], script: Script, prompts: Iterable[str]) -> dict[str, Any]:
    """Return an answer of `POST /completions` in one piece: a choice for each prompt, `n` times."""
    texts = [text for text in prompts for _ in range(body.get("n") or 1)]
    reason = script.finish_reason or "stop"
    return {
        **_text_head(number, body),
        "choices": [
            {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
            for index, text in enumerate(texts)
        ],
        "usage": _usage({}, script),
    }


def text_chunks(number: int, body: dict[str, Any], script: Script, prompts: Iterable[str]) -> list[bytes]:
    """Return the same as events; for tokens, see `chat_chunks`."""
    whole = text_completion(number, body, script, prompts)
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    tail = {"usage": None} if counted else {}
    head = _text_head(number, body)
    choices: list[dict[str, Any]] = []
    for choice in whole["choices"]:
        choices += [{**choice, "text": piece, "finish_reason": None} for piece in words(choice["text"])]
        choices.append({**choice, "text": ""})
    chunks = [{**head, "choices": [choice], **tail} for choice in choices]
    if counted:
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    return [*map(sse, chunks), sse("[DONE]")]


def _text_head(number: int, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"cmpl-{number:08}",
        "object": "text_completion",
        "created": CREATED,
        "model": str(body.get("model")),
        "system_fingerprint": FINGERPRINT,
    }
