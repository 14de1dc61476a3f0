"""What a test looks at: the spans and envelopes of the operations that ran, each paired and in agreement."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from opentelemetry.trace import StatusCode

from aotel.semconv.operations import lookup
from aotel.testing import RecordedEnvelopes, RecordedSpans, record_envelopes, record_spans
from tests.envelope_schema import Envelope, by_span, closes, opens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext


class Ended(NamedTuple):
    """One operation that ran: its span, and its envelopes from the first to the last."""

    span: ReadableSpan
    start: Envelope
    end: Envelope
    between: list[Envelope]

    @property
    def outcome(self) -> str:
        """How it ended: "ok", "error", or the outcome's name."""
        payload = self.end["payload"]
        return "ok" if payload["ok"] else payload.get("outcome", "error")

    @property
    def context(self) -> SpanContext:
        """The span's ids."""
        return context_of(self.span)

    @property
    def attributes(self) -> dict[str, Any]:
        """The span's attributes."""
        return dict(self.span.attributes or {})


def context_of(span: ReadableSpan) -> SpanContext:
    """Return a span's ids, which every span that was recorded has."""
    context: SpanContext | None = span.context
    assert context is not None
    return context


class Recorded:
    """Everything that ran inside a `recording` block."""

    def __init__(self, envelopes: RecordedEnvelopes, spans: RecordedSpans) -> None:
        self._envelopes = envelopes
        self._spans = spans

    @property
    def envelopes(self) -> list[Envelope]:
        """All envelopes, in the order of emission."""
        return self._envelopes.envelopes

    @property
    def arrived(self) -> int:
        """How many envelopes have arrived, without waiting for more."""
        return len(self._envelopes._records)

    @property
    def records(self) -> list[ReadableLogRecord]:
        """The log records that carried the envelopes."""
        return self._envelopes.records

    @property
    def spans(self) -> list[ReadableSpan]:
        """All spans, in the order in which they ended."""
        return self._spans.spans

    @property
    def operations(self) -> list[Ended]:
        """All operations, in the order in which they ended, after a check that span and envelopes agree."""
        groups = by_span(self.envelopes)
        found = [_operation(span, groups) for span in self.spans]
        assert not groups, f"envelopes without a span that ended: {list(groups.values())}"
        return found

    @property
    def operation(self) -> Ended:
        """The only operation."""
        (found,) = self.operations
        return found

    def named(self, name: str) -> Ended:
        """Return the only operation of a name."""
        (found,) = [operation for operation in self.operations if operation.span.name == name]
        return found

    @property
    def names(self) -> list[str]:
        """The spans' names, in the order in which they ended."""
        return self._spans.names

    def clear(self) -> None:
        """Forget what ran so far."""
        self._envelopes.clear()
        self._spans.clear()


@contextlib.contextmanager
def recording(**options: Any) -> Iterator[Recorded]:
    """Record spans and envelopes; `options` are those of `aotel.configure`."""
    with record_envelopes(**options) as envelopes, record_spans(**options) as spans:
        yield Recorded(envelopes, spans)


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    """Spans and envelopes of the test, under the default configuration."""
    with recording() as found:
        yield found


def rounded(nanoseconds: int) -> str:
    """Return ns since the epoch as RFC 3339, rounded to the millisecond, by another way than the code's."""
    moment = datetime.fromtimestamp((nanoseconds + 500_000) // 1_000_000 / 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(nanoseconds + 500_000) // 1_000_000 % 1000:03d}Z"


def _operation(span: ReadableSpan, groups: dict[tuple[str, str], list[Envelope]]) -> Ended:
    span_id = f"sp_{context_of(span).span_id:016x}"
    (key,) = [key for key in groups if key[1] == span_id]
    first, *between, last = groups.pop(key)
    assert opens(first), first
    assert closes(last), last
    assert not any(opens(envelope) or closes(envelope) for envelope in between), between
    _assert_agreement(span, first, last)
    assert [envelope["seq"] for envelope in (first, *between, last)] == list(range(len(between) + 2))
    return Ended(span, first, last, between)


def _assert_agreement(span: ReadableSpan, start: Envelope, end: Envelope) -> None:
    assert span.start_time is not None
    assert span.end_time is not None
    assert start["ids"] == end["ids"]
    assert start["ids"]["trace_id"] == f"tr_{context_of(span).trace_id:032x}"
    assert start["ids"]["step_id"] == f"step_{context_of(span).span_id:016x}"
    assert start["ids"]["parent_span_id"] == ("" if span.parent is None else f"sp_{span.parent.span_id:016x}")
    assert start["ts"] == rounded(span.start_time)
    assert end["ts"] == rounded(span.end_time)
    assert end["payload"]["duration_ms"] == round((span.end_time - span.start_time) / 1e6, 3)
    assert start["payload"]["fn"] == end["payload"]["fn"] == span.name
    _assert_kinds(span, start, end)


def _assert_kinds(span: ReadableSpan, start: Envelope, end: Envelope) -> None:
    attributes = span.attributes or {}
    taxonomy = lookup(str(attributes["aot.operation"]))
    is_error = span.status.status_code is StatusCode.ERROR
    assert start["kind"] == taxonomy.start_kind
    assert attributes["aot.kind"] == end["kind"] == (taxonomy.end_kind if end["payload"]["ok"] else "coat.error")
    assert attributes.get("aot.outcome") == end["payload"].get("outcome")
    assert is_error == (not end["payload"]["ok"] and "outcome" not in end["payload"])
