"""Responses, OpenAI's newer API: `POST /responses`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.content import to_json
from aotel.instrumentation.formats.format import Format, count, items, mapping, number, settings, text
from aotel.instrumentation.formats.media import file_part, from_data, from_location
from aotel.instrumentation.formats.openai_chat import definition, openai_facts, usage_of
from aotel.instrumentation.plain import text_of
from aotel.instrumentation.trouble import ProviderError
from aotel.operation import (
    MediaPart,
    Message,
    Operation,
    OtherPart,
    ReasoningPart,
    RequestParameters,
    TextPart,
    ToolCall,
    ToolResult,
)
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.operation import MessagePart, Usage

_SETTINGS: Final = (
    "background", "max_tool_calls", "parallel_tool_calls", "previous_response_id", "reasoning", "service_tier", "store",
    "text", "tool_choice", "top_logprobs", "truncation",
)  # fmt: skip
_OUTPUT_TYPES: Final = {"text": "text", "json_object": "json", "json_schema": "json"}
_REASONS: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}
_CALLS: Final = frozenset({"function_call", "custom_tool_call", "mcp_call"})
_RESULTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
_DELTAS: Final = {"response.output_text.delta": "text", "response.refusal.delta": "refusal"}


class Responses(Format):
    """See the module; OpenAI API reference, Responses (2026-10)."""

    last = tuple(
        [
            mark % end
            for end in (b"completed", b"incomplete", b"failed")
            for mark in (b"\nevent: response.%b\n", b'"type":"response.%b"', b'"type": "response.%b"')
        ]
    )

    failed = (b'"status":"failed"', b'"status": "failed"', b'"type":"error"', b'"type": "error"')

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, request_model=text(said.get("model")), request=_parameters(said))
        conversation = said.get("conversation")
        operation.session_id = text(mapping(conversation).get("id")) or text(conversation)
        if reading.inputs:
            operation.input_messages = reading.messages(said.get("input"), _message)
            operation.system_instructions = reading.parts(said.get("instructions"), _message)
        operation.tool_definitions = reading.definitions(said.get("tools"), definition)
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        operation.request_model = operation.request_model or operation.response_model
        operation.usage = self.usage(answer)
        reason = _finish_reason(said)
        operation.finish_reasons = (reason,) if reason else ()
        output = items(said.get("output"))
        if reading.outputs and output:
            operation.output_messages = reading.messages([{"output": output, "reason": reason}], _output)

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts."""
        return usage_of(mapping(answer).get("usage"))

    def failure(self, answer: Plain) -> ProviderError | None:
        """Return the error of an answer that failed."""
        said = mapping(answer)
        if said.get("status") != "failed":
            return None
        error = mapping(said.get("error"))
        return ProviderError(text(error.get("message")) or "", text(error.get("code")))

    def facts(self, request: Plain, answer: Plain) -> dict[str, AttributeValue]:
        """Return what OpenAI's own attributes say, and whether it refused."""
        found = openai_facts(request, answer, "responses")
        said = mapping(answer)
        if mapping(said.get("incomplete_details")).get("reason") == "content_filter":
            found[names.AOT_RESPONSE_REFUSED] = "content_filter"
        elif any(mapping(part).get("type") == "refusal" for part in _contents(said)):
            found[names.AOT_RESPONSE_REFUSED] = "refusal"
        return found

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that events amount to: the last one has all of it, where it came."""
        answer: dict[str, Any] = {}
        output: dict[int, dict[str, Any]] = {}
        texts: dict[tuple[int, str], list[str]] = {}
        for event in events:
            kind = text(event.get("type")) or ""
            index = count(event.get("output_index")) or 0
            if type(event.get("response")) is dict:
                answer = event["response"]
            elif kind == "error":
                answer = {**answer, "status": "failed", "error": mapping(event.get("error")) or event}
            elif kind in {"response.output_item.added", "response.output_item.done"}:
                output[index] = mapping(event.get("item"))
            elif kind in _DELTAS:
                texts.setdefault((index, _DELTAS[kind]), []).append(text(event.get("delta")) or "")
        if not items(answer.get("output")):
            answer = {**answer, "output": [_seen(index, output[index], texts) for index in sorted(output)]}
        return answer


def _seen(index: int, item: dict[str, Any], texts: dict[tuple[int, str], list[str]]) -> dict[str, Any]:
    """Return an item with the text that had come of it, where it was not complete yet."""
    if items(item.get("content")) or item.get("type") != "message":
        return item
    parts = [{"type": f"output_{kind}", "text": "".join(said)} for (at, kind), said in texts.items() if at == index]
    return {**item, "content": parts}


def _contents(answer: dict[str, Any]) -> list[Any]:
    return [part for item in items(answer.get("output")) for part in items(mapping(item).get("content"))]


def _finish_reason(answer: dict[str, Any]) -> str | None:
    status = text(answer.get("status"))
    if status == "incomplete":
        reason = text(mapping(answer.get("incomplete_details")).get("reason")) or status
        return _REASONS.get(reason, reason)
    if status == "completed":
        calls = any(mapping(item).get("type") in _CALLS for item in items(answer.get("output")))
        return "tool_calls" if calls else "stop"
    return "error" if status == "failed" else status


def _parameters(said: dict[str, Any]) -> RequestParameters:
    kind = mapping(mapping(said.get("text")).get("format")).get("type")
    return RequestParameters(
        temperature=number(said.get("temperature")),
        top_p=number(said.get("top_p")),
        max_tokens=count(said.get("max_output_tokens")),
        stream=True if said.get("stream") is True else None,
        output_type=_OUTPUT_TYPES.get(kind) if type(kind) is str else None,
        others=settings(said, _SETTINGS) or None,
    )


def _message(clean: Plain) -> Message:
    """Return one item of the input as a message."""
    item = mapping(clean)
    if not item:
        return Message("user", (TextPart(text_of(clean) or ""),))
    kind = text(item.get("type")) or "message"
    role = text(item.get("role"))
    parts = _parts(item)
    if role is None:
        role = "tool" if kind in _RESULTS else "assistant"
    return Message(role, tuple(parts))


def _output(clean: Plain) -> Message:
    """Return all items of an output as one message."""
    answer = mapping(clean)
    parts = [part for item in items(answer.get("output")) for part in _parts(mapping(item))]
    return Message("assistant", tuple(parts), None, text(answer.get("reason")))


def _parts(item: dict[str, Any]) -> list[MessagePart]:
    kind = text(item.get("type")) or "message"
    if kind == "message":
        content = item.get("content")
        return [TextPart(content)] if type(content) is str else [_part(mapping(each)) for each in items(content)]
    if kind in _CALLS:
        arguments = text_of(item.get("arguments", item.get("input")))
        return [ToolCall(text(item.get("name")) or "", text(item.get("call_id") or item.get("id")), arguments)]
    if kind in _RESULTS:
        return [ToolResult(text(item.get("call_id")), text_of(item.get("output")))]
    if kind == "reasoning":
        thoughts = [*items(item.get("summary")), *items(item.get("content"))]
        said = "\n".join([each for thought in thoughts if (each := text(mapping(thought).get("text")))])
        return [ReasoningPart(said, text(item.get("id")), encrypted_content=text(item.get("encrypted_content")))]
    if kind == "image_generation_call":
        image = from_data("image", item.get("result"))
        return [] if image is None else [image]
    return [OtherPart(kind, to_json(item))]


def _part(part: dict[str, Any]) -> MessagePart:
    kind = text(part.get("type")) or "unknown"
    found: MessagePart | None = None
    if kind in {"input_text", "output_text", "text"}:
        found = TextPart(text(part.get("text")) or "")
    elif kind in {"refusal", "output_refusal"}:
        found = TextPart(text(part.get("refusal") or part.get("text")) or "")
    elif kind == "input_image":
        file_id = text(part.get("file_id"))
        found = MediaPart("image", file_id=file_id) if file_id else from_location("image", part.get("image_url"))
    elif kind == "input_file":
        found = file_part(part)
    elif kind == "input_audio":
        audio = mapping(part.get("input_audio"))
        found = from_data("audio", audio.get("data"))
    return found or OtherPart(kind, to_json(part))


RESPONSES: Final = Responses()
