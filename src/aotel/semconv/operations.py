"""The operations: `Op`, and what each of them is called in AOT, GenAI and OpenInference.

Generated from `semconv/registry`: change it there, then run `make semconv`.
"""
# ruff: noqa: PIE796  (aliases are members with the same value)

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple


class Op(str, Enum):
    """What an operation is. Members are strings: `Op.LLM == "llm"`; a tag that is none of them is legal too."""

    LLM = "llm"
    LLM_CALL = LLM
    TOOL = "tool"
    ACTION = TOOL
    TOOL_CALL = TOOL
    TRANSFORM = "transform"
    RETRIEVAL = "retrieval"
    RERANK = "rerank"
    EMBEDDING = "embedding"
    MEMORY = "memory"
    DELEGATION = "delegation"
    AGENT = "agent"
    SESSION = "session"
    HUMAN = "human"
    GUARDRAIL = "guardrail"
    VALIDATION = "validation"
    DECISION = "decision"
    REASONING = "reasoning"
    THOUGHT = REASONING
    OBSERVATION = "observation"
    REACT_OBS = OBSERVATION
    PLANNING = "planning"
    STEP = "step"
    AGENT_STEP = STEP
    STREAM = "stream"

    def __str__(self) -> str:  # the tag, whatever the version of Python makes of a mixed-in enum
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)

    @classmethod
    def _missing_(cls, value: object) -> Op | None:
        if not isinstance(value, str):
            return None
        tag = value.lower()
        tag = ALIASES.get(tag, tag)
        return next((member for member in cls if member.value == tag), None)


class Taxonomy(NamedTuple):
    """One operation in every vocabulary."""

    tag: str
    start_kind: str
    end_kind: str
    genai: str | None
    openinference: str


class Reading(NamedTuple):
    """What a foreign span's word for an operation means, at a root and `nested` in another operation."""

    tag: str
    nested: str


ALIASES: Final[dict[str, str]] = {
    "llm_call": "llm",
    "action": "tool",
    "tool_call": "tool",
    "thought": "reasoning",
    "react_obs": "observation",
    "agent_step": "step",
}
"""Canonical tags by alias."""

TAXONOMY: Final[dict[str, Taxonomy]] = {
    "llm": Taxonomy("llm", "agent.llm.request", "agent.llm.response", "chat", "LLM"),
    "tool": Taxonomy("tool", "agent.tool.call", "agent.tool.result", "execute_tool", "TOOL"),
    "transform": Taxonomy("transform", "agent.tool.call", "agent.tool.result", "execute_tool", "TOOL"),
    "retrieval": Taxonomy("retrieval", "agent.memory.read", "agent.memory.read", "retrieval", "RETRIEVER"),
    "rerank": Taxonomy("rerank", "agent.memory.read", "agent.memory.read", None, "RERANKER"),
    "embedding": Taxonomy("embedding", "agent.llm.request", "agent.llm.response", "embeddings", "EMBEDDING"),
    "memory": Taxonomy("memory", "agent.memory.write", "agent.memory.write", None, "CHAIN"),
    "delegation": Taxonomy("delegation", "agent.subagent.dispatch", "agent.subagent.return", "invoke_agent", "AGENT"),
    "agent": Taxonomy("agent", "agent.run.start", "agent.run.end", "invoke_agent", "AGENT"),
    "session": Taxonomy("session", "agent.session.start", "agent.session.end", "invoke_workflow", "AGENT"),
    "human": Taxonomy("human", "agent.human.request", "agent.human.request", None, "CHAIN"),
    "guardrail": Taxonomy("guardrail", "agent.step.transition", "agent.step.transition", None, "GUARDRAIL"),
    "validation": Taxonomy("validation", "agent.step.transition", "agent.step.transition", None, "EVALUATOR"),
    "decision": Taxonomy("decision", "agent.step.transition", "agent.step.transition", None, "CHAIN"),
    "reasoning": Taxonomy("reasoning", "agent.step.transition", "agent.step.transition", None, "CHAIN"),
    "observation": Taxonomy("observation", "agent.step.transition", "agent.step.transition", None, "CHAIN"),
    "planning": Taxonomy("planning", "agent.step.transition", "agent.step.transition", "plan", "CHAIN"),
    "step": Taxonomy("step", "agent.step.start", "agent.step.end", None, "CHAIN"),
    "stream": Taxonomy("stream", "agent.step.start", "agent.step.end", None, "CHAIN"),
}
"""Every operation by its canonical tag."""

READINGS: Final[dict[str, dict[str, Reading]]] = {
    "gen_ai.operation.name": {
        "chat": Reading("llm", "llm"),
        "text_completion": Reading("llm", "llm"),
        "generate_content": Reading("llm", "llm"),
        "embeddings": Reading("embedding", "embedding"),
        "execute_tool": Reading("tool", "tool"),
        "retrieval": Reading("retrieval", "retrieval"),
        "search_memory": Reading("retrieval", "retrieval"),
        "create_memory": Reading("memory", "memory"),
        "update_memory": Reading("memory", "memory"),
        "upsert_memory": Reading("memory", "memory"),
        "delete_memory": Reading("memory", "memory"),
        "create_memory_store": Reading("memory", "memory"),
        "delete_memory_store": Reading("memory", "memory"),
        "create_agent": Reading("step", "step"),
        "invoke_agent": Reading("agent", "delegation"),
        "invoke_workflow": Reading("session", "step"),
        "plan": Reading("planning", "planning"),
    },
    "openinference.span.kind": {
        "LLM": Reading("llm", "llm"),
        "EMBEDDING": Reading("embedding", "embedding"),
        "TOOL": Reading("tool", "tool"),
        "RETRIEVER": Reading("retrieval", "retrieval"),
        "RERANKER": Reading("rerank", "rerank"),
        "AGENT": Reading("agent", "delegation"),
        "GUARDRAIL": Reading("guardrail", "guardrail"),
        "EVALUATOR": Reading("validation", "validation"),
        "DECISION": Reading("decision", "decision"),
        "CHAIN": Reading("step", "step"),
        "PROMPT": Reading("step", "step"),
        "UNKNOWN": Reading("step", "step"),
    },
    "traceloop.span.kind": {
        "workflow": Reading("session", "step"),
        "agent": Reading("agent", "delegation"),
        "tool": Reading("tool", "tool"),
        "task": Reading("step", "step"),
        "unknown": Reading("step", "step"),
    },
    "llm.request.type": {
        "chat": Reading("llm", "llm"),
        "completion": Reading("llm", "llm"),
        "embedding": Reading("embedding", "embedding"),
        "rerank": Reading("rerank", "rerank"),
    },
}
"""What spans of others say of themselves: by attribute, then by its value.

Agents are `nested` inside another agent's span; workflows anywhere but at a root.
"""

_STEP: Final = TAXONOMY["step"]


def lookup(tag: str | None) -> Taxonomy:
    """Return the operation of a tag or alias, ignoring case; what is unknown is a step that keeps its tag."""
    if not tag:
        return _STEP
    row = TAXONOMY.get(tag)
    if row is None:
        lowered = tag.lower()
        row = TAXONOMY.get(ALIASES.get(lowered, lowered))
    return _STEP._replace(tag=tag) if row is None else row
