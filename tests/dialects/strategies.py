"""Operations for Hypothesis: everything that a given dialect can say, and attributes that nobody should ever write."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from aotel.operation import (
    Agent,
    Document,
    Embeddings,
    MediaPart,
    Message,
    Operation,
    OtherPart,
    PromptTemplate,
    ReasoningPart,
    RequestParameters,
    Reranking,
    Retrieval,
    TextPart,
    Tool,
    ToolCall,
    ToolDefinition,
    ToolResult,
    Usage,
)
from aotel.semconv.attributes import NAMES
from aotel.semconv.operations import TAXONOMY

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

PROVIDERS = (
    "openai",
    "azure.ai.openai",
    "anthropic",
    "aws.bedrock",
    "mistral_ai",
    "gcp.vertex_ai",
    "x_ai",
    "home.made",
)


def optional(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | strategy


said = st.text(max_size=12)
named = st.sampled_from(["a", "id-1", "tool.name", "ünï", "with space", "0", "true", "{", "null"])
counts = st.integers(0, 2**40)
numbers = st.integers(-5, 500) | st.floats(-2, 2, allow_nan=False)
scores = st.floats(-1, 1, allow_nan=False)
leaves = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | said
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(said, inner, max_size=3),
    max_leaves=3,
)
json_objects = st.dictionaries(named, trees, max_size=2).map(json.dumps)
results = said | json_objects

texts = st.builds(TextPart, said)
calls = st.builds(ToolCall, named, optional(named), optional(results))
reasoning = st.builds(ReasoningPart, said, optional(named), optional(named), optional(named), optional(named))
tool_results = st.builds(ToolResult, named, optional(results))
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
urls = named.map(lambda name: f"https://example.com/{name}")
base64 = st.binary(max_size=6).map(lambda raw: raw.hex())
modalities = st.sampled_from(["image", "audio", "video", "document"])
mime_types = st.sampled_from(["image/png", "audio/mpeg", "application/pdf"])
inline_media = st.builds(MediaPart, modalities, optional(mime_types), content=base64) | st.builds(
    MediaPart,
    modalities,
    optional(mime_types),
    size=optional(counts),
    sha256=digests,
)
media = (
    inline_media
    | st.builds(MediaPart, modalities, optional(mime_types), uri=urls)
    | st.builds(MediaPart, modalities, optional(mime_types), file_id=named)
)
# OpenInference has no room for the media type of an image or a video that is elsewhere.
flat_media = inline_media | st.builds(MediaPart, modalities, uri=urls) | st.builds(MediaPart, modalities, file_id=named)


def _other(kind: str, fields: dict[str, Any]) -> OtherPart:
    return OtherPart(kind, json.dumps({**fields, "type": kind}))


others = st.builds(
    _other,
    st.sampled_from(["server_tool_call", "compaction", "refusal"]),
    st.dictionaries(named, trees, max_size=3),
)

roles = st.sampled_from(["system", "user", "assistant", "developer"])


def lists(strategy: SearchStrategy[Any], least: int = 0, most: int = 2) -> SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


genai_messages = st.builds(
    Message,
    roles,
    lists(texts | reasoning | calls | tool_results | media | others),
    optional(named),
    optional(named),
)


@st.composite
def flat_messages(draw: st.DrawFn) -> Message:
    """Messages as OpenInference can say them: a tool's result alone, calls after all the rest."""
    if draw(st.booleans()):
        return Message("tool", (draw(tool_results),), draw(optional(named)))
    shown = draw(lists(texts | reasoning | flat_media | others))
    called = draw(lists(calls, most=2))
    return Message(draw(roles), (*shown, *called), draw(optional(named)))


@st.composite
def indexed_messages(draw: st.DrawFn) -> Message:
    """Messages as OpenLLMetry can say them: one text, one result or a list of parts; calls after it."""
    if draw(st.booleans()):
        return Message("tool", (draw(tool_results),), finish_reason=draw(optional(named)))
    plain = draw(lists(texts.filter(lambda part: not part.content.startswith("[{")), most=1))
    shown = draw(st.just(plain) | lists(texts | reasoning | media, least=2))
    called = draw(lists(calls, most=2))
    return Message(draw(roles), (*shown, *called), finish_reason=draw(optional(named)))


