"""Attributes that are worked out when somebody reads them."""

from __future__ import annotations

import copy
import threading

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

import aotel
from aotel.pipeline import lazy
from aotel.testing import record_envelopes


def test_this_sdk_allows_for_it() -> None:
    assert lazy.SUPPORTED


@pytest.mark.parametrize(
    "read",
    [
        dict,
        len,
        list,
        repr,
        lambda attributes: attributes["b"],
        lambda attributes: attributes.get("b"),
        lambda attributes: "b" in attributes,
        lambda attributes: list(attributes.items()),
        lambda attributes: attributes.copy(),
        # Before OpenTelemetry 1.41 a span's attributes could not be copied deeply at all.
        *([copy.deepcopy] if hasattr(BoundedAttributes, "__deepcopy__") else []),
    ],
)
def test_whatever_reads_them_finds_them_complete(read: object) -> None:
    attributes = BoundedAttributes(None, {"a": 1}, immutable=True)
    complete = BoundedAttributes(None, {"a": 1, "b": 2}, immutable=True)
    lazy.become_lazy(attributes, lambda found: found.update(b=2))
    assert callable(read)
    assert read(attributes) == read(complete)


def test_they_are_filled_once() -> None:
    fills: list[str] = []
    attributes = BoundedAttributes(None, {"a": 1}, immutable=True)
    lazy.become_lazy(attributes, lambda found: fills.append(threading.current_thread().name))
    assert fills == []
    dict(attributes)
    dict(attributes)
    assert fills == [threading.current_thread().name]


def test_they_stay_immutable() -> None:
    attributes = BoundedAttributes(None, {"a": 1}, immutable=True)
    lazy.become_lazy(attributes, lambda found: None)
    with pytest.raises(TypeError):
        attributes["b"] = 2


class Reader(SpanProcessor):
    """Reads the attributes at every turn, as a synchronous exporter of somebody else's does."""

    def __init__(self) -> None:
        self.ending: dict[str, object] = {}
        self.ended: dict[str, object] = {}

    def _on_ending(self, span: Span) -> None:
        self.ending = dict(span.attributes or {})

    def on_end(self, span: ReadableSpan) -> None:
        self.ended = dict(span.attributes or {})


def test_processors_before_and_after_ours_see_all_of_them() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    before, after = Reader(), Reader()
    provider.add_span_processor(before)
    with record_envelopes(tracer_provider=provider):
        provider.add_span_processor(after)
        aotel.coat("tool", lambda query: query.upper(), name="shout")("agents")
    for reader in (before, after):
        assert reader.ended["openinference.span.kind"] == "TOOL"
        assert reader.ended["output.value"] == "AGENTS"
    assert after.ending == after.ended
