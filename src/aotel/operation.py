"""Operation: the one neutral description of what happened, that every dialect is read into and written from.

Text fields are strings as span attributes hold them: what is JSON there (a tool's arguments, metadata) is JSON text
here. None and empty tuples mean "not known"; zero, False and "" are values. Instances are plain values: who gets one
may read it, and replaces fields only on an operation of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Union

__all__ = [
    "Agent",
    "Document",
    "Embeddings",
    "Json",
    "MediaPart",
    "Message",
    "MessagePart",
    "Operation",
    "OtherPart",
    "PromptTemplate",
    "ReasoningPart",
    "RequestParameters",
    "Reranking",
    "Retrieval",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolDefinition",
    "ToolResult",
    "Usage",
]

Json = Union[None, bool, int, float, str, Sequence["Json"], Mapping[str, "Json"]]  # noqa: UP007 - evaluated on 3.10
"""What JSON can say, as Python values."""


@dataclass(slots=True)
class TextPart:
    """Text said to a model or by it."""

    content: str


@dataclass(slots=True)
class ReasoningPart:
    """What a model thought before it answered.

    Args:
        content: the readable thoughts or their summary; "" where only an opaque form was returned.
        signature: the provider's proof that the block is its own.
        data: the opaque form of a redacted block.
        encrypted_content: the encrypted form that is sent back to continue.
    """

    content: str = ""
    id: str | None = None
    signature: str | None = None
    data: str | None = None
    encrypted_content: str | None = None


@dataclass(slots=True)
class ToolCall:
    """A tool call that a model asks for; its arguments are JSON text, or whatever the model made up instead."""

    name: str
    id: str | None = None
    arguments: str | None = None


@dataclass(slots=True)
class ToolResult:
    """What a tool call gave, as told to the model: text or JSON text, and the id of the call."""

    id: str | None = None
    result: str | None = None


@dataclass(slots=True)
class MediaPart:
    """An image, audio, video or document, by reference: one of `uri`, `file_id`, `content` or `sha256` says which.

    Args:
        modality: `image`, `audio`, `video`, `document`, or the source's own word.
        uri: where it is; never a `data:` URI.
        file_id: the id of a file uploaded to the provider before.
        content: the bytes themselves in base64, only where raw content is kept.
        size: length in bytes, where the content itself was left out.
        sha256: hex digest, where the content itself was left out.
        transcript: what is said in an audio part.
    """

    modality: str
    mime_type: str | None = None
    uri: str | None = None
    file_id: str | None = None
    content: str | None = None
    size: int | None = None
    sha256: str | None = None
    transcript: str | None = None


@dataclass(slots=True)
class OtherPart:
    """A message part of a kind we don't know: the kind's name in its source, and the whole part as JSON text."""

    type: str
    json: str


MessagePart = Union[TextPart, ReasoningPart, ToolCall, ToolResult, MediaPart, OtherPart]  # noqa: UP007 - as Json


@dataclass(slots=True)
class Message:
    """One message.

    Args:
        role: `system`, `user`, `assistant`, `tool`, or the source's own word.
        remembered: what dialects wrote of it before; None for one that comes by once. Set by who keeps the message, and
            never for one that is changed.
    """

    role: str
    parts: tuple[MessagePart, ...] = ()
    name: str | None = None
    finish_reason: str | None = None
    remembered: dict[str, object] | None = field(default=None, repr=False, compare=False)

    @property
    def text(self) -> str:
        """The text parts, one below the other; "" when there are none."""
        remembered = self.remembered
        if remembered is None:
            return _text(self.parts)
        text = remembered.get("text")
        if not isinstance(text, str):
            text = remembered["text"] = _text(self.parts)
        return text


@dataclass(slots=True)
class RequestParameters:
    """What a model request asked for, beside its messages.

    Args:
        max_tokens: upper bound of the answer, in tokens.
        stop: sequences that end the answer.
        choice_count: how many answers.
        encoding_formats: of embeddings.
        output_type: `text`, `json`, `image` or `speech`.
        others: parameters without a name of their own here.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    stream: bool | None = None
    choice_count: int | None = None
    encoding_formats: tuple[str, ...] = ()
    output_type: str | None = None
    others: Mapping[str, Json] | None = None


