"""Beside Datadog's tracer, which has the place of OpenTelemetry's provider and context; prints what it would send."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if "aotel" not in sys.argv[1].split(",")[0]:
    import ddtrace.auto  # noqa: F401 - has to be the first import
import openai
from opentelemetry import trace

import aotel
from tests.neighbours.programs.beside import QUESTION, SECRET, agent, configured_in_order, fail, report
from tests.neighbours.programs.wire import serve

if TYPE_CHECKING:
    from collections.abc import Iterator


def load() -> None:
    import ddtrace.auto  # noqa: F401 - is what switches it on


configured_in_order(load)

from ddtrace.trace import TraceFilter, tracer  # noqa: E402 - after what is tested

sent: list[dict[str, Any]] = []


class Keep(TraceFilter):
    """Keeps what is about to be sent, and sends nothing."""

    def process_trace(self, trace: list[Any]) -> list[Any] | None:
        for span in trace:
            tags = {**span.get_tags(), **span.get_metrics()}
            parent = "" if span.parent_id is None else f"{span.parent_id:016x}"
            sent.append(
                {
                    "name": span.resource,
                    "id": f"{span.span_id:016x}",
                    "parent": parent,
                    "attributes": tags,
                    "whole": f"{span!r} {tags} {span._get_events() if hasattr(span, '_get_events') else ''}",
                    "error": span.error,
                }
            )
        return None


tracer.configure(trace_processors=[Keep()])


@aotel.coat("tool", attributes={"note": f"uses {SECRET}"})
def count(to: int) -> Iterator[int]:
    for number in range(to):
        aotel.tie("at", number)
        yield number
    aotel.set_result("counted")


with aotel.session("s-1"):
    agent(QUESTION)
    list(count(2))
    with contextlib.suppress(ValueError):
        fail(QUESTION)
client = openai.OpenAI(api_key="k", base_url=f"{serve()}/v1")
with aotel.step("ask", "llm"):
    client.chat.completions.create(model="model-1", messages=[{"role": "user", "content": QUESTION}])
with trace.get_tracer("a library").start_as_current_span("of another"):
    pass
left = trace.get_current_span().get_span_context().is_valid
# What its own integrations see (of HTTP, say) is no business of ours.
theirs = [span for span in sent if "component" not in span["attributes"]]
integrations = [span for span in sent if span not in theirs]
report(theirs=theirs, integrations=integrations, left=left, provider=type(trace.get_tracer_provider()).__module__)
