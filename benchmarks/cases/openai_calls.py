"""OpenAI's SDK against a local server: what instrumentation adds to a call, by the length of the conversation.

Bare and instrumented calls take turns in one process. The last message of each call is new, as in an agent's loop.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import openai
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

CHARACTERS = 500
TURNS = 20
CALLS = 40
CHUNKS = 500
STREAMS = 6


class Switch(NamedTuple):
    """Instrumentation on and off, and a way to have everything delivered."""

    on: Callable[[], None]
    off: Callable[[], None]
    flush: Callable[[], Any]


class ReadingExporter(SpanExporter):
    """Reads the attributes of spans, as every exporter does, and drops them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Read and drop a batch."""
        for span in spans:
            len(dict(span.attributes or {}))
        return SpanExportResult.SUCCESS


def provider() -> TracerProvider:
    """Return a provider that batches spans to an exporter which drops them."""
    made = TracerProvider()
    made.add_span_processor(BatchSpanProcessor(ReadingExporter()))
    return made


def aotel() -> Switch:
    """Set up aotel, with envelopes to an exporter that drops them."""
    from coat import NullLogExporter

    import aotel as ours

    handle = ours.configure(tracer_provider=provider(), exporters=[NullLogExporter()], instrument="none")
    return Switch(lambda: ours.instrument("openai"), lambda: ours.uninstrument("openai"), handle.flush)


def openinference() -> Switch:
    """Set up OpenInference's instrumentor."""
    from openinference.instrumentation.openai import OpenAIInstrumentor

    made, instrumentor = provider(), OpenAIInstrumentor()
    return Switch(partial(instrumentor.instrument, tracer_provider=made), instrumentor.uninstrument, made.force_flush)


def conversation(length: int) -> list[dict[str, str]]:
    """Return a conversation whose last message has been said by nobody before."""
    roles = itertools.cycle(("user", "assistant"))
    said = [{"role": role, "content": f"{index} ".ljust(CHARACTERS, "x")} for index, role in zip(range(length), roles)]  # noqa: B905 - one of them is endless
    said[-1]["content"] = f"{time.perf_counter_ns()} ".ljust(CHARACTERS, "y")
    return said


def ask(client: openai.OpenAI, length: int) -> None:
    """Make one call."""
    client.chat.completions.create(model="gpt-x", messages=conversation(length))  # type: ignore[arg-type]


def read(client: openai.OpenAI) -> None:
    """Read one stream to its end."""
    stream = client.chat.completions.create(
        model="gpt-x",
        messages=conversation(1),  # type: ignore[arg-type]
        stream=True,
        stream_options={"include_usage": True},
    )
    for _ in stream:
        pass


def added(call: Callable[[], None], switch: Switch, times: int, units: int) -> dict[str, list[float]]:
    """Return what instrumentation adds to a call, ns: wall time of the caller, and processor time of all threads.

    Args:
        call: what is measured.
        switch: instrumentation.
        times: calls a turn.
        units: what a call's cost is divided by.
    """
    found: dict[str, list[float]] = {"caller": [], "cpu": []}
    for turn in range(TURNS):
        bare = measured(call, times, lambda: None)
        switch.on()
        watched = measured(call, times, switch.flush)
        switch.off()
        if turn > 1:  # the first ones warm up
            for what, before, after in zip(("caller", "cpu"), bare, watched, strict=True):
                found[what].append((after - before) / units)
    return found


def measured(call: Callable[[], None], times: int, flush: Callable[[], Any]) -> tuple[float, float]:
    """Return the median wall time of calls, and the mean processor time of all threads until all is delivered."""
    walls: list[int] = []
    used = time.process_time_ns()
    for _ in range(times):
        begin = time.perf_counter_ns()
        call()
        walls.append(time.perf_counter_ns() - begin)
    flush()
    return statistics.median(walls), (time.process_time_ns() - used) / times


def main() -> None:
    """Measure the case that the command line names: "aotel, 20 messages", "OpenInference, chunk"."""
    who, _, what = sys.argv[1].partition(", ")
    switch = {"aotel": aotel, "OpenInference": openinference}[who]()
    client = openai.OpenAI(api_key="sk-none", base_url=os.environ["OPENAI_BASE_URL"], max_retries=0)
    if what == "chunk":
        print(json.dumps(added(partial(read, client), switch, STREAMS, CHUNKS)))
    else:
        print(json.dumps(added(partial(ask, client, int(what.split()[0])), switch, CALLS, 1)))


if __name__ == "__main__":
    main()
