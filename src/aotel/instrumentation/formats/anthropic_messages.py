"""Messages, Anthropic's API, as Anthropic, Amazon Bedrock and Vertex AI serve it: `POST /v1/messages`."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from aotel.content import to_json
from aotel.instrumentation.formats.format import Format, count, items, mapping, number, settings, text, total
from aotel.instrumentation.formats.media import from_data, from_location
from aotel.instrumentation.plain import text_of
from aotel.instrumentation.trouble import ProviderError
from aotel.instrumentation.wire.event_stream import decoded
from aotel.operation import (
    MediaPart,
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
    "inference_geo", "output_config", "service_tier", "speed", "thinking", "thread", "tool_choice",
)  # fmt: skip
_TOOL_FIELDS: Final = frozenset({"name", "type", "description", "input_schema"})
_OWN_TOOLS: Final = frozenset({"custom", "function"})  # words for a tool of the program's own
_MEDIA: Final = frozenset({"image", "document"})
_INPUT_COUNTS: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")

# What `message_start` has of these are placeholders: a stream that is given up before the end has none of them.
_LATE_COUNTS: Final = ("output_tokens", "output_tokens_details")

# Amazon's frames have events in base64, in which this is how the last one begins.
_STOPS_IN_FRAMES: Final = (b64encode(b'{"type":"message_stop'), b64encode(b'{"type": "message_sto'))

# Deltas that are appended: what they are called, what in them, and what of the block they belong to.
_APPENDED: Final = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "compaction_delta": ("content", "content"),
    "input_json_delta": ("partial_json", "partial_json"),
}


class Messages(Format):
    """See the module; Anthropic API reference, Messages (2026-10)."""

    last = (b'"message_stop"', *_STOPS_IN_FRAMES)
    failed = (b'"error"',)

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, request_model=text(said.get("model")), request=_parameters(said))
        if reading.inputs:
            operation.input_messages = reading.messages(said.get("messages"), message)
            system = said.get("system")
            if type(system) in {str, list}:
                operation.system_instructions = reading.parts(system, _instruction)
        operation.tool_definitions = reading.definitions(said.get("tools"), definition)
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        operation.usage = self.usage(answer)
        # The provider's words, as elsewhere: GenAI lists others for messages, and takes any (conventions 1.40).
        reason = text(said.get("stop_reason"))
        operation.finish_reasons = (reason,) if reason else ()
        content = items(said.get("content"))
        if reading.outputs and content:
            spoken = {"role": said.get("role"), "content": content, "stop_reason": reason}
            operation.output_messages = reading.messages([spoken], _spoken)

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts: Anthropic counts what was cached beside the input, we within it."""
        usage = mapping(mapping(answer).get("usage"))
        if not usage:
            return None
        return Usage(
            input_tokens=total(*[count(usage.get(name)) for name in _INPUT_COUNTS]),
            output_tokens=count(usage.get("output_tokens")),
            cache_read_tokens=count(usage.get("cache_read_input_tokens")),
            cache_write_tokens=count(usage.get("cache_creation_input_tokens")),
            reasoning_tokens=count(mapping(usage.get("output_tokens_details")).get("thinking_tokens")),
        )

    def failure(self, answer: Plain) -> ProviderError | None:
        """Return the error that a stream ended with, where the program reads the wire itself."""
        error = mapping(mapping(answer).get("error"))
        said = text(error.get("message"))
        return None if said is None else ProviderError(said, text(error.get("type")))

    def facts(self, request: Plain, answer: Plain) -> dict[str, AttributeValue]:
        """Return the tier that answered, and whether it refused."""
        del request
        said = mapping(answer)
        found: dict[str, AttributeValue] = {}
        tier = text(mapping(said.get("usage")).get("service_tier"))
        if tier is not None:
            found[names.AOT_RESPONSE_SERVICE_TIER] = tier
        if said.get("stop_reason") == "refusal":
            found[names.AOT_RESPONSE_REFUSED] = "refusal"
        return found

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that events amount to."""
        answer: dict[str, Any] = {}
        blocks: dict[int, _Block] = {}
        for event in events:
            kind = event.get("type")
            index = count(event.get("index")) or 0
            if kind == "message_start":
                answer = _started(mapping(event.get("message")))
            elif kind == "content_block_start":
                blocks[index] = _Block(mapping(event.get("content_block")))
            elif kind == "content_block_delta":
                blocks.setdefault(index, _Block({})).add(mapping(event.get("delta")))
            elif kind == "message_delta":
                told = {name: value for name, value in mapping(event.get("delta")).items() if value is not None}
                usage = {name: value for name, value in mapping(event.get("usage")).items() if value is not None}
                answer = {**answer, **told, "usage": {**mapping(answer.get("usage")), **usage}}
            elif kind == "error":
                answer = {**answer, "error": event.get("error")}
        seen = [blocks[index].whole() for index in sorted(blocks)]
        return {**answer, "content": [*items(answer.get("content")), *seen]}


def _started(first: dict[str, Any]) -> dict[str, Any]:
    usage = {name: value for name, value in mapping(first.get("usage")).items() if name not in _LATE_COUNTS}
    return {**first, "usage": usage}


class _Block:
    """One block of content as its deltas arrive."""

    def __init__(self, start: dict[str, Any]) -> None:
        self._start = start
        self._pieces: dict[str, list[str]] = {}
        self._citations: list[Any] = []

    def add(self, delta: dict[str, Any]) -> None:
        """Add what a delta says."""
        kind = text(delta.get("type")) or ""
        source, target = _APPENDED.get(kind, ("", ""))
        piece = delta.get(source)
        if type(piece) is str:
            self._pieces.setdefault(target, []).append(piece)
        elif kind == "citations_delta":
            self._citations.append(delta.get("citation"))

    def whole(self) -> dict[str, Any]:
        """Return the block as an answer in one piece has it; arguments that broke off stay a text."""
        block = self._start
        for name, pieces in self._pieces.items():
            said = "".join(pieces)
            if name == "partial_json":
                arguments = decoded(said.encode("utf-8", "replace"))
                block = {**block, "input": said if arguments is None else arguments}
            else:
                block = {**block, name: (text(block.get(name)) or "") + said}
        if self._citations:
            block = {**block, "citations": [*items(block.get("citations")), *self._citations]}
        return block


def _parameters(said: dict[str, Any]) -> RequestParameters:
    shape = mapping(mapping(said.get("output_config")).get("format")) or mapping(said.get("output_format"))
    others = settings(said, _SETTINGS)
    previous = text(mapping(said.get("thread")).get("previous_message_id"))
    if previous is not None:
        others["previous_message_id"] = previous
    return RequestParameters(
        temperature=number(said.get("temperature")),
        top_p=number(said.get("top_p")),
        top_k=number(said.get("top_k")),
        max_tokens=count(said.get("max_tokens")),
        stop=tuple([each for each in items(said.get("stop_sequences")) if type(each) is str]),
        stream=True if said.get("stream") is True else None,
        output_type="json" if shape.get("type") == "json_schema" else None,
        others=others or None,
    )


def message(clean: Plain) -> Message:
    """Return one message of a conversation; results of tools are the user's, as the API has it."""
    said = mapping(clean)
    if not said:
        return Message("user", (TextPart(text_of(clean) or ""),))
    return Message(text(said.get("role")) or "user", tuple(_content(said.get("content"))))