@dataclass(slots=True)
class Usage:
    """Tokens of a model call. None is "not reported", never zero.

    Args:
        input_tokens: all of the prompt; what was read from and written to the provider's cache, and audio, are parts.
        output_tokens: all of the answer; reasoning and audio are parts.
        total_tokens: only where the source reports something else than the sum of both.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_input_tokens: int | None = None
    audio_output_tokens: int | None = None

    @property
    def total(self) -> int | None:
        """The reported total, else the sum of input and output where both are known."""
        if self.total_tokens is not None:
            return self.total_tokens
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


@dataclass(slots=True)
class ToolDefinition:
    """A tool that a model may call.

    Args:
        type: `function`, or a provider's built-in kind.
        description: what the model is told of it.
        parameters: JSON Schema of its arguments, as JSON text.
        others: what else the definition says.
        remembered: as for a message.
    """

    name: str
    type: str = "function"
    description: str | None = None
    parameters: str | None = None
    others: Mapping[str, Json] | None = None
    remembered: dict[str, object] | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class Tool:
    """The tool that this operation is an execution of.

    Args:
        call_id: the id of the model's call, when it was a model that asked.
        type: `function`, `extension` or `datastore`.
        description: what it is for.
        arguments: JSON text; without it, the operation's input value stands in.
        result: text or JSON text; without it, the operation's output value stands in.
    """

    name: str | None = None
    call_id: str | None = None
    type: str | None = None
    description: str | None = None
    arguments: str | None = None
    result: str | None = None


@dataclass(slots=True)
class Document:
    """A document found or ranked; its metadata is JSON text, its score what the source means by it."""

    id: str | None = None
    content: str | None = None
    score: float | None = None
    metadata: str | None = None


@dataclass(slots=True)
class Retrieval:
    """A search: what was asked of which store, how many documents at most, and what came, as the source orders it."""

    query: str | None = None
    documents: tuple[Document, ...] = ()
    top_k: int | None = None
    data_source_id: str | None = None


@dataclass(slots=True)
class Reranking:
    """A re-ordering of documents: what they are ranked for, how many to keep, as given and as ranked."""

    query: str | None = None
    top_k: int | None = None
    input_documents: tuple[Document, ...] = ()
    output_documents: tuple[Document, ...] = ()


@dataclass(slots=True)
class Embeddings:
    """Texts made into vectors, of which only number and length are carried."""

    texts: tuple[str, ...] = ()
    count: int | None = None
    dimension: int | None = None


@dataclass(slots=True)
class Agent:
    """The agent that acts."""

    id: str | None = None
    name: str | None = None
    description: str | None = None
    version: str | None = None


@dataclass(slots=True)
class PromptTemplate:
    """The template that a prompt was made from: its name in a prompt store; variables are a JSON object as text."""

    name: str | None = None
    version: str | None = None
    template: str | None = None
    variables: str | None = None


@dataclass(slots=True)
class Operation:
    """What happened in one span.

    Args:
        op: canonical tag of `aotel.semconv.operations`, a custom tag, or None where nothing says it.
        name: of the function, tool, agent or workflow.
        operation_name: the GenAI operation name where the source is more precise than the tag (`text_completion`).
        kind_override: OpenInference span kind, where it isn't the one that the tag has.
        provider: GenAI provider name (`openai`, `azure.ai.openai`, …).
        request_model: the model asked for.
        response_model: the model that answered.
        finish_reasons: one a choice.
        system_instructions: parts given beside the messages.
        input_messages: the conversation so far, oldest first.
        output_messages: one a choice.
        session_id: the conversation or session.
        metadata: a JSON object as text.
        input_value: the input as a person wants to read it, text or JSON text.
        input_mime_type: of the input value; None is plain text, or JSON where it is a JSON object or array.
        output_value: the output as a person wants to read it.
        output_mime_type: of the output value, as for the input.
        error_type: class of failure.
        time_to_first_chunk: of a streamed answer, in seconds.
    """

    op: str | None = None
    name: str | None = None
    operation_name: str | None = None
    kind_override: str | None = None
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    request: RequestParameters | None = None
    finish_reasons: tuple[str, ...] = ()
    usage: Usage | None = None
    system_instructions: tuple[MessagePart, ...] = ()
    input_messages: tuple[Message, ...] = ()
    output_messages: tuple[Message, ...] = ()
    tool_definitions: tuple[ToolDefinition, ...] = ()
    tool: Tool | None = None
    retrieval: Retrieval | None = None
    reranking: Reranking | None = None
    embeddings: Embeddings | None = None
    agent: Agent | None = None
    session_id: str | None = None
    user_id: str | None = None
    prompt: PromptTemplate | None = None
    metadata: str | None = None
    tags: tuple[str, ...] = ()
    input_value: str | None = None
    input_mime_type: str | None = None
    output_value: str | None = None
    output_mime_type: str | None = None
    error_type: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    time_to_first_chunk: float | None = None

    @property
    def readable_input(self) -> str | None:
        """The input as a person wants to read it: the value, else the last user's words, arguments or query."""
        if self.input_value is not None:
            return self.input_value
        if self.input_messages:
            return _last_words(self.input_messages)
        if self.tool is not None and self.tool.arguments is not None:
            return self.tool.arguments
        for search in (self.retrieval, self.reranking):
            if search is not None and search.query is not None:
                return search.query
        return "\n".join(self.embeddings.texts) or None if self.embeddings is not None else None

    @property
    def readable_output(self) -> str | None:
        """The output as a person wants to read it: the value, else the model's words or calls, or the tool's result."""
        if self.output_value is not None:
            return self.output_value
        if self.output_messages:
            said = (message.text for message in self.output_messages)
            return next((text for text in said if text), None) or _words(self.output_messages[0])
        return self.tool.result if self.tool is not None else None

    @property
    def reasons(self) -> tuple[str, ...]:
        """The finish reasons, else those that the output messages say themselves."""
        if self.finish_reasons or not self.output_messages:
            return self.finish_reasons
        return tuple([message.finish_reason for message in self.output_messages if message.finish_reason])


def _text(parts: tuple[MessagePart, ...]) -> str:
    return "\n".join([part.content for part in parts if type(part) is TextPart and part.content])


def _last_words(messages: tuple[Message, ...]) -> str | None:
    """What the user said last; where no user spoke, the last message that isn't the system's."""
    for message in reversed(messages):
        if message.role == "user" and (text := message.text):
            return text
    for message in reversed(messages):
        if message.role != "system":
            return _words(message)
        results = [part.result for part in message.parts if type(part) is ToolResult]
        if results:  # what a tool said is not the system's, whoever brings it
            return results[-1] or None
    return None


def _words(message: Message) -> str | None:
    """A message's text; without text, the calls it makes or the results it brings."""
    if text := message.text:
        return text
    lines: list[str] = []
    for part in message.parts:
        if type(part) is ToolCall:
            lines.append(f"{part.name}({part.arguments or ''})")
        elif type(part) is ToolResult and part.result is not None:
            lines.append(part.result)
    return "\n".join(lines) or None
