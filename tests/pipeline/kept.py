"""A provider whose sampler drops, with a pipeline that keeps runs which fail, and what is exported."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler
from opentelemetry.trace import SpanContext, Status, StatusCode, Tracer, set_span_in_context

from aotel.content import ContentPolicy
from aotel.pipeline import Pipeline, make_provider
from aotel.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

    from aotel.pipeline.keeping import Keeper, KeepingStatus

AMPLE = 32 << 20
FAILED = Status(StatusCode.ERROR, "it broke")


class Kept:
    """What a test does, and sees.

    Args:
        provider: makes spans.
        pipeline: what they feed.
    """

    def __init__(self, provider: TracerProvider, pipeline: Pipeline) -> None:
        self.provider = provider
        self.pipeline = pipeline
        self.tracer: Tracer = provider.get_tracer("app")
        self.exporter = InMemorySpanExporter()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def keeper(self) -> Keeper:
        """The pipeline's."""
        assert self.pipeline.keeping is not None
        return self.pipeline.keeping

    @property
    def status(self) -> KeepingStatus:
        """What the keeper says."""
        return self.keeper.status

    @property
    def spans(self) -> list[ReadableSpan]:
        """What was exported."""
        assert self.pipeline.flush(10)
        return list(self.exporter.get_finished_spans())

    @property
    def names(self) -> list[str]:
        """The names of what was exported, sorted."""
        return sorted(span.name for span in self.spans)

    def start(self, name: str, parent: Span | Context | None = None, **attributes: str) -> Span:
        """Start a span, below `parent`; a context may stand for it."""
        context = parent if parent is None or isinstance(parent, dict) else set_span_in_context(parent)
        return self.tracer.start_span(name, context, attributes=attributes)

    def run(self, name: str, *, children: int = 2, fails: bool = False, text: str = "") -> None:
        """Make a run of a root and its children, the last of which fails if it is to."""
        root = self.start(name)
        for number in range(children):
            child = self.start(f"{name}.{number}", root, text=text)
            if fails and number == children - 1:
                child.set_status(FAILED)
            child.end()
        root.end()


@contextlib.contextmanager
def keeping(*, limit: int = AMPLE, inline: bool = True, sampler: Sampler = ALWAYS_OFF) -> Iterator[Kept]:
    """Yield a provider that drops, and keeps runs which fail."""
    settings = Settings(keep_errors=True, keep_max_bytes=limit)
    pipeline = Pipeline(settings, ContentPolicy.build(settings))
    assert pipeline.keeping is not None
    pipeline.keeping.inline = inline
    provider = make_provider(pipeline, sampler)
    try:
        yield Kept(provider, pipeline)
    finally:
        provider.shutdown()


def context_of(span: ReadableSpan | Span) -> SpanContext:
    """Return a span's ids, which every span that was recorded has."""
    context = span.context if isinstance(span, ReadableSpan) else span.get_span_context()
    assert context is not None
    return context
