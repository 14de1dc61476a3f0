"""Kinds of envelopes.

Generated from `semconv/registry`: change it there, then run `make semconv`.
"""

from __future__ import annotations

from typing import Final

AGENT_SESSION_START: Final = "agent.session.start"
"""A session began."""
AGENT_SESSION_END: Final = "agent.session.end"
"""A session ended."""
AGENT_RUN_START: Final = "agent.run.start"
"""An agent began to work on something."""
AGENT_RUN_END: Final = "agent.run.end"
"""An agent is done."""
AGENT_STEP_START: Final = "agent.step.start"
"""A step began."""
AGENT_STEP_END: Final = "agent.step.end"
"""A step ended."""
AGENT_STEP_TRANSITION: Final = "agent.step.transition"
"""The agent moved on: it decided, reasoned, observed, planned, checked."""
AGENT_LLM_REQUEST: Final = "agent.llm.request"
"""A model was asked."""
AGENT_LLM_RESPONSE: Final = "agent.llm.response"
"""A model answered."""
AGENT_TOOL_CALL: Final = "agent.tool.call"
"""A tool was called."""
AGENT_TOOL_RESULT: Final = "agent.tool.result"
"""A tool returned."""
AGENT_MEMORY_READ: Final = "agent.memory.read"
"""Something was looked up."""
AGENT_MEMORY_WRITE: Final = "agent.memory.write"
"""Something was stored."""
AGENT_SUBAGENT_DISPATCH: Final = "agent.subagent.dispatch"
"""Work was handed to another agent."""
AGENT_SUBAGENT_RETURN: Final = "agent.subagent.return"
"""The other agent handed back."""
AGENT_HUMAN_REQUEST: Final = "agent.human.request"
"""A person was asked."""
COAT_EMIT: Final = "coat.emit"
"""A `tie` inside an operation."""
COAT_ERROR: Final = "coat.error"
"""An operation ended without a result; it takes the place of an end."""

CORE_KINDS: Final = frozenset(
    {
        "agent.session.start",
        "agent.session.end",
        "agent.run.start",
        "agent.run.end",
        "agent.step.start",
        "agent.step.end",
        "agent.step.transition",
        "agent.llm.request",
        "agent.llm.response",
        "agent.tool.call",
        "agent.tool.result",
        "agent.memory.read",
        "agent.memory.write",
        "agent.subagent.dispatch",
        "agent.subagent.return",
        "agent.human.request",
    }
)
"""Kinds of the taxonomy itself."""

KINDS: Final = frozenset(
    {
        "agent.session.start",
        "agent.session.end",
        "agent.run.start",
        "agent.run.end",
        "agent.step.start",
        "agent.step.end",
        "agent.step.transition",
        "agent.llm.request",
        "agent.llm.response",
        "agent.tool.call",
        "agent.tool.result",
        "agent.memory.read",
        "agent.memory.write",
        "agent.subagent.dispatch",
        "agent.subagent.return",
        "agent.human.request",
        "coat.emit",
        "coat.error",
    }
)
"""Every kind that an envelope may have."""
