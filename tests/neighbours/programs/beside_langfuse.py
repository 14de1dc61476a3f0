"""Beside Langfuse's SDK: an observed function around a call of ours, and one alone; prints what Langfuse gets."""

from __future__ import annotations

from langfuse import Langfuse, get_client, observe
from opentelemetry import trace

from tests.neighbours.programs.beside import QUESTION, SECRET, Kept, agent, configured_in_order, report

kept = Kept()


def configure() -> None:
    Langfuse(public_key="pk-lf-1", secret_key="sk-lf-1", base_url="http://127.0.0.1:9", span_exporter=kept)


@observe()
def observed(question: str, password: str) -> list[str]:
    with trace.get_tracer("a library").start_as_current_span("of no model"):
        return agent(question)


configured_in_order(configure)
observed(QUESTION, password=SECRET)
agent(QUESTION)
get_client().flush()
report(theirs=kept.spans)
