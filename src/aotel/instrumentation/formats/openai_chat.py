"""Chat Completions, OpenAI's and everybody's who speaks it: `POST /chat/completions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.content import to_json
from aotel.instrumentation.formats.format import Format, count, items, mapping, number, settings, text
from aotel.instrumentation.formats.media import file_part, from_data, from_location
from aotel.instrumentation.plain import text_of
from aotel.operation import (
    Message,
    Operation,
    OtherPart,
    ReasoningPart,
    RequestParameters,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
    Usage,
)
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.operation import MessagePart

_SETTINGS: Final = (
    "logprobs", "max_completion_tokens", "modalities", "parallel_tool_calls", "prompt_cache_retention",
    "reasoning_effort", "response_format", "service_tier", "store", "tool_choice", "top_logprobs", "verbosity",
)  # fmt: skip
_OUTPUT_TYPES: Final = {"text": "text", "json_object": "json", "json_schema": "json"}
_REASONING: Final = ("reasoning_content", "reasoning")
_TOOL_FIELDS: Final = frozenset({"name", "description", "parameters", "input_schema"})


class ChatCompletions(Format):
    """See the module; OpenAI API reference, Chat (2026-10)."""

    last = (b"\ndata: [DONE]", b"\ndata:[DONE]")
    asks_for_usage = True

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, request_model=text(said.get("model")), request=parameters(said))
        if reading.inputs:
            operation.input_messages = reading.messages(said.get("messages"), message)
        operation.tool_definitions = reading.definitions(said.get("tools") or said.get("functions"), definition)
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        choices = [mapping(choice) for choice in items(said.get("choices"))]
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        operation.usage = self.usage(answer)
        operation.finish_reasons = tuple([reason for choice in choices if (reason := _finish_reason(choice))])
        if reading.outputs:
            operation.output_messages = reading.messages(choices, choice_message)

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts: of the prompt, what was cached is part of it."""
        return usage_of(mapping(answer).get("usage"))

    def facts(self, request: Plain, answer: Plain) -> dict[str, AttributeValue]:
        """Return what OpenAI's own attributes say (GenAI conventions 1.40, OpenAI), and whether it refused."""
        found = openai_facts(request, answer, "chat_completions")
        for choice in items(mapping(answer).get("choices")):
            if mapping(choice).get("finish_reason") == "content_filter":
                found[names.AOT_RESPONSE_REFUSED] = "content_filter"
            elif text(mapping(mapping(choice).get("message")).get("refusal")):
                found.setdefault(names.AOT_RESPONSE_REFUSED, "refusal")
        return found

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that chunks amount to."""
        answer: dict[str, Any] = {}
        choices: dict[int, _Choice] = {}
        for event in events:
            # Justified by the row "chunk" of the benchmarks: nearly all that chunks say, they say alike.
            answer.update([fact for fact in event.items() if fact[1] is not None])
            for chunk in items(event.get("choices")):
                said = mapping(chunk)
                index = count(said.get("index")) or 0
                if index not in choices:
                    choices[index] = _Choice()
                choices[index].add(said)
        answer["choices"] = [choices[index].whole() for index in sorted(choices)]
        return answer


class _Choice:
    """One choice as its chunks arrive."""

    def __init__(self) -> None:
        self._role = "assistant"
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}
        self._finish_reason: str | None = None
        self._function: dict[str, Any] | None = None
        self._audio: dict[str, Any] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Add what a chunk says of this choice."""
        self._finish_reason = text(chunk.get("finish_reason")) or self._finish_reason
        delta = mapping(chunk.get("delta"))
        for name, value in delta.items():
            if name == "role":
                self._role = text(value) or self._role
            elif name == "audio":
                self._audio = _joined(self._audio, mapping(value), once="id")
            elif type(value) is str:
                self._texts.setdefault(name, []).append(value)
            elif name == "tool_calls":
                for call in items(value):
                    self._add_call(mapping(call))
        if type(delta.get("function_call")) is dict:
            self._function = _joined(self._function or {}, delta["function_call"])

    def _add_call(self, said: dict[str, Any]) -> None:
        index = count(said.get("index"))
        index = len(self._calls) if index is None else index
        call = self._calls.setdefault(index, {"function": {}})
        call["id"] = text(said.get("id")) or call.get("id")
        for kind in ("function", "custom"):
            if type(said.get(kind)) is dict:
                call[kind] = _joined(call.get(kind, {}), said[kind])

    def whole(self) -> dict[str, Any]:
        """Return the choice as an answer in one piece has it."""
        message: dict[str, Any] = {"role": self._role}
        message.update({name: "".join(pieces) for name, pieces in self._texts.items()})
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        if self._function:
            message["function_call"] = self._function
        if self._audio:
            message["audio"] = self._audio
        return {"message": message, "finish_reason": self._finish_reason}


