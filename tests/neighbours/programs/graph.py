"""A LangGraph that waits for a person in a node and in a tool, is resumed twice, and one that is cancelled.

Run by path; with an argument, LangChain's instrumentor is active too. Prints the spans and the errors of every run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, TypedDict

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from aotel import coat
from aotel.testing import record_envelopes, record_spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from aotel.testing import RecordedEnvelopes, RecordedSpans

SEEN: dict[str, Any] = {}


class State(TypedDict):
    answer: str
    messages: list[Any]


@coat("human", name="our node")
def ask(state: State) -> dict[str, Any]:
    return {"answer": interrupt("may I?")}


def call(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage("", tool_calls=[{"name": "delete", "args": {"path": "/a"}, "id": "c1"}])]}


@tool
@coat("tool", name="our tool")
def delete(path: str) -> str:
    """Delete a file."""
    return str(interrupt(f"delete {path}?"))


def broken(state: State) -> dict[str, Any]:
    raise ValueError("no")


def graph() -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_node("call", call)
    builder.add_node("tools", ToolNode([delete]))
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "call")
    builder.add_edge("call", "tools")
    return builder.compile(checkpointer=InMemorySaver())


def of_one_node(node: Any) -> Any:
    builder: Any = StateGraph(State)
    builder.add_node("only", node)
    builder.add_edge(START, "only")
    return builder.compile()


def shown(span: ReadableSpan) -> dict[str, Any]:
    attributes = span.attributes or {}
    assert span.instrumentation_scope is not None
    return {
        "name": span.name,
        "ours": span.instrumentation_scope.name == "aotel",
        "status": span.status.status_code.name,
        "outcome": attributes.get("aot.outcome"),
        "kind": attributes.get("aot.kind"),
        "error_type": attributes.get("error.type"),
    }


def keep(name: str, spans: RecordedSpans, envelopes: RecordedEnvelopes) -> None:
    errors = [envelope["payload"] for envelope in envelopes.envelopes if envelope["kind"] == "coat.error"]
    SEEN[name] = {"spans": [shown(span) for span in spans.spans], "errors": errors}
    spans.clear()
    envelopes.clear()


STEPS: list[tuple[str, Any]] = [
    ("paused in a node", {"answer": "", "messages": []}),
    ("paused in a tool", Command(resume="yes")),
    ("resumed", Command(resume="deleted")),
]


async def main() -> None:
    with record_envelopes() as envelopes, record_spans() as spans:
        if len(sys.argv) > 1:
            from openinference.instrumentation.langchain import LangChainInstrumentor

            LangChainInstrumentor().instrument()
        waiting = graph()
        for name, given in STEPS:
            waiting.invoke(given, {"configurable": {"thread_id": "1"}})
            keep(name, spans, envelopes)
        for name, given in STEPS:
            await waiting.ainvoke(given, {"configurable": {"thread_id": "2"}})
            keep(f"{name}, async", spans, envelopes)

        async def slow(state: State) -> None:
            await asyncio.sleep(30)

        task = asyncio.create_task(of_one_node(slow).ainvoke(STEPS[0][1]))
        await asyncio.sleep(0.2)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        keep("cancelled", spans, envelopes)
        with contextlib.suppress(ValueError):
            of_one_node(broken).invoke(STEPS[0][1])
        keep("failed", spans, envelopes)


asyncio.run(main())
print(json.dumps(SEEN))
