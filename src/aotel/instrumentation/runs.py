"""Model calls that a LangChain run makes: their spans belong inside that of the run, which is not in the context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import trace

from aotel.calls.runs import span_of_run

if TYPE_CHECKING:
    from opentelemetry.context import Context


def inside_run(context: Context) -> Context:
    """Return a context whose current span is that of the LangChain run the caller is in, where it has none inside it.

    Args:
        context: in which a call is about to start.
    """
    run = span_of_run()
    begin = getattr(run, "start_time", None)
    if begin is None or not run.is_recording():
        return context
    from aotel.pipeline.spans import recording_of

    if recording_of(run) is None:
        return context  # a span of another provider, which goes elsewhere
    current = getattr(trace.get_current_span(context), "start_time", None)
    if current is not None and current > begin:
        return context
    return trace.set_span_in_context(run, context)