def _joined(known: dict[str, Any], more: dict[str, Any], once: str = "name") -> dict[str, Any]:
    """Return an object with more of it: what it is called comes once, all other texts in pieces."""
    said = {name: value for name, value in more.items() if type(value) is str}
    return {**known, **{name: value if name == once else known.get(name, "") + value for name, value in said.items()}}


def parameters(said: dict[str, Any]) -> RequestParameters:
    """Return the parameters of a chat or text completion."""
    stop = said.get("stop")
    kind = mapping(said.get("response_format")).get("type")
    limit = count(said.get("max_tokens"))
    return RequestParameters(
        temperature=number(said.get("temperature")),
        top_p=number(said.get("top_p")),
        top_k=number(said.get("top_k")),
        max_tokens=count(said.get("max_completion_tokens")) if limit is None else limit,
        stop=(stop,) if type(stop) is str else tuple([each for each in items(stop) if type(each) is str]),
        seed=count(said.get("seed")),
        frequency_penalty=number(said.get("frequency_penalty")),
        presence_penalty=number(said.get("presence_penalty")),
        stream=True if said.get("stream") is True else None,
        choice_count=n if (n := count(said.get("n"))) != 1 else None,
        output_type=_OUTPUT_TYPES.get(kind) if type(kind) is str else None,
        others=settings(said, _SETTINGS) or None,
    )


def usage_of(said: Plain) -> Usage | None:
    """Return the tokens that a `usage` object of OpenAI's counts, in the words of either API."""
    usage = mapping(said)
    if not usage:
        return None
    asked = mapping(usage.get("prompt_tokens_details") or usage.get("input_tokens_details"))
    told = mapping(usage.get("completion_tokens_details") or usage.get("output_tokens_details"))
    return Usage(
        input_tokens=count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        output_tokens=count(usage.get("completion_tokens", usage.get("output_tokens"))),
        total_tokens=_other_total(usage),
        cache_read_tokens=_first(asked.get("cached_tokens"), usage.get("prompt_cache_hit_tokens")),
        cache_write_tokens=_first(asked.get("cache_write_tokens"), asked.get("cache_creation_tokens")),
        reasoning_tokens=count(told.get("reasoning_tokens")),
        audio_input_tokens=count(asked.get("audio_tokens")),
        audio_output_tokens=count(told.get("audio_tokens")),
    )


def _first(*values: Plain) -> int | None:
    return next((value for value in map(count, values) if value is not None), None)


def _other_total(usage: dict[str, Any]) -> int | None:
    whole = count(usage.get("total_tokens"))
    parts = (
        count(usage.get("prompt_tokens", usage.get("input_tokens"))),
        count(usage.get("completion_tokens", usage.get("output_tokens"))),
    )
    return None if None not in parts and whole == sum(part or 0 for part in parts) else whole


def openai_facts(request: Plain, answer: Plain, api: str) -> dict[str, AttributeValue]:
    """Return the attributes that GenAI has for OpenAI alone."""
    asked, told = mapping(request), mapping(answer)
    said = {
        names.OPENAI_REQUEST_SERVICE_TIER: asked.get("service_tier"),
        names.OPENAI_RESPONSE_SERVICE_TIER: told.get("service_tier"),
        names.OPENAI_RESPONSE_SYSTEM_FINGERPRINT: told.get("system_fingerprint"),
    }
    return {names.OPENAI_API_TYPE: api, **{name: value for name, value in said.items() if text(value)}}