def definition(clean: Plain) -> ToolDefinition | None:
    """Return the definition of a tool: one of the program's own, or one that the provider has."""
    said = mapping(clean)
    kind = text(said.get("type"))
    if kind is None or kind in _OWN_TOOLS:
        kind = "function"
    name = text(said.get("name")) or (None if kind == "function" else kind)
    if name is None:
        return None
    others = {key: value for key, value in said.items() if key not in _TOOL_FIELDS and value is not None}
    return ToolDefinition(name, kind, text(said.get("description")), text_of(said.get("input_schema")), others or None)


def _instruction(clean: Plain) -> Message:
    return Message("system", (_part(clean),))


def _spoken(clean: Plain) -> Message:
    said = mapping(clean)
    parts = tuple(_content(said.get("content")))
    return Message(text(said.get("role")) or "assistant", parts, None, text(said.get("stop_reason")))


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
    if kind == "text" and type(part.get("text")) is str:
        found = TextPart(part["text"])
    elif kind == "thinking":
        found = ReasoningPart(text_of(part.get("thinking")) or "", signature=text_of(part.get("signature")))
    elif kind == "redacted_thinking":
        found = ReasoningPart(data=text_of(part.get("data")))
    elif kind == "tool_use":
        found = ToolCall(text(part.get("name")) or "", text(part.get("id")), text_of(part.get("input")))
    elif kind == "tool_result":
        found = ToolResult(text(part.get("tool_use_id")), _result(part))
    elif kind in _MEDIA:
        found = _media(kind, mapping(part.get("source")))
    return found or OtherPart(kind, to_json(clean))


def _result(part: dict[str, Any]) -> str | None:
    """Return what a tool gave: its text, or JSON of what is more than text; a failure says that it is one."""
    content = part.get("content")
    blocks = items(content)
    if blocks and all(mapping(block).get("type") == "text" for block in blocks):
        content = "\n".join([text(block.get("text")) or "" for block in blocks])
    return to_json({"is_error": True, "content": content}) if part.get("is_error") is True else text_of(content)


def _media(kind: str, source: dict[str, Any]) -> MediaPart | None:
    """Return an image or a document; one that is text, or blocks, is none."""
    how = source.get("type")
    mime_type = text(source.get("media_type"))
    if how == "base64":
        return from_data(kind, source.get("data"), mime_type)
    if how == "url":
        return from_location(kind, source.get("url"), mime_type)
    file_id = text(source.get("file_id")) if how == "file" else None
    return None if file_id is None else MediaPart(kind, mime_type, file_id=file_id)


MESSAGES: Final = Messages()
