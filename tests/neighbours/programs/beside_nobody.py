"""A call of ours, and a span made with OpenTelemetry's API; whoever is installed sets OpenTelemetry up."""

from __future__ import annotations

from opentelemetry import trace

from tests.neighbours.programs.beside import QUESTION, agent, report

said = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "model-1"}
with trace.get_tracer("a library").start_as_current_span("chat model-1", attributes=said):
    agent(QUESTION)
report(theirs=[])
