"""On and off: patches come and go exactly, and the program's own patches stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import wrapt
from openai import _base_client, _legacy_response, _response, _streaming
from opentelemetry.instrumentation.utils import suppress_instrumentation

from aotel.distro import recording_to
from aotel.instrumentation import instrument, instrumented, uninstrument
from aotel.instrumentation.openai import OpenAIInstrumentor
from tests.instrumentation.either import each, got
from tests.instrumentation.openai.clients import CHAT, SYNC_AND_ASYNC, client_of
from tests.recording import recording

if TYPE_CHECKING:
    from tests.instrumentation.openai.wire import OpenAiWire
    from tests.recording import Recorded

PATCHED = [
    (_base_client.SyncAPIClient, "request"),
    (_base_client.SyncAPIClient, "_process_response"),
    (_base_client.AsyncAPIClient, "request"),
    (_base_client.AsyncAPIClient, "_process_response"),
    (_streaming.Stream, "__stream__"),
    (_streaming.AsyncStream, "__stream__"),
]


def patched() -> list[Any]:
    """Return what stands where patches go."""
    return [vars(owner)[name] for owner, name in PATCHED]


def everything_else() -> dict[Any, dict[str, Any]]:
    """Return all that stands in the classes of the SDK's core, but for what is patched."""
    modules = (_base_client, _streaming, _response, _legacy_response)
    classes = [cls for module in modules for cls in vars(module).values() if _is_class_of(cls, module)]
    return {cls: {name: value for name, value in vars(cls).items() if (cls, name) not in PATCHED} for cls in classes}


def _is_class_of(value: Any, module: Any) -> bool:
    return type(value) is type and value.__module__ == module.__name__


def test_patches_are_undone_exactly() -> None:
    uninstrument("openai")
    before, others = patched(), everything_else()
    assert not any(isinstance(found, wrapt.FunctionWrapper) for found in before)
    for _ in range(3):
        instrument("openai")
        instrument("openai")
        assert all(type(found) is wrapt.FunctionWrapper for found in patched())
        assert all(found.__wrapped__ is former for found, former in zip(patched(), before, strict=True))
        assert everything_else() == others
        uninstrument("openai")
        uninstrument("openai")
        assert all(found is former for found, former in zip(patched(), before, strict=True))


def test_on_off_and_on_again(wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire)
    client.chat.completions.create(**CHAT)
    assert "openai" in instrumented()
    uninstrument("openai")
    assert "openai" not in instrumented()
    client.chat.completions.create(**CHAT)
    list(client.chat.completions.create(**CHAT, stream=True))
    assert "stream_options" not in wire.requests[-1].body
    instrument("openai")
    client.chat.completions.create(**CHAT)
    assert len(recorded.operations) == 2


def test_what_somebody_has_put_over_a_patch_stays(wire: OpenAiWire, recorded: Recorded) -> None:
    seen: list[str] = []

    def theirs(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        seen.append("theirs")
        return wrapped(*args, **kwargs)

    owner = _base_client.SyncAPIClient
    ours = vars(owner)["request"]
    over = wrapt.FunctionWrapper(ours, theirs)
    owner.request = over  # type: ignore[method-assign]
    try:
        client = client_of(wire)
        client.chat.completions.create(**CHAT)
        uninstrument("openai")
        assert vars(owner)["request"] is over
        client.chat.completions.create(**CHAT)
        instrument("openai")
        client.chat.completions.create(**CHAT)
    finally:
        owner.request = ours  # type: ignore[method-assign]
    assert seen == ["theirs"] * 3
    assert len(recorded.operations) == 2
    uninstrument("openai")
    assert type(vars(owner)["request"]) is not wrapt.FunctionWrapper


def test_the_instrumentor_is_the_one_behind_the_switch(wire: OpenAiWire, recorded: Recorded) -> None:
    uninstrument("openai")
    OpenAIInstrumentor().instrument()
    client_of(wire).chat.completions.create(**CHAT)
    assert "openai" in instrumented()
    OpenAIInstrumentor().uninstrument()
    assert "openai" not in instrumented()
    client_of(wire).chat.completions.create(**CHAT)
    assert recorded.names == ["chat m"]


@pytest.mark.parametrize("kind", SYNC_AND_ASYNC)
async def test_suppressed_instrumentation_makes_no_span(kind: str, wire: OpenAiWire, recorded: Recorded) -> None:
    client = client_of(wire, kind)
    with suppress_instrumentation():
        await got(client.chat.completions.create(**CHAT))
        answer = await got(client.chat.completions.create(**CHAT, stream=True))
        assert [chunk async for chunk in each(answer)]
    assert "stream_options" not in wire.requests[-1].body
    assert not recorded.spans


def test_disabled_makes_no_span(monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire) -> None:
    monkeypatch.setenv("AOTEL_DISABLED", "true")
    with recording() as recorded:
        client_of(wire).chat.completions.create(**CHAT)
        list(client_of(wire).chat.completions.create(**CHAT, stream=True))
        assert not recorded.spans
    assert "stream_options" not in wire.requests[-1].body


@pytest.mark.parametrize("asked", ["none", "anthropic"])
def test_the_operator_has_the_last_word(asked: str, monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire) -> None:
    uninstrument("openai")
    monkeypatch.setenv("AOTEL_INSTRUMENT", asked)
    with recording() as recorded:
        instrument("openai")
        assert "openai" not in instrumented()
        client_of(wire).chat.completions.create(**CHAT)
        assert not recorded.spans
    monkeypatch.delenv("AOTEL_INSTRUMENT")
    instrument("openai")
    assert "openai" in instrumented()


def test_a_failing_start_costs_no_call(monkeypatch: pytest.MonkeyPatch, wire: OpenAiWire, recorded: Recorded) -> None:
    from aotel.instrumentation.wire import stainless

    monkeypatch.setattr(stainless, "site_for", None)
    assert client_of(wire).chat.completions.create(**CHAT).choices
    assert not recorded.spans


class TakesNoProcessors:
    """A provider that is none of the SDK's."""

    def __init__(self) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.exporter = InMemorySpanExporter()
        self._inner = TracerProvider()
        self._inner.add_span_processor(SimpleSpanProcessor(self.exporter))

    def get_tracer(self, *args: Any, **more: Any) -> Any:
        return self._inner.get_tracer(*args, **more)


def test_a_provider_that_takes_no_processors_gets_what_genai_says(wire: OpenAiWire) -> None:
    provider = TakesNoProcessors()
    with recording_to(None, tracer_provider=provider):
        client_of(wire).chat.completions.create(**CHAT)
        list(client_of(wire).chat.completions.create(**CHAT, stream=True))
    for span in provider.exporter.get_finished_spans():
        attributes = dict(span.attributes or {})
        assert attributes["gen_ai.request.model"] == "m"
        assert attributes["gen_ai.usage.input_tokens"] == 30
        assert "echo hi" in str(attributes["gen_ai.output.messages"])
        assert attributes["http.response.status_code"] == 200
    assert len(provider.exporter.get_finished_spans()) == 2