def message(clean: Plain) -> Message:
    """Return one message of a conversation."""
    said = mapping(clean)
    if not said:
        return Message("user", (TextPart(text_of(clean) or ""),))
    role = text(said.get("role")) or "user"
    call_id = text(said.get("tool_call_id"))
    if call_id is not None or role in {"tool", "function"}:
        return Message(role, (ToolResult(call_id, _result(said.get("content"))),), text(said.get("name")))
    parts = [*_reasoning(said), *_content(said.get("content")), *_calls(said)]
    if text(said.get("refusal")):
        parts.append(TextPart(said["refusal"]))
    audio = mapping(said.get("audio"))
    if audio:
        spoken = from_data("audio", audio.get("data"))
        if spoken is not None:
            spoken.transcript = text(audio.get("transcript"))
            parts.append(spoken)
    return Message(role, tuple(parts), text(said.get("name")))


def choice_message(clean: Plain) -> Message:
    """Return the message of a choice, with why it ended."""
    choice = mapping(clean)
    said = message({"role": "assistant", **mapping(choice.get("message"))})
    said.finish_reason = _finish_reason(choice)
    return said


def definition(clean: Plain) -> ToolDefinition | None:
    """Return the definition of a tool, in OpenAI's shapes (nested or flat) or Anthropic's."""
    said = mapping(clean)
    kind = text(said.get("type")) or "function"
    facts = {**said, **mapping(said.get(kind))}
    name = text(facts.get("name")) or (None if kind == "function" else kind)
    if name is None:
        return None
    schema = facts.get("parameters", facts.get("input_schema"))
    others = {key: value for key, value in facts.items() if key not in _TOOL_FIELDS and key not in {"type", kind}}
    return ToolDefinition(name, kind, text(facts.get("description")), text_of(schema), others or None)


def _finish_reason(choice: dict[str, Any]) -> str | None:
    return text(choice.get("finish_reason"))


def _result(content: Plain) -> str | None:
    parts = items(content)
    if parts and all(type(mapping(part).get("text")) is str for part in parts):
        return "\n".join([part["text"] for part in parts])
    return text_of(content)


def _reasoning(said: dict[str, Any]) -> list[MessagePart]:
    thought = next((said[name] for name in _REASONING if text(said.get(name))), None)
    return [] if thought is None else [ReasoningPart(thought)]


def _content(content: Plain) -> list[MessagePart]:
    if type(content) is str:
        return [TextPart(content)] if content else []
    return [_part(each) for each in items(content)]


def _part(clean: Plain) -> MessagePart:
    if type(clean) is str:
        return TextPart(clean)
    part = mapping(clean)
    kind = text(part.get("type")) or "unknown"
    found: MessagePart | None = None
    if kind in {"text", "refusal"} and type(part.get(kind)) is str:
        found = TextPart(part[kind])
    elif kind == "image_url":
        where = part.get("image_url")
        found = from_location("image", where.get("url") if type(where) is dict and "url" in where else where)
    elif kind == "input_audio":
        audio = mapping(part.get("input_audio"))
        spoken = text(audio.get("format"))
        found = from_data("audio", audio.get("data"), f"audio/{spoken}" if spoken else None)
    elif kind == "file":
        found = file_part(part.get("file"))
    return found or OtherPart(kind, to_json(clean))


def _calls(said: dict[str, Any]) -> list[MessagePart]:
    found: list[MessagePart] = []
    for each in items(said.get("tool_calls")):
        call = mapping(each)
        facts = mapping(call.get("function")) or mapping(call.get("custom"))
        found.append(_call(facts, text(call.get("id"))))
    function = mapping(said.get("function_call"))
    return [*found, _call(function, None)] if function else found


def _call(facts: dict[str, Any], call_id: str | None) -> ToolCall:
    return ToolCall(text(facts.get("name")) or "", call_id, text_of(facts.get("arguments", facts.get("input"))))


CHAT_COMPLETIONS: Final = ChatCompletions()
