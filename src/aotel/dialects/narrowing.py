"""Which vocabulary an attribute is of: a reader of one gets nothing twice because another reader wanted the other."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

__all__ = ["narrowed", "vocabulary"]

_MARKS: Final = {"genai": names.GEN_AI_OPERATION_NAME, "openinference": names.OPENINFERENCE_SPAN_KIND}
"""What every operation has that is written in a vocabulary, where the vocabulary has a word for it."""

_OPENLLMETRY: Final = ("traceloop.", "llm.usage.", names.LLM_REQUEST_TYPE, names.LLM_REQUEST_FUNCTIONS)
_OPENLLMETRY_ITEMS: Final = (f"{names.GEN_AI_PROMPT}.", f"{names.GEN_AI_COMPLETION}.")
_OPENINFERENCE_BEGINNINGS: Final = (
    "openinference.",
    "llm.",
    "decision.",
    "embedding.",
    "reranker.",
    "tool_call.",
    "message.",
    "message_content.",
)
# Whole names, and families of items: programs of users have an `input.rows` and a `tool.version`.
_OPENINFERENCE_NAMES: Final = frozenset(
    {
        names.INPUT_VALUE,
        names.INPUT_MIME_TYPE,
        names.OUTPUT_VALUE,
        names.OUTPUT_MIME_TYPE,
        names.TOOL_NAME,
        names.TOOL_DESCRIPTION,
        names.TOOL_PARAMETERS,
        names.TOOL_ID,
        names.TOOL_JSON_SCHEMA,
    }
)
_OPENINFERENCE_FAMILIES: Final = _OPENINFERENCE_BEGINNINGS + tuple(
    f"{family}."
    for family in (
        names.RETRIEVAL_DOCUMENTS,
        names.INPUT_IMAGES,
        names.OUTPUT_IMAGES,
        names.INPUT_DOCUMENTS,
        names.OUTPUT_DOCUMENTS,
    )
)


@lru_cache(maxsize=4096)
def vocabulary(name: str) -> str | None:
    """Return the one vocabulary that an attribute is of.

    None for what is of none, or says the same in all: the operation's name, sessions and users, metadata and tags.
    """
    if name.startswith("gen_ai."):
        if name == names.GEN_AI_OPERATION_NAME:
            return None
        is_item = name.startswith(_OPENLLMETRY_ITEMS) and name.split(".")[2].isdigit()
        return "openllmetry" if is_item else "genai"
    if name.startswith(_OPENLLMETRY):
        return "openllmetry"
    if name in _OPENINFERENCE_NAMES or name.startswith(_OPENINFERENCE_FAMILIES):
        return "openinference"
    return None


def narrowed(attributes: Mapping[str, AttributeValue], read: frozenset[str]) -> dict[str, AttributeValue] | None:
    """Return a span's attributes without those of vocabularies that aren't read; None where all of them stay.

    They stay on a span that doesn't speak a vocabulary that is read: nothing on it is said twice.

    Args:
        attributes: the span's.
        read: names of dialects.
    """
    if names.AOT_OPERATION not in attributes and not any(
        _MARKS[dialect] in attributes for dialect in read if dialect in _MARKS
    ):
        return None
    kept = {name: value for name, value in attributes.items() if (of := vocabulary(name)) is None or of in read}
    return None if len(kept) == len(attributes) else kept
