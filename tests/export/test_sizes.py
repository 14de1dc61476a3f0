"""Estimates are upper bounds of what OTLP takes, and tell what can't be encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from aotel.export.sizes import log_record_size, span_size
from tests.export.records import record, span

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_scalar = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | _text
_attributes = st.dictionaries(_text, _scalar | st.lists(_text, max_size=4), max_size=6)
_body = st.recursive(
    _scalar, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4), max_leaves=8
)
# Resource and scope of the request: not the record's.
_SURROUNDINGS = 120


@settings(max_examples=60)
@given(_body, _attributes)
def test_log_record_is_not_larger_than_estimated(body: object, attributes: dict[str, AttributeValue]) -> None:
    made = record(body, attributes=attributes)
    assert encode_logs([made]).ByteSize() <= log_record_size(made) + _SURROUNDINGS


@settings(max_examples=60)
@given(_text, _attributes, st.lists(st.tuples(_text, _attributes), max_size=3), _text)
def test_span_is_not_larger_than_estimated(
    name: str,
    attributes: dict[str, AttributeValue],
    events: list[tuple[str, dict[str, AttributeValue]]],
    description: str,
) -> None:
    from opentelemetry.trace import Link, SpanContext, Status, StatusCode

    provider = TracerProvider(resource=Resource({}), shutdown_on_exit=False)
    link = Link(SpanContext(1, 2, is_remote=True), attributes)
    started = provider.get_tracer("test").start_span(name, attributes=attributes, links=[link])
    for event_name, event_attributes in events:
        started.add_event(event_name, event_attributes)
    started.set_status(Status(StatusCode.ERROR, description))
    started.end()
    assert encode_spans([started]).ByteSize() <= span_size(started) + _SURROUNDINGS  # type: ignore[list-item, arg-type]


def test_estimate_is_close_for_what_is_large() -> None:
    made = record("é" * 500_000)
    assert encode_logs([made]).ByteSize() == pytest.approx(log_record_size(made), rel=0.001)


def test_unencodable_names_and_bodies_are_told() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        log_record_size(record("\udc80"))
    with pytest.raises(ValueError, match="surrogates"):
        span_size(span("\udc80"))


def test_endless_body_has_an_end() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert log_record_size(record(loop)) > 0
