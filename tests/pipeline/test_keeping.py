"""AOTEL_KEEP=errors: of runs that the sampler dropped, those that fail are exported whole, the others not at all."""

from __future__ import annotations

import gc
import os
import threading
import traceback
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from tests.pipeline.kept import FAILED, Kept, context_of, keeping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any


@pytest.fixture
def kept() -> Iterator[Kept]:
    with keeping() as found:
        yield found


def remote(trace_id: int = 7) -> Context:
    return set_span_in_context(NonRecordingSpan(SpanContext(trace_id, 5, is_remote=True)), Context())


def test_a_run_that_ends_well_is_forgotten(kept: Kept) -> None:
    kept.run("good", children=5)
    assert kept.names == []
    assert (kept.status.bytes, kept.status.waiting, kept.status.forgotten, kept.status.exported) == (0, 0, 1, 0)


@pytest.mark.parametrize("children", [1, 2, 30])
def test_a_run_that_fails_is_exported_whole(children: int, kept: Kept) -> None:
    kept.run("good")
    kept.run("bad", children=children, fails=True)
    kept.run("good")
    assert kept.names == sorted(["bad", *(f"bad.{number}" for number in range(children))])
    assert (kept.status.exported, kept.status.exported_spans, kept.status.bytes) == (1, children + 1, 0)


@pytest.mark.parametrize("where", ["first child", "last child", "root"])
def test_a_failure_anywhere_counts(where: str, kept: Kept) -> None:
    root = kept.start("root")
    for name in ("first child", "middle", "last child"):
        child = kept.start(name, root)
        if name == where:
            child.set_status(FAILED)
        child.end()
    if where == "root":
        root.set_status(FAILED)
    root.end()
    assert kept.names == ["first child", "last child", "middle", "root"]


def test_what_is_exported_is_the_span_but_for_the_sampled_flag(kept: Kept) -> None:
    link = Link(SpanContext(3, 4, is_remote=True), {"why": "because"})
    root = kept.start("root")
    child = kept.tracer.start_span("child", set_span_in_context(root), links=[link], attributes={"a": 1})
    child.add_event("event", {"b": 2})
    child.end()
    before = context_of(child)
    root.set_status(FAILED)
    root.end()
    exported = {span.name: span for span in kept.spans}
    found = exported["child"]
    after = context_of(found)
    assert (after.trace_id, after.span_id, after.is_remote) == (before.trace_id, before.span_id, False)
    assert after.trace_state == before.trace_state
    assert not before.trace_flags.sampled
    assert after.trace_flags == before.trace_flags | TraceFlags.SAMPLED
    assert found.parent is not None
    assert found.parent.span_id == context_of(exported["root"]).span_id == context_of(root).span_id
    assert found.resource is kept.provider.resource
    assert list(found.links) == [link]
    assert [event.name for event in found.events] == ["event"]
    assert (found.attributes or {})["a"] == 1
    assert exported["root"].status.description == "it broke"


def test_secrets_are_out_of_what_is_kept(kept: Kept) -> None:
    root = kept.start("root")
    kept.start("child", root, password="hunter2-hunter2").end()
    root.set_status(FAILED)
    root.end()
    assert len(kept.spans) == 2
    assert "hunter2" not in "".join(span.to_json() for span in kept.spans)


class Counting(SpanProcessor):
    """Counts what it sees, as processors that make metrics do."""

    def __init__(self) -> None:
        self.ended = 0

    def on_end(self, span: ReadableSpan) -> None:
        self.ended += context_of(span).is_valid


def test_every_exporting_processor_gets_them_and_others_see_no_span_twice(kept: Kept) -> None:
    exporters = [InMemorySpanExporter() for _ in range(3)]
    counting = Counting()
    nested = SynchronousMultiSpanProcessor()  # type: ignore[no-untyped-call]
    nested.add_span_processor(SimpleSpanProcessor(exporters[2]))
    for processor in (BatchSpanProcessor(exporters[0]), SimpleSpanProcessor(exporters[1]), counting, nested):
        kept.provider.add_span_processor(processor)
    kept.run("bad", fails=True)
    assert kept.pipeline.flush(10)
    kept.provider.force_flush()
    assert [len(exporter.get_finished_spans()) for exporter in exporters] == [3, 3, 3]
    assert counting.ended == 3


class Broken(SimpleSpanProcessor):
    """Can't take what is exported."""

    def on_end(self, span: ReadableSpan) -> None:
        if context_of(span).trace_flags.sampled:
            raise RuntimeError(span.name)


