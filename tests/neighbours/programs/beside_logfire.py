"""Beside Logfire's SDK: a span of its own around a call of ours; prints what Logfire's exporters get."""

from __future__ import annotations

import sys

import logfire
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import aotel
from tests.neighbours.programs.beside import QUESTION, Kept, agent, configured_in_order, report

kept = Kept()


def configure() -> None:
    processor = SimpleSpanProcessor(kept)
    logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[processor])


configured_in_order(configure)
if "handed over" in sys.argv:
    aotel.configure(tracer_provider=logfire.DEFAULT_LOGFIRE_INSTANCE.config.get_tracer_provider())
with logfire.span("asked {question}", question=QUESTION):
    agent(QUESTION)
report(theirs=kept.spans)
