"""The manual API: what a person writes into an agent's code. On the OpenTelemetry API alone."""

from aotel.tracing.coat import coat
from aotel.tracing.notify import notify, progress
from aotel.tracing.run import run
from aotel.tracing.session import session
from aotel.tracing.step import set_result, step
from aotel.tracing.stream import stream
from aotel.tracing.tie import emit, tie

__all__ = ["coat", "emit", "notify", "progress", "run", "session", "set_result", "step", "stream", "tie"]
