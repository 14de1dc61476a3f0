"""The pipeline: recordings become envelopes, envelopes become log records, exporters deliver them."""

from __future__ import annotations

import logging
from collections import deque
from functools import lru_cache
from itertools import count
from threading import Lock
from time import monotonic, perf_counter, time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current
from opentelemetry.sdk.resources import Resource

from aotel.calls import PORT, scope_of
from aotel.content import weight
from aotel.envelopes import PRODUCER, EnvelopeBuilder, Recording
from aotel.pipeline import spans
from aotel.pipeline.common import Facts
from aotel.pipeline.costs import Costs
from aotel.pipeline.delivery import Delivery, Faults
from aotel.pipeline.hiding import Hiding
from aotel.pipeline.journaling import Durability, can_be_journaled
from aotel.pipeline.keeping import Keeper
from aotel.pipeline.losses import Losses
from aotel.pipeline.processor import AOTSpanProcessor
from aotel.pipeline.records import log_record
from aotel.pipeline.unattached import UnattachedTracer
from aotel.pipeline.worker import Worker
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs.export import LogRecordExporter
    from opentelemetry.trace import Span, Tracer
    from opentelemetry.util.types import AttributeValue

    from aotel.content import Capture, ContentPolicy, Tree
    from aotel.envelopes import Envelope
    from aotel.settings import Settings

_logger = logging.getLogger("aotel")

_START, _END, _EMIT, _WAKE = range(4)
_PUT_OFF = 1_024
"""Ends that wait at most for a thread that may take locks."""
_RUNS_SHARE = 0.4
"""Of the time at the end, for a large run that just failed to reach the processors that export it."""
# Events of spans that can keep nothing are numbered together, so that no two have one number.
_ORPHANS = count(1)


