"""What foreign spans say leaves as the mode and the ecosystem's switches allow, wherever on a span it is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aotel import coat, step, tie
from aotel.pipeline.hiding import Hiding
from aotel.semconv.attributes import CONTENT, CONTENT_PREFIXES
from aotel.semconv.environment import VARIABLES
from aotel.testing import record_envelopes, record_spans

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from tests.recording import Recorded

SECRET = "sk-proj-Ab3dEf6hIj9lMn2pQr5tAb3dEf6hIj9lMn2pQr5t"
FRAGMENT = "Ab3dEf6hIj9l"
KINDS: list[dict[str, str]] = [
    {},
    {"gen_ai.operation.name": "chat"},
    {"openinference.span.kind": "RETRIEVER"},
    {"traceloop.span.kind": "tool"},
]
SAID_BY_USERS = ("gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message")
NEITHER = {
    # What was passed in or came out is none of these.
    "annotations",
    "aot.attributes",
    "aot.data",
    "error.message",
    "evaluations",
    "exception.message",
    "exception.stacktrace",
    "gen_ai.evaluation.explanation",
    "gen_ai.headers",
    "langfuse.experiment.item.expected_output",
    "langfuse.observation.metadata",
    "langfuse.observation.status_message",
    "llm.headers",
    "logfire.msg",
    "mcp.session.init_options",
    "metadata",
    "session.annotations",
    "session.evaluations",
    "trace.annotations",
    "trace.evaluations",
    "traceloop.association.properties",
    # These have switches of their own.
    "embedding.invocation_parameters",
    "llm.invocation_parameters",
}


class Planted:
    """Texts to be looked for, each with a secret: a mark -> where it was put."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def text(self, place: str) -> str:
        mark = f"quokka{len(self.places):04d}"
        self.places[mark] = place
        return f"{mark} {SECRET}"

    def json(self, place: str) -> str:
        return json.dumps([{"role": "user", "parts": [{"type": "text", "content": self.text(place)}]}])

    def found(self, said: str) -> list[str]:
        """Return the places of which a text is in what was said."""
        return sorted({place for mark, place in self.places.items() if mark in said})


def speak(tracer: Tracer) -> Planted:
    """Make a span of every kind with a text and a secret in every place that a span has."""
    planted = Planted()
    for kind in KINDS:
        attributes: dict[str, Any] = dict(kind)
        attributes.update((name, planted.text(name)) for name in CONTENT)
        attributes.update((f"{prefix.rstrip('.')}.0.said", planted.text(prefix)) for prefix in CONTENT_PREFIXES)
        attributes[f"metadata.{SECRET}"] = attributes[f"gen_ai.prompt.variable.{SECRET}"] = "a secret in a name"
        attributes["body"] = [f'{{"a": {{"password": "{FRAGMENT}"}}}}', SECRET]
        span = tracer.start_span(f"GET https://me:{SECRET}@host/", attributes=attributes)
        for name in SAID_BY_USERS:
            said = {
                part: planted.text(f"input event {part}") for part in ("content", "tool_calls", "gen_ai.event.content")
            }
            span.add_event(name, {"role": "user", "id": "call-1", **said})
        said = {part: planted.text(f"output event {part}") for part in ("message", "tool.result")}
        span.add_event("gen_ai.choice", {"finish_reason": "stop", "index": 0, **said})
        span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": planted.json("input event")})
        span.add_event("gen_ai.content.completion", {"gen_ai.completion": planted.json("output event")})
        details = {
            "gen_ai.input.messages": planted.json("input event"),
            "gen_ai.output.messages": planted.json("output event"),
        }
        span.add_event("gen_ai.client.inference.operation.details", details)
        span.add_event(f"sent {SECRET}", {"token": FRAGMENT, "list": [SECRET]})
        try:
            raise ValueError(planted.text("error"))
        except ValueError as error:
            span.record_exception(error)
        span.set_status(trace.StatusCode.ERROR, planted.text("error"))
        span.add_link(
            trace.SpanContext(1, 2, is_remote=True), {"input.value": planted.text("input link"), "token": FRAGMENT}
        )
        span.end()
    return planted