def _usage(parts: list[int | None], total: int | None) -> Usage:
    known = [part or 0 for part in parts]
    if known[0] < known[2] + known[3]:
        parts[0] = known[2] + known[3]
    usage = Usage(parts[0], parts[1], None, *parts[2:])
    usage.total_tokens = None if total == usage.total else total
    return usage


usages = st.builds(_usage, st.lists(optional(counts), min_size=7, max_size=7), optional(counts))
usages_without_total = usages.map(lambda usage: replace(usage, total_tokens=None))


requests = st.builds(
    RequestParameters,
    temperature=optional(numbers),
    top_p=optional(numbers),
    top_k=optional(numbers),
    max_tokens=optional(counts),
    stop=lists(said),
    seed=optional(st.integers(-(2**40), 2**40)),
    frequency_penalty=optional(numbers),
    presence_penalty=optional(numbers),
    stream=optional(st.booleans()),
    choice_count=optional(counts),
    encoding_formats=lists(named, most=2),
)


def _with_others(request: RequestParameters, more: dict[str, Any]) -> RequestParameters:
    return replace(request, others=more or None)


requests_with_others = st.builds(
    _with_others,
    requests,
    st.dictionaries(st.sampled_from(["user", "reasoning", "logit_bias", "response_format"]), trees, max_size=2),
)

definitions = st.builds(
    ToolDefinition,
    named,
    st.sampled_from(["function", "web_search"]),
    optional(named),
    optional(
        st.dictionaries(named, trees, max_size=2).map(
            lambda tree: json.dumps(tree, separators=(",", ":"), ensure_ascii=False)
        )
    ),
    optional(st.dictionaries(st.sampled_from(["strict", "max_uses"]), leaves, min_size=1, max_size=2)),
)
plain_definitions = st.builds(ToolDefinition, named, st.just("function"), optional(named), optional(results))

documents = st.builds(Document, optional(named), optional(said), optional(scores), optional(json_objects)).filter(
    lambda document: document != Document(),
)

tags = st.sampled_from(sorted(TAXONOMY))
genai_tags = st.sampled_from(sorted({row.genai: tag for tag, row in TAXONOMY.items() if row.genai}.values()))
PLACED = ("llm", "tool", "retrieval", "rerank", "embedding", "agent", "guardrail", "validation", "decision", "step")
models = st.sampled_from(["llm", "embedding"])

_common = {
    "provider": optional(st.sampled_from(PROVIDERS)),
    "request_model": optional(named),
    "response_model": optional(named),
    "session_id": optional(named),
    "user_id": optional(named),
    "finish_reasons": lists(named, most=1),
}

genai_operations = st.builds(
    Operation,
    **_common,
    op=st.just("llm"),
    operation_name=optional(st.sampled_from(["generate_content", "text_completion"])),
    response_id=optional(named),
    request=optional(requests),
    usage=optional(usages_without_total),
    system_instructions=lists(texts | others),
    input_messages=lists(genai_messages),
    output_messages=lists(genai_messages),
    tool_definitions=lists(definitions),
    tool=optional(
        st.builds(
            Tool,
            named,
            optional(named),
            optional(named),
            optional(said.filter(bool)),
            optional(results),
            optional(results),
        )
    ),
    retrieval=optional(st.builds(Retrieval, optional(said), lists(documents), optional(counts), optional(named))),
    embeddings=optional(st.builds(Embeddings, dimension=counts)),
    agent=optional(st.builds(Agent, optional(named), optional(named), optional(named), named)),
    prompt=optional(st.builds(PromptTemplate, named, optional(named))),
    error_type=optional(named),
    server_address=optional(named),
    server_port=optional(st.integers(0, 65535)),
    time_to_first_chunk=optional(st.floats(0, 100)),
)


def _typed(operation: Operation) -> Operation:
    """A media type belongs to a value."""
    if operation.input_value is None:
        operation.input_mime_type = None
    if operation.output_value is None:
        operation.output_mime_type = None
    return operation


