"""The switches of OpenInference, `OPENINFERENCE_HIDE_*`, over every vocabulary: what one of them hides is nowhere.

They only ever hide more (OpenInference specification, configuration): where a switch speaks of the texts in messages
alone, the messages go as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.util.types import AttributeValue

_BOTH = (names.PYDANTIC_AI_ALL_MESSAGES, names.ALL_MESSAGES_EVENTS, names.GEN_AI_EVENT_CONTENT)
"""What went in and what came out, in one."""
_INPUT_MESSAGES = (
    names.LLM_INPUT_MESSAGES,
    names.GEN_AI_INPUT_MESSAGES,
    names.GEN_AI_SYSTEM_INSTRUCTIONS,
    names.GEN_AI_PROMPT,
    names.LLM_PROMPTS,
    *_BOTH,
    names.MODEL_REQUEST_PARAMETERS,
)
_OUTPUT_MESSAGES = (
    names.LLM_OUTPUT_MESSAGES,
    names.GEN_AI_OUTPUT_MESSAGES,
    names.GEN_AI_COMPLETION,
    names.LLM_CHOICES,
    names.LLM_FUNCTION_CALL,
    *_BOTH,
)
_TOOLS = (
    names.LLM_TOOLS,
    names.LLM_REQUEST_FUNCTIONS,
    names.GEN_AI_TOOL_DEFINITIONS,
    names.MODEL_REQUEST_PARAMETERS,
)
_RETRIEVED = (names.GEN_AI_RETRIEVAL_DOCUMENTS, names.RETRIEVAL_DOCUMENTS, names.GEN_AI_MEMORY_RECORDS)
_EMBEDDINGS = (names.EMBEDDING_EMBEDDINGS,)

_HIDDEN: dict[str, tuple[str, ...]] = {
    "inputs": (
        *_INPUT_MESSAGES,
        *_TOOLS,
        *_EMBEDDINGS,
        names.INPUT_VALUE,
        names.INPUT_MIME_TYPE,
        names.INPUT_IMAGES,
        names.INPUT_DOCUMENTS,
        names.TOOL_PARAMETERS,
        names.GEN_AI_TOOL_CALL_ARGUMENTS,
        names.GEN_AI_RETRIEVAL_QUERY_TEXT,
        names.GEN_AI_MEMORY_QUERY_TEXT,
        names.GEN_AI_REQUEST_STRUCTURED_OUTPUT_SCHEMA,
        names.RERANKER_QUERY,
        names.RERANKER_INPUT_DOCUMENTS,
        names.LLM_PROMPT_TEMPLATE_TEMPLATE,
        names.LLM_PROMPT_TEMPLATE_VARIABLES,
        names.TRACELOOP_PROMPT_TEMPLATE,
        names.TRACELOOP_PROMPT_TEMPLATE_VARIABLES,
        names.TRACELOOP_ENTITY_INPUT,
        names.LANGFUSE_OBSERVATION_INPUT,
        names.GEN_AI_TASK_INPUT,
        names.TOOL_ARGUMENTS,
        names.MCP_REQUEST_ARGUMENT,
        names.MCP_RESOURCE_URI,
    ),
    "outputs": (
        *_OUTPUT_MESSAGES,
        names.OUTPUT_VALUE,
        names.OUTPUT_MIME_TYPE,
        names.OUTPUT_IMAGES,
        names.OUTPUT_DOCUMENTS,
        names.LANGFUSE_OBSERVATION_OUTPUT,
        names.GEN_AI_TOOL_CALL_RESULT,
        *_RETRIEVED,
        names.RERANKER_OUTPUT_DOCUMENTS,
        names.TRACELOOP_ENTITY_OUTPUT,
        names.GEN_AI_TASK_OUTPUT,
        names.FINAL_RESULT,
        names.TOOL_RESPONSE,
        names.MCP_RESPONSE_VALUE,
        names.AOT_RESULT,
    ),
    "input_messages": _INPUT_MESSAGES,
    "output_messages": _OUTPUT_MESSAGES,
    "input_text": _INPUT_MESSAGES,
    "output_text": _OUTPUT_MESSAGES,
    "prompts": (names.LLM_PROMPTS, names.GEN_AI_PROMPT),
    "choices": (names.LLM_CHOICES, names.GEN_AI_COMPLETION),
    "llm_invocation_parameters": (names.LLM_INVOCATION_PARAMETERS, "gen_ai.request"),
    "llm_tools": _TOOLS,
    "embeddings_vectors": _EMBEDDINGS,
    "embeddings_text": _EMBEDDINGS,
    "retrieval_documents": _RETRIEVED,
}
_KEPT = frozenset({names.GEN_AI_REQUEST_MODEL})


class Hiding:
    """Takes out of span attributes what the environment hides.

    Args:
        hidden: the switches that are on, in lower case without their common beginning.
    """

    __slots__ = ("_families", "_images", "_names")

    def __init__(self, hidden: Iterable[str]) -> None:
        hidden = frozenset(hidden)
        self._names = frozenset(name for switch in hidden for name in _HIDDEN.get(switch, ()))
        self._families = tuple(f"{name}." for name in sorted(self._names))
        self._images = "input_images" in hidden

    def __bool__(self) -> bool:
        return bool(self._names or self._images)

    def apply(self, attributes: dict[str, AttributeValue]) -> None:
        """Remove what is hidden from an attribute dict."""
        for name in [name for name, value in attributes.items() if self._hides(name, value)]:
            del attributes[name]

    def hides(self, name: str) -> bool:
        """Say whether an attribute goes, whatever its value."""
        return (name in self._names or name.startswith(self._families)) and name not in _KEPT

    def _hides(self, name: str, value: Any) -> bool:
        return self.hides(name) or (self._images and _holds_image(name, value))


def _holds_image(name: str, value: Any) -> bool:
    if name == names.INPUT_IMAGES or (name.startswith(names.LLM_INPUT_MESSAGES) and "image" in name):
        return True
    return name in {names.INPUT_VALUE, names.GEN_AI_INPUT_MESSAGES} and isinstance(value, str) and "image" in value
