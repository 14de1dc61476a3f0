"""The seam around an operation: what goes in and comes out, whoever uses it, and nothing ever raised."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from aotel import coat, session, set_result, step, stream, tie
from aotel.calls import PORT, Call, CallSite, enclosing_call
from aotel.calls.scope import detach
from aotel.testing import record_envelopes

if TYPE_CHECKING:
    from tests.recording import Recorded


def test_call_is_a_span_with_input_and_output(recorded: Recorded) -> None:
    site = CallSite("tool", "search", parameters=("query", "limit"))
    call = Call(site, ("notes",), {"limit": 3})
    context = call.start()
    assert trace.get_current_span(context) is call.span
    assert enclosing_call(context) is call
    assert enclosing_call() is None
    call.succeed(["found"])
    operation = recorded.operation
    assert operation.start["payload"]["preview"] == {"args": ["'notes'"], "kwargs": {"limit": "3"}}
    assert operation.end["payload"]["result_preview"] == "['found']"
    assert operation.attributes["input.value"] == '{"query":"notes","limit":3}'


def test_parent_is_the_one_that_is_given(recorded: Recorded) -> None:
    with step("parent"):
        parent = otel_context.get_current()
    with step("elsewhere"):
        call = Call(CallSite("tool", "child"))
        call.start(parent)
        call.succeed()
    assert recorded.named("child").span.parent == recorded.named("parent").context


def test_call_with_no_result_has_none_to_show(recorded: Recorded) -> None:
    call = Call(CallSite("tool", "work"))
    call.start()
    call.succeed()
    assert "output.value" not in recorded.operation.attributes
    assert recorded.operation.end["payload"]["result_preview"] == ""


def test_ending_twice_makes_one_end(recorded: Recorded) -> None:
    call = Call(CallSite("tool", "work"))
    call.start()
    call.succeed(1)
    call.succeed(2)
    call.fail(ValueError())
    assert recorded.operation.end["payload"]["result_preview"] == "1"


def test_arguments_are_let_go_once_the_call_has_started(recorded: Recorded) -> None:
    call = Call(CallSite("tool", "work"), (object(),), {"key": object()})
    call.start()
    assert (call.args, call.kwargs) == ((), {})
    call.succeed()


def test_span_made_inside_the_start_of_another_is_not_taken_for_it(recorded: Recorded) -> None:
    # The call waits in the context until its span starts; another span that starts in that context is not its own.
    call = Call(CallSite("tool", "outer"))
    context = call.start()
    with trace.get_tracer("other").start_as_current_span("inner", context=context):
        pass
    assert enclosing_call(context) is call
    call.succeed("result")
    inner, outer = recorded.spans
    assert (inner.name, outer.name) == ("inner", "outer")
    assert dict(inner.attributes or {}) == {}


def test_enclosing_call_is_none_inside_a_foreign_span(recorded: Recorded) -> None:
    with step("outer"), trace.get_tracer("other").start_as_current_span("inner"):
        assert enclosing_call() is None


class NoProcessors:
    """A provider of a vendor: it takes no processors."""

    def __init__(self) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False)

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """Hand on."""
        return self.provider.get_tracer(*args, **kwargs)


class RaisingTracer(trace.NoOpTracer):
    """A tracer that fails."""

    def start_span(self, *_: Any, **__: Any) -> trace.Span:
        """Fail."""
        raise RuntimeError("no span today")


class RaisingProvider(TracerProvider):
    """A provider with such a tracer."""

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        """Hand it out."""
        return RaisingTracer()


class RaisingSpan(trace.NonRecordingSpan):
    """A span that fails at everything."""

    def is_recording(self) -> bool:
        """Pretend."""
        return True

    def end(self, _: int | None = None) -> None:
        """Fail."""
        raise RuntimeError("no end")

    def set_status(self, *_: Any, **__: Any) -> None:
        """Fail."""
        raise RuntimeError("no status")

    def add_event(self, *_: Any, **__: Any) -> None:
        """Fail."""
        raise RuntimeError("no event")

    def set_attribute(self, *_: Any, **__: Any) -> None:
        """Fail."""
        raise RuntimeError("no attribute")


class SpansThatRaise(TracerProvider):
    """A provider with such spans."""

    def get_tracer(self, *_: Any, **__: Any) -> trace.Tracer:
        """Hand out a tracer of them."""

        class Tracer(trace.NoOpTracer):
            def start_span(self, *_: Any, **__: Any) -> trace.Span:
                return RaisingSpan(trace.SpanContext(1, 2, is_remote=False, trace_flags=trace.TraceFlags(1)))

        return Tracer()


@pytest.mark.parametrize(
    "provider", [NoProcessors, RaisingProvider, SpansThatRaise, trace.NoOpTracerProvider], ids=lambda cls: cls.__name__
)
def test_odd_providers_harm_no_program(provider: Any, caplog: pytest.LogCaptureFixture) -> None:
    error = LookupError("own")

    def failing() -> None:
        raise error

    with record_envelopes(tracer_provider=provider()) as envelopes:
        assert coat("tool", lambda value: value)(3) == 3
        with pytest.raises(LookupError) as caught:
            coat("tool", failing)()
        assert caught.value is error
        with session("s"), step("work"), stream("pieces", envelopes=True) as pieces:
            pieces.event("piece")
            tie("note")
            set_result(3)
        assert list(coat("tool", lambda: iter([1]))()) == [1]
        assert isinstance(envelopes.envelopes, list)
    assert trace.get_current_span() is trace.INVALID_SPAN
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == len(set(messages))


def test_failures_are_reported_once_a_place(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(PORT, "_failures", set())
    for _ in range(3):
        PORT.report("start of a span", ValueError("first"))
        PORT.report("end of a span", ValueError("second"))
    assert len(caplog.records) == 2
    assert "start of a span" in caplog.text
    assert "this is said once" in caplog.text


def test_detach_of_a_token_from_elsewhere_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    token = contextvars.copy_context().run(otel_context.attach, otel_context.Context())
    detach(token)
    own = otel_context.attach(otel_context.Context())
    detach(own)
    detach(own)
    assert caplog.records == []