openinference_operations = st.builds(
    Operation,
    **_common,
    op=st.sampled_from(["llm", "embedding"]),
    request=optional(requests_with_others),
    usage=optional(usages),
    input_messages=lists(flat_messages()),
    output_messages=lists(flat_messages()),
    tool_definitions=lists(definitions),
    tool=optional(st.builds(Tool, named, optional(named), description=optional(named), arguments=optional(said))),
    retrieval=optional(st.builds(Retrieval, documents=lists(documents, 1))),
    reranking=optional(
        st.builds(
            Reranking,
            said,
            optional(counts),
            lists(documents),
            lists(documents),
        ),
    ),
    embeddings=optional(st.builds(Embeddings, lists(said, 1))),
    agent=optional(st.builds(Agent, name=named)),
    prompt=optional(st.builds(PromptTemplate, optional(named), optional(named), said, optional(json_objects))),
    metadata=optional(json_objects),
    tags=lists(said),
    input_value=optional(said),
    input_mime_type=optional(st.sampled_from(["text/plain", "application/json"])),
    output_value=optional(said),
    output_mime_type=optional(st.sampled_from(["text/plain", "application/json"])),
).map(_typed)

openllmetry_operations = st.builds(
    Operation,
    **_common,
    op=st.sampled_from(["llm", "embedding"]),
    name=optional(named),
    response_id=optional(named),
    request=optional(
        requests.map(
            lambda request: replace(request, seed=None, encoding_formats=()),
        ),
    ),
    usage=optional(usages.map(lambda usage: replace(usage, audio_input_tokens=None, audio_output_tokens=None))),
    input_messages=lists(indexed_messages()),
    output_messages=lists(indexed_messages()),
    tool_definitions=lists(plain_definitions),
    prompt=optional(st.builds(PromptTemplate, named, optional(named), optional(said))),
    input_value=optional(said),
    output_value=optional(said),
)

# Attributes as a hostile or broken emitter might leave them.

_indices = st.sampled_from(["0", "1", "7", "00", "999999999", "9" * 30, "-1", "x", "²", "", "1.2"])
_families = st.sampled_from(
    [
        "llm.input_messages",
        "llm.output_messages",
        "llm.tools",
        "llm.prompts",
        "llm.choices",
        "retrieval.documents",
        "reranker.input_documents",
        "embedding.embeddings",
        "gen_ai.prompt",
        "gen_ai.completion",
        "llm.request.functions",
        "traceloop.association.properties",
        "gen_ai.prompt.variable",
    ],
)
_endings = st.sampled_from(
    [
        "message.role",
        "message.content",
        "message.contents.0.message_content.type",
        "message.contents.999999999.message_content.text",
        "message.contents.1.message_content.image.image.url",
        "message.tool_calls.0.tool_call.function.arguments",
        "message.tool_call_id",
        "tool.json_schema",
        "document.score",
        "document.metadata",
        "embedding.vector",
        "prompt.text",
        "completion.text",
        "role",
        "content",
        "tool_calls.0.arguments",
        "name",
        "parameters",
        "",
    ],
)
hostile_names = st.sampled_from(sorted(NAMES)) | st.builds("{}.{}.{}".format, _families, _indices, _endings) | said
_kinds = st.sampled_from(
    ["LLM", "TOOL", "chat", "execute_tool", "invoke_agent", "workflow", "nonsense", "UNKNOWN", "llm"]
)
_broken = st.sampled_from(
    [
        "{",
        "[" * 5000,
        '[{"role": 5, "parts": "x"}]',
        '[{"role": "user", "parts": [5, null, {"type": 3}, {"type": "text"}, "plain"]}]',
        '[{"role": "user", "content": [{"type": "image_url", "image_url": 5}]}]',
        '[{"type": "tool_call", "arguments": NaN}]',
        '"\\ud800"',
        "\ud800",
        "null",
        "1e999",
        "9" * 5000,
        '{"a": ' + "9" * 5000 + "}",
        '[{"parts": [{"type": "blob", "bytes": "x"}]}]',
    ],
)
_objects = trees.map(json.dumps) | st.lists(
    st.dictionaries(
        st.sampled_from(["role", "parts", "content", "type", "tool_calls", "name", "id"]), trees, max_size=4
    ),
    max_size=3,
).map(json.dumps)
hostile_values: SearchStrategy[Any] = (
    _kinds
    | _broken
    | _objects
    | said
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.binary(max_size=8)
    | st.lists(said | st.integers(), max_size=3)
    | st.lists(said, max_size=3).map(tuple)
    | trees
)
hostile_attributes = st.dictionaries(hostile_names, hostile_values, max_size=12)
