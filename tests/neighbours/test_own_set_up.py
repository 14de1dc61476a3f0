"""What a program brings along: processors before and after ours, exporters that fail or dawdle, a new provider."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import aotel
from aotel.distro.configuration import recording_to
from aotel.testing import record_envelopes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

QUESTION = "quokka-asked"
SECRET = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
TOOL_KINDS = ["agent.tool.call", "agent.tool.result"]


@aotel.coat("tool")
def search(query: str, token: str = SECRET) -> list[str]:
    aotel.tie("found", {"token": token})
    return ["found", query]


@aotel.coat("tool")
def fail(query: str) -> None:
    raise ValueError(f"{query} with {SECRET}")


class Looking(SpanProcessor):
    """Keeps what can be seen of a span at each of its stations."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        self.started.append(span.to_json())

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


def everything(looking: Looking) -> str:
    return "\n".join([*looking.started, *(span.to_json() for span in looking.ended)])


@pytest.mark.parametrize("mode", ["none", "redacted", "summary", "hash"])
def test_processors_before_and_after_ours_see_the_same_and_nothing_that_is_not_to_leave(mode: str) -> None:
    before, after = Looking(), Looking()
    provider = TracerProvider()
    provider.add_span_processor(before)
    with record_envelopes(tracer_provider=provider, capture=mode):
        provider.add_span_processor(after)
        search(QUESTION)
        with pytest.raises(ValueError, match=QUESTION):
            fail(QUESTION)
        with aotel.step("look", question=QUESTION, token=SECRET):
            pass
    assert [span.to_json() for span in before.ended] == [span.to_json() for span in after.ended]
    kinds = [dict(span.attributes or {}).get("openinference.span.kind") for span in before.ended]
    assert kinds == ["TOOL", "TOOL", "CHAIN"]
    for looking in (before, after):
        assert SECRET not in everything(looking)
        assert not [text for text in looking.started if QUESTION in text]
        assert (QUESTION in everything(looking)) is (mode == "redacted")
    provider.shutdown()


@pytest.mark.parametrize("make", [SimpleSpanProcessor, BatchSpanProcessor])
@pytest.mark.parametrize("first", [True, False], ids=["before ours", "after ours"])
def test_exporters_of_the_program_get_complete_spans(
    make: Callable[[SpanExporter], SpanProcessor], first: bool
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    if first:
        provider.add_span_processor(make(kept))
    with record_envelopes(tracer_provider=provider) as envelopes:
        if not first:
            provider.add_span_processor(make(kept))
        search(QUESTION)
        assert provider.force_flush()
        assert envelopes.kinds == ["agent.tool.call", "coat.emit", "agent.tool.result"]
    (span,) = kept.get_finished_spans()
    assert span.attributes is not None
    assert (span.attributes["tool.name"], span.attributes["openinference.span.kind"]) == ("search", "TOOL")
    assert span.attributes["output.value"] == f'["found","{QUESTION}"]'
    provider.shutdown()


class Broken(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's
        raise ConnectionError("no way out")


@pytest.mark.parametrize("make", [SimpleSpanProcessor, BatchSpanProcessor])
def test_span_exporter_that_raises_costs_neither_the_program_nor_envelopes(
    make: Callable[[SpanExporter], SpanProcessor],
) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(make(Broken()))
    with record_envelopes(tracer_provider=provider) as envelopes:
        provider.add_span_processor(SimpleSpanProcessor(kept))
        assert search(QUESTION) == ["found", QUESTION]
        provider.force_flush()
        assert [kind for kind in envelopes.kinds if kind != "coat.emit"] == TOOL_KINDS
    assert len(kept.get_finished_spans()) == 1
    provider.shutdown()


class Failing(InMemoryLogRecordExporter):
    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:  # noqa: ARG002 - the SDK's
        raise ConnectionError("no way out")


class Dawdling(InMemoryLogRecordExporter):
    """Takes a batch only when it is let; at the end of the test, that is."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.busy = threading.Event()
        self.let = threading.Event()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        self.busy.set()
        self.let.wait(20)
        return super().export(batch)


def kinds_of(exporter: InMemoryLogRecordExporter) -> list[Any]:
    return [record.log_record.event_name for record in exporter.get_finished_logs()]


def test_log_exporter_that_raises_is_told_once_and_the_next_one_gets_all(caplog: pytest.LogCaptureFixture) -> None:
    kept, failing = InMemoryLogRecordExporter(), Failing()  # type: ignore[no-untyped-call]
    provider = TracerProvider()
    with recording_to(None, tracer_provider=provider, exporters=[failing, kept]) as handle:
        for number in range(3):
            assert search(str(number)) == ["found", str(number)]
            assert handle.flush()
    assert len(kept.get_finished_logs()) == 9
    said = [record.message for record in caplog.records if record.name == "aotel"]
    assert len([sentence for sentence in said if "Failing" in sentence and "no way out" in sentence]) == 1, said
    provider.shutdown()


def test_slow_log_exporter_holds_up_nobody() -> None:
    slow = Dawdling()
    provider = TracerProvider()
    with recording_to(None, tracer_provider=provider, exporters=[slow]) as handle:
        search("first")
        assert slow.busy.wait(20)
        for number in range(100):  # while it has not taken the first
            search(str(number))
        assert not slow.get_finished_logs()
        assert handle.flush(0.01) is False
        slow.let.set()
        assert handle.flush(20)
        assert len(slow.get_finished_logs()) == 3 * 101
    provider.shutdown()


def test_provider_that_is_shut_down_and_replaced_is_followed_by_configure() -> None:
    kept = [InMemorySpanExporter(), InMemorySpanExporter()]
    envelopes = []
    for exporter in kept:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        logs = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        with recording_to(None, tracer_provider=provider, exporters=[logs]):
            search(QUESTION)
            provider.shutdown()
            envelopes.append(kinds_of(logs))
    assert [[span.name for span in exporter.get_finished_spans()] for exporter in kept] == [["search"], ["search"]]
    assert envelopes == [["agent.tool.call", "coat.emit", "agent.tool.result"]] * 2