def exported(**options: Any) -> tuple[Planted, list[str]]:
    """Return what was planted, and what left: by an exporter before ours, by one after it, and by envelopes."""
    provider = TracerProvider(shutdown_on_exit=False, span_limits=SpanLimits(max_span_attributes=1000))
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(before))
    with record_envelopes(tracer_provider=provider, **options) as recorded:
        provider.add_span_processor(SimpleSpanProcessor(after))
        planted = speak(provider.get_tracer("other"))
        envelopes = json.dumps(recorded.envelopes)
    provider.shutdown()
    ways = [[span.to_json() for span in exporter.get_finished_spans()] for exporter in (before, after)]
    assert [len(spans) for spans in ways] == [len(KINDS)] * 2
    return planted, ["\n".join(spans) for spans in ways] + [envelopes]


@pytest.mark.parametrize("mode", ["none", "hash", "summary", "redacted"])
def test_mode_holds_in_every_place_of_a_span(mode: str) -> None:
    planted, (before, after, envelopes) = exported(capture=mode)
    for said in (before, after, envelopes):
        assert FRAGMENT not in said
        if mode != "redacted":
            assert planted.found(said) == []
    if mode == "redacted":
        everywhere = sorted(set(planted.places.values()))
        assert planted.found(before) == planted.found(after) == everywhere


def test_raw_says_it_all() -> None:
    planted, (before, after, _) = exported(capture="raw")
    assert planted.found(before) == planted.found(after) == sorted(set(planted.places.values()))
    assert FRAGMENT in before


@pytest.mark.parametrize(
    ("switch", "value"),
    [("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT"), ("TRACELOOP_TRACE_CONTENT", "false")],
)
def test_switches_that_mean_none(switch: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switch, value)
    planted, ways = exported(capture="raw")
    assert [planted.found(said) for said in ways] == [[], [], []]


@pytest.mark.parametrize(("switch", "hidden", "kept"), [("INPUTS", "input", "output"), ("OUTPUTS", "output", "input")])
def test_switches_of_openinference_hold_in_every_place_of_a_span(
    switch: str, hidden: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"OPENINFERENCE_HIDE_{switch}", "true")
    planted, ways = exported()
    for said in ways:
        assert not [place for place in planted.found(said) if place.startswith((f"{hidden} ", f"{hidden}.value"))]
    assert f"{kept} event" in planted.found(ways[0])


def test_what_is_left_of_an_event_and_a_status_without_content() -> None:
    with record_spans(capture="none") as recorded:
        with trace.get_tracer("other").start_as_current_span("chat") as span:
            span.add_event("gen_ai.user.message", {"role": "user", "id": "call-1", "content": "hi"})
            span.set_status(trace.StatusCode.ERROR, "no")
        (left,) = recorded.spans
    assert [dict(event.attributes or {}) for event in left.events] == [{"role": "user", "id": "call-1"}]
    assert (left.status.status_code, left.status.description) == (trace.StatusCode.ERROR, None)


def test_what_our_own_api_wrote_is_not_written_a_second_time() -> None:
    @coat
    def fail() -> None:
        raise ValueError("no")

    with record_spans(capture="hash") as recorded, pytest.raises(ValueError, match="no"):
        fail()
    (span,) = recorded.spans
    (said,) = [event.attributes for event in span.events if event.name == "exception" and event.attributes]
    assert span.status.description == "ValueError: " + str(said["exception.message"])
    with record_spans(capture="raw") as recorded, step("ours"):
        tie("note", SECRET)
    assert SECRET in recorded.spans[0].to_json()


def test_name_that_a_program_gives_a_span_of_ours_is_clean(recorded: Recorded) -> None:
    with step("ours"):
        trace.get_current_span().update_name(f"GET {SECRET}")
    assert FRAGMENT not in recorded.spans[0].to_json() + repr(recorded.envelopes)
    assert recorded.names[0].startswith("GET <redacted:")


def test_all_content_is_input_or_output_to_the_switches_unless_it_is_neither() -> None:
    left: dict[str, Any] = dict.fromkeys(
        (*CONTENT, *(f"{prefix.rstrip('.')}.0.said" for prefix in CONTENT_PREFIXES)), "said"
    )
    Hiding(["inputs", "outputs"]).apply(left)
    assert {name.removesuffix(".0.said") for name in left} == NEITHER


def test_every_switch_hides_something() -> None:
    for variable in VARIABLES:
        if variable.name.startswith("OPENINFERENCE_HIDE_"):
            assert Hiding([variable.name.removeprefix("OPENINFERENCE_HIDE_").lower()]), variable.name