class Pipeline:
    """What processors feed and exporters drain; one a process, configured as often as the program likes.

    Args:
        settings: what the environment says.
        policy: how content is written.

    Attributes:
        audited: whether envelopes go anywhere; where not, none are made.
        hurries: whether the end of a root span has what waits delivered now, rather than at the usual interval.
        root_started: called with every root span that is recorded, if somebody wants to know.
        keeping: holds runs that the sampler dropped until they fail; None where nobody asked for it.
        roomy: whether the SDK's limit on the number of attributes may be lifted.
    """

    audited: bool

    def __init__(self, settings: Settings, policy: ContentPolicy) -> None:
        self._processors: list[AOTSpanProcessor] = []
        self._later: deque[Callable[[], None]] = deque(maxlen=_PUT_OFF)
        self._lock = Lock()
        self._faults = Faults()
        self._warned_unsampled = False
        self._unattached: UnattachedTracer | None = None
        self._worker: Worker | None = None
        self.hurries = True
        self.root_started: Callable[[Any], None] | None = None
        self.losses = Losses(_phase_of)
        self.costs = Costs()
        self.keeping: Keeper | None = None
        self.apply(settings, policy)

    def apply(  # noqa: PLR0913 - one keyword a fact
        self,
        settings: Settings,
        policy: ContentPolicy,
        exporters: Sequence[LogRecordExporter] = (),
        *,
        session_id: str | None = None,
        agent_id: str | None = None,
        agent_role: str | None = None,
        inline: bool = False,
        flush_timeout: float = 5.0,
        resource: Resource | None = None,
        durability: Durability | None = None,
    ) -> None:
        """Configure, or configure anew; what waited under the former configuration is delivered under it.

        Args:
            settings: what the environment says; it wins over the other arguments.
            policy: how content is written.
            exporters: where envelopes go; none means that none are made.
            session_id: the session where no block names one.
            agent_id: who acts where no session says so.
            agent_role: in which role.
            inline: no worker thread: everything is delivered before a call returns.
            flush_timeout: seconds that delivery may take at exit.
            resource: who sends.
            durability: what survives of what waits; None for nothing.
        """
        if self._worker is not None:
            self._worker.shutdown(flush_timeout)
        self.policy = policy
        # Names are few, except those that are made up at run time, with a URL in them.
        self.clean_name = lru_cache(maxsize=1024)(policy.redactor.text)
        self._hiding = Hiding(settings.hide)
        self._dialects = settings.dialects
        self.roomy = not settings.attribute_count_limit_set
        self.flush_timeout = flush_timeout
        self.resource = resource or Resource.create({})
        self._delivery = Delivery(exporters, self.costs, self._faults)
        if durability is not None and can_be_journaled(exporters):
            self._delivery = durability.delivery(exporters, self.costs, self._faults, self.resource)
        self.session_id = settings.session_id or session_id
        self.builder = EnvelopeBuilder(
            pod_id=settings.pod_id or "",
            agent_id=settings.agent_id or agent_id or "",
            agent_role=settings.agent_role or agent_role or "",
            session_id=self.session_id,
            run_id=settings.run_id,
            preview_length=settings.preview_length,
            clean=self.clean_name,
        )
        self.audited = bool(exporters)
        self._keep(settings, inline=inline)
        self._facts = self._gather()
        self._worker = Worker(
            self._deliver,
            is_waiting=lambda: self._delivery.is_waiting,
            flush=lambda: self._delivery.flush(self.flush_timeout),
            losses=self.losses,
            inline=inline,
        )
        self._put = self._delivery.entrance(self._envelope, self._worker, (_WAKE, None, 0, None))

    @property
    def facts(self) -> Facts:
        """What the configuration says of all spans; a forked child is another process."""
        if self._facts.pid != PRODUCER.pid:
            self._facts = self._gather()
        return self._facts

    def _keep(self, settings: Settings, *, inline: bool) -> None:
        if not settings.keep_errors:
            self._forget_runs()
        elif self.keeping is None:
            self.keeping = Keeper(settings.keep_max_bytes, inline=inline)
        else:  # the runs that are under way go on
            self.keeping.limit, self.keeping.inline = settings.keep_max_bytes, inline

    def _forget_runs(self) -> None:
        keeping, self.keeping = self.keeping, None
        if keeping is not None:
            keeping.flush(self.flush_timeout, last=True)

    @property
    def records_dropped(self) -> bool:
        """Whether spans are to be recorded that a sampler drops: for envelopes, or because their run may fail yet."""
        return self.audited or self.keeping is not None

    def _gather(self) -> Facts:
        process: dict[str, AttributeValue] = {names.ENVPOD_PID: PRODUCER.pid}
        if self.builder.pod_id:
            process[names.ENVPOD_POD_ID] = self.builder.pod_id
        return Facts(PRODUCER.pid, process, self.builder, self._dialects, self._hiding)

    @property
    def exporters(self) -> tuple[LogRecordExporter, ...]:
        """Where envelopes go."""
        return self._delivery.exporters

    @property
    def queued(self) -> int:
        """How many envelopes wait."""
        return self._worker.queued if self._worker else 0

    @property
    def queued_size(self) -> int:
        """How much memory they keep from being freed, roughly, in bytes."""
        return self._worker.size if self._worker else 0

    def processor(self, provider: object | None = None) -> AOTSpanProcessor:
        """Return a new span processor that feeds this pipeline, for one provider."""
        processor = AOTSpanProcessor(self, provider)
        with self._lock:
            self._processors.append(processor)
        return processor

    def unattached(self, tracer: Tracer | None) -> UnattachedTracer | None:
        """Serve the calls of ours that are made with a tracer whose provider takes no processors; None for no tracer.

        Args:
            tracer: of the provider.
        """
        self._unattached = UnattachedTracer(tracer, self) if tracer is not None else None
        return self._unattached

    def provider_gone(self, processor: AOTSpanProcessor) -> None:
        """Flush; stop when no provider is left to feed the pipeline."""
        with self._lock:
            if processor in self._processors:
                self._processors.remove(processor)
            last = not self._processors
        if last:
            self.shutdown(self.flush_timeout)
        else:
            self.flush(self.flush_timeout)

    def start(self, recording: Recording) -> None:
        """Take the start of an operation."""
        content = recording.input or recording.operation
        self._put((_START, recording, 0, None), 0 if content is None else content.size)

    def end(self, recording: Recording) -> None:
        """Take the end of an operation."""
        content = recording.output or recording.operation
        size = 0 if content is None else content.size
        if recording.input is not None:  # which stays until the end does, also when the start was dropped
            size += recording.input.size
        if recording.local_variables is not None:
            size += sum(map(weight, recording.local_variables.values()))
        self._put((_END, recording, recording.next_seq(), None), size)

    def root_ended(self) -> None:
        """Have what waits delivered soon: a root span has ended."""
        if self.hurries and self._worker is not None:
            self._worker.hurry()

    def later(self, work: Callable[[], None]) -> None:
        """Do something soon in the worker's thread, or when somebody flushes; may be called where no lock is safe."""
        self._later.append(work)
        if not self._has_no_thread():
            self._put((_WAKE, None, 0, None))

    def _has_no_thread(self) -> bool:
        return self._worker is None or self._worker.is_inline or self._worker.is_stopped

    def catch_up(self) -> None:
        """Do what was put off, where no thread of ours does; called where locks may be taken."""
        if self._later and self._has_no_thread():
            self._catch_up()

    def _catch_up(self) -> None:
        while True:
            try:
                work = self._later.popleft()
            except IndexError:  # also where another thread was faster
                return
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the worker outlives what it was given to do
                self._faults.report(self, error)

    def emit(self, span: Span, tag: str, data: Tree, capture: Capture) -> None:
        """Take an event inside a span, or outside any: then the span is an invalid one."""
        if not self.audited:
            return
        recording = spans.recording_of(span)
        if recording is None and self._unattached is not None:
            recording = self._unattached.recording_of(span)
        if recording is None:  # a span that no processor of ours saw start
            recording = self._recording_of_stranger(span, capture)
        event = (tag, data, time_ns(), capture.mode.value)
        self._put((_EMIT, recording, recording.next_seq(), event), weight(data))

    def _recording_of_stranger(self, span: Any, capture: Capture) -> Recording:
        recording = Recording(self, span.get_span_context(), self.clean_name(getattr(span, "name", "")), 0)
        parent = getattr(span, "parent", None)
        recording.parent_span_id = getattr(parent, "span_id", 0)
        recording.scope = scope_of(get_current(), propagated=PORT.propagate_session)
        recording.capture = capture.mode.value
        if not spans.keep_recording(span, recording):
            recording.count_with(_ORPHANS)
        return recording

    def flush(self, timeout: float) -> bool:
        """Deliver what waits, within `timeout` seconds; say whether all of it was."""
        deadline = monotonic() + timeout
        self._catch_up()
        flushed = self._worker.flush(timeout) if self._worker else True
        if self.keeping is None:
            return flushed
        return self.keeping.flush(deadline - monotonic()) and flushed

    def end_runs(self, timeout: float) -> None:
        """Have runs that failed exported before their exporters shut down."""
        if self.keeping is not None:
            self.keeping.flush(timeout * _RUNS_SHARE, last=True)

    @property
    def has_worked(self) -> bool:
        """Whether envelopes were made in this process, by the worker's thread or for it."""
        return self._worker is not None and self._worker.has_worked

    @property
    def is_inline(self) -> bool:
        """Whether whoever makes an envelope delivers it."""
        return self._worker is not None and self._worker.is_inline

    @property
    def keeps_on_disk(self) -> bool:
        """Whether what waits survives the process."""
        return self._delivery.keeps_on_disk

    @property
    def keeps_some(self) -> bool:
        """Whether an exporter keeps envelopes for another attempt."""
        return self._delivery.is_waiting

    @property
    def is_own_thread(self) -> bool:
        """Whether the caller is the thread that delivers: it must not wait for itself."""
        return self._worker is not None and self._worker.is_own_thread

    @property
    def is_stopped(self) -> bool:
        """Whether `shutdown` came, and no `apply` since."""
        return self._worker is not None and self._worker.is_stopped

    def shutdown(self, timeout: float) -> bool:
        """Deliver what waits and shut the exporters down."""
        deadline = monotonic() + timeout
        self._catch_up()
        self.end_runs(timeout)
        flushed = self._worker.shutdown(max(deadline - monotonic(), 0)) if self._worker else True
        self._delivery.shutdown()
        return flushed

    def silence(self) -> None:
        """Make no envelopes any more, until the next `apply`."""
        self._delivery = Delivery((), self.costs, self._faults)
        self.audited = False
        self._forget_runs()

    def report_unsampled(self) -> None:
        """Say once that a provider which is not ours drops spans, and their envelopes with them."""
        if self._warned_unsampled or not self.records_dropped:
            return
        self._warned_unsampled = True
        missing = ["their envelopes are missing from the audit trail"] if self.audited else []
        if self.keeping is not None:
            missing.append("AOTEL_KEEP can't keep those that fail")
        _logger.warning(
            "aotel: the program's own tracer provider does not record every span (its sampler drops some), so %s; wrap "
            "its sampler: TracerProvider(sampler=aotel.pipeline.AuditSampler(your_sampler)), or let aotel.configure() "
            "make it",
            " and ".join(missing),
        )

    def _deliver(self, items: Sequence[tuple[int, Any, int, Any]]) -> None:
        if self._later:
            self._catch_up()
        began = perf_counter()
        records = [record for record in map(self._record, items) if record is not None]
        if records:
            self.costs.made(len(records), perf_counter() - began)
        self._delivery.deliver(records)

    def _record(self, item: tuple[int, Any, int, Any]) -> Any:
        try:
            made = self._envelope(item)
            return None if made is None else log_record(made[0], item[1], made[1], self.resource)
        except Exception as error:  # noqa: BLE001 - one odd value must not cost the batch
            self._faults.report(self, error)
            return None

    def _envelope(self, item: tuple[int, Any, int, Any]) -> tuple[Envelope, int] | None:
        """Return the envelope that an item stands for, with its time (ns since the epoch)."""
        what, recording, seq, event = item
        if what == _WAKE:
            return None
        if what == _START:
            return self.builder.start(recording, seq), recording.start_time
        if what == _END:
            return self.builder.end(recording, seq), recording.end_time
        return self.builder.emit(recording, seq, event), event[2]


def _phase_of(item: tuple[int, Any, int, Any]) -> str | None:
    """Return which envelope an item would have become."""
    what, recording, _, _ = item
    if what == _END:
        return "end" if recording.failure is None else "error"
    return {_START: "start", _EMIT: "emit"}.get(what)
