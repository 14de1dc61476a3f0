"""Which operation a span is: the vocabularies' words for it, back to canonical tags (and the kinds they stand for)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.semconv import attributes as names
from aotel.semconv.operations import READINGS, TAXONOMY, lookup

if TYPE_CHECKING:
    from aotel.operation import Operation
    from aotel.semconv.operations import Taxonomy

__all__ = [
    "AGENT",
    "AGENTS",
    "DELEGATION",
    "SESSION",
    "STEP",
    "TOOLS",
    "counts_tokens",
    "openinference_kind",
    "placed",
    "tag_of",
    "taxonomy_of",
]

AGENT = "agent"
DELEGATION = "delegation"
SESSION = "session"
STEP = "step"

AGENTS = frozenset({AGENT, DELEGATION})
"""Tags of an agent at work."""

TOOLS = frozenset({"tool", "transform"})
"""Tags of tool executions."""

_IN_USE = {
    # Words that OpenLLMetry, LiteLLM and the providers' own instrumentations use beside those of the conventions.
    names.GEN_AI_OPERATION_NAME: {
        "completion": "llm",
        "responses": "llm",
        "llm_request": "llm",
        "rerank": "rerank",
        "vector_db_retrieve": "retrieval",
        "handoff": DELEGATION,
        "guardrail": "guardrail",
        "execute_task": STEP,
    },
    names.TRACELOOP_SPAN_KIND: {
        "handoff": DELEGATION,
        "session": STEP,
        "server": STEP,
    },
}

_TAGS = {
    name: {**{word: reading.tag for word, reading in words.items()}, **_IN_USE.get(name, {})}
    for name, words in READINGS.items()
}

_COUNTED_TAGS = frozenset({"llm", "embedding"})
_COUNTED_KINDS = frozenset({"LLM", "EMBEDDING"})


def tag_of(name: str, word: str | None) -> str | None:
    """The tag of an attribute's word for an operation, at a root; None for a word that nobody knows.

    Args:
        name: the attribute, one of `READINGS`.
        word: its value.
    """
    return None if word is None else _TAGS[name].get(word)


def placed(tag: str, *, root: bool, inside_agent: bool) -> str:
    """A tag that depends on where the span stands: an agent called by another, a workflow inside something else."""
    if tag == AGENT and inside_agent:
        return DELEGATION
    if tag == SESSION and (inside_agent or not root):
        return STEP
    return tag


def taxonomy_of(operation: Operation) -> Taxonomy:
    """The taxonomy's row for an operation; a custom tag and None are steps."""
    tag = operation.op
    row = TAXONOMY.get(tag) if tag is not None else None
    return row if row is not None else lookup(tag)


def openinference_kind(operation: Operation) -> str:
    """The OpenInference span kind of an operation."""
    return operation.kind_override or taxonomy_of(operation).openinference


def counts_tokens(operation: Operation) -> bool:
    """Whether an operation's tokens belong on its span: on those of models, unless an inner span counts them."""
    kind = operation.kind_override
    return operation.op in _COUNTED_TAGS and (kind is None or kind in _COUNTED_KINDS)