def test_a_processor_that_fails_costs_the_others_and_the_program_nothing(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    other = InMemorySpanExporter()
    for processor in (Broken(InMemorySpanExporter()), SimpleSpanProcessor(other)):
        kept.provider.add_span_processor(processor)
    kept.run("bad", fails=True)
    assert sorted(span.name for span in other.get_finished_spans()) == kept.names == ["bad", "bad.0", "bad.1"]
    assert "RuntimeError" in caplog.text


class ByName(Sampler):
    """Samples the spans whose name begins with "s", wherever they are."""

    samples_each_span = True

    def should_sample(self, *given: Any) -> SamplingResult:
        name: str = given[2]
        return SamplingResult(Decision.RECORD_AND_SAMPLE if name.startswith("s") else Decision.DROP)

    def get_description(self) -> str:
        return "ByName"


def test_spans_of_a_run_that_were_sampled_are_exported_once() -> None:
    with keeping(sampler=ByName()) as kept:
        root = kept.start("root")
        kept.start("dropped", root).end()
        failing = kept.start("sampled", root)
        failing.set_status(FAILED)
        failing.end()
        root.end()
        assert kept.names == ["dropped", "root", "sampled"]


def test_with_all_sampled_nothing_is_held_or_counted() -> None:
    with keeping(sampler=ALWAYS_ON) as kept:
        kept.run("bad", fails=True)
        kept.run("good")
        assert kept.names == sorted(["bad", "bad.0", "bad.1", "good", "good.0", "good.1"])
        assert (kept.status.exported, kept.status.forgotten, kept.status.bytes) == (0, 0, 0)


@pytest.mark.parametrize("fails", [True, False])
def test_children_that_end_or_begin_after_their_root_go_where_it_went(fails: bool, kept: Kept) -> None:
    root = kept.start("root")
    late = kept.start("late", root)
    if fails:
        root.set_status(FAILED)
    root.end()
    late.end()
    kept.start("later", late).end()
    blind = set_span_in_context(NonRecordingSpan(context_of(root)), Context())  # its parent is known by its ids alone
    kept.start("latest", blind).end()
    assert kept.names == (["late", "later", "latest", "root"] if fails else [])
    assert kept.status.bytes == 0


def test_a_failure_after_the_end_of_a_forgotten_run_is_dropped_with_it(kept: Kept) -> None:
    root = kept.start("root")
    late = kept.start("late", root)
    root.end()
    late.set_status(FAILED)
    late.end()
    assert kept.names == []


def test_a_failure_is_exported_before_the_root_ends(kept: Kept) -> None:
    root = kept.start("root")
    kept.start("first", root).end()
    child = kept.start("second", root)
    child.set_status(FAILED)
    child.end()
    assert kept.names == ["first", "second"]
    kept.start("third", root).end()
    assert kept.names == ["first", "second", "third"]
    root.end()
    assert kept.names == ["first", "root", "second", "third"]


def test_runs_with_a_remote_parent_are_runs_of_their_own(kept: Kept) -> None:
    for name, fails in (("good", False), ("bad", True), ("good", False)):
        root = kept.start(name, remote())
        kept.start(f"{name}.child", root).end()
        if fails:
            root.set_status(FAILED)
        root.end()
    assert kept.names == ["bad", "bad.child"]
    assert (kept.status.forgotten, kept.status.exported) == (2, 1)


def test_roots_of_one_trace_that_are_open_together_are_one_run(kept: Kept) -> None:
    """An agent that calls a server in its own process: the server's span has a remote parent here."""
    agent = kept.start("agent", remote())
    server = kept.start("server", remote())
    kept.start("tool", agent).end()
    agent.end()
    assert kept.names == []
    server.set_status(FAILED)
    server.end()
    assert kept.names == ["agent", "server", "tool"]


def test_a_root_that_never_ends_holds_no_memory_but_its_spans(kept: Kept) -> None:
    for number in range(20):
        kept.start(f"lost {number}")
    assert (kept.status.bytes, kept.status.waiting) == (0, 0)


def test_what_waits_at_the_end_is_dropped_and_what_failed_is_exported() -> None:
    with keeping() as kept:
        open_run = kept.start("open")
        kept.start("open.child", open_run).end()
        failed_run = kept.start("failed")
        child = kept.start("failed.child", failed_run)
        child.set_status(FAILED)
        child.end()
    assert [span.name for span in kept.exporter.get_finished_spans()] == ["failed.child"]


def in_threads(number: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_run_over_many_threads() -> None:
    with keeping(inline=False) as kept:
        root = kept.start("root")

        def work(number: int) -> None:
            for each in range(50):
                kept.start(f"{number}.{each}", root).end()

        in_threads(4, work)
        root.set_status(FAILED)
        root.end()
        assert kept.names == sorted(["root", *(f"{number}.{each}" for number in range(4) for each in range(50))])
        assert kept.status.bytes == 0


def test_many_runs_in_many_threads_are_told_apart() -> None:
    with keeping(inline=False) as kept:

        def work(number: int) -> None:
            for each in range(25):
                kept.run(f"{'bad' if each % 5 == 0 else 'good'} {number} {each}", fails=each % 5 == 0)

        in_threads(4, work)
        names = kept.names
        assert {name.split(".")[0] for name in names} == {
            f"bad {number} {each}" for number in range(4) for each in range(0, 25, 5)
        }
        assert len(names) == 3 * 20
        assert (kept.status.forgotten, kept.status.exported, kept.status.bytes) == (80, 20, 0)


class Slow(SpanExporter):
    """Counts, and takes nothing while it is told to wait."""

    def __init__(self) -> None:
        self.count = 0
        self.go = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.go.wait(20)
        self.count += len(spans)
        return SpanExportResult.SUCCESS


def test_a_run_larger_than_an_exporters_queue_is_exported_whole_and_the_program_does_not_wait() -> None:
    with keeping(inline=False) as kept:
        slow = Slow()
        kept.provider.add_span_processor(BatchSpanProcessor(slow, max_queue_size=600, max_export_batch_size=100))
        kept.run("bad", children=3000, fails=True)  # which would hang if it waited for the exporter
        slow.go.set()
        assert kept.pipeline.flush(30)
        kept.provider.force_flush(10_000)
        assert slow.count == 3001
        assert kept.status.bytes == 0


@pytest.mark.parametrize("ending", ["flush", "shutdown"])
def test_what_waits_for_an_exporter_is_there_after(ending: str) -> None:
    with keeping(inline=False) as kept:
        slow = Slow()
        slow.go.set()
        kept.provider.add_span_processor(BatchSpanProcessor(slow, max_queue_size=600, max_export_batch_size=100))
        kept.run("bad", children=1500, fails=True)
        if ending == "flush":
            assert kept.provider.force_flush(30_000)
        else:
            kept.provider.shutdown()
        assert slow.count == 1501


def test_an_exporter_that_takes_nothing_costs_a_flush_its_time_and_no_span() -> None:
    with keeping(inline=False) as kept:
        slow = Slow()
        kept.provider.add_span_processor(BatchSpanProcessor(slow, max_queue_size=600, max_export_batch_size=100))
        kept.run("bad", children=1500, fails=True)
        assert not kept.pipeline.flush(0.05)
        assert kept.status.bytes > 0
        slow.go.set()
        assert kept.pipeline.flush(30)
        kept.provider.force_flush(10_000)
        assert slow.count == 1501
        assert kept.status.bytes == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("child_fails", [True, False])
def test_a_forked_child_exports_what_failed_in_it_and_nothing_of_its_parent(child_fails: bool, kept: Kept) -> None:
    root = kept.start("root")
    kept.start("before", root).end()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            inner = kept.start("inner", root)
            kept.start("inner.child", inner).end()
            if child_fails:
                inner.set_status(FAILED)
            inner.end()
            root.end()
            os.write(writing, f"{kept.names} {kept.status.bytes}".encode())
            status = 0
        except BaseException:  # noqa: BLE001 - pytest must not go on in the child
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    seen = os.read(reading, 4096).decode()
    os.close(reading)
    assert status == 0
    assert seen == ("['inner', 'inner.child'] 0" if child_fails else "[] 0")
    root.set_status(FAILED)
    root.end()
    assert kept.names == ["before", "root"]


def test_switched_off_it_holds_nothing(kept: Kept) -> None:
    from aotel.settings import Settings

    kept.pipeline.apply(Settings(), kept.pipeline.policy)
    assert kept.pipeline.keeping is None
    with kept.tracer.start_as_current_span("root"):
        assert not trace.get_current_span().is_recording()


class EndsWhenCollected:
    """A stream that nobody reads to its end: the collector ends its span, wherever it happens to run."""

    def __init__(self, kept: Kept, number: int) -> None:
        self.cycle = self
        self.root = kept.start(f"root {number}")
        self.span = kept.start(f"child {number}", self.root)
        self.fails = number % 2 == 0

    def __del__(self) -> None:
        if self.fails:
            self.span.set_status(FAILED)
        self.span.end()
        self.root.end()


@pytest.mark.parametrize("inline", [True, False])
def test_spans_that_a_collector_ends_in_the_middle_of_others(inline: bool) -> None:
    with keeping(inline=inline) as kept:
        before = gc.get_threshold()
        gc.set_threshold(3)
        try:
            for number in range(100):
                EndsWhenCollected(kept, number)
                kept.run(f"own {number}", fails=number % 10 == 0)
        finally:
            gc.set_threshold(*before)
        gc.collect()
        names = kept.names
        assert len(names) == 50 * 2 + 10 * 3
        assert {name.split()[0] for name in names} == {"own", "root", "child"}
        assert (kept.status.exported, kept.status.forgotten, kept.status.bytes) == (60, 140, 0)
