"""A request to a model in progress: its span, what was asked, what came, and how it ended."""

from __future__ import annotations

import atexit
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakMethod, ref

from opentelemetry import context as otel_context

from aotel.calls import PORT, Call
from aotel.content import Deferred, Mode, active
from aotel.dialects import write
from aotel.forking import Forking, watch
from aotel.instrumentation.metrics import metrics_of_now
from aotel.instrumentation.plain import size_of
from aotel.instrumentation.reading import Reading
from aotel.instrumentation.runs import inside_run
from aotel.instrumentation.sites import clean
from aotel.instrumentation.trouble import verdict_on
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import CallSite, Pace
    from aotel.instrumentation.formats.format import Format
    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.trouble import ProviderError
    from aotel.operation import Operation, RequestParameters, Usage

_MEASURED: Final = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_PROVIDER_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.SERVER_ADDRESS,
    names.SERVER_PORT,
)
_NAMED: Final = ("request_model", "response_model", "response_id", "session_id")


class ModelCall(Call):
    """One request to a model; `answered`, `fail` or `abandon` ends it, whichever comes first.

    Reading the request and the answer waits for whoever wants to see them, in another thread.

    Args:
        site: name, operation and first attributes of the span.
        form: how request and answer are to be read.
        request: what was asked, a copy.
    """

    pace: Pace | None = None
    end_time: int = 0
    """When it ended, where that was before now."""
    _asked: Deferred[Operation] | None = None
    _answer: Deferred[Plain] | None = None

    def __init__(self, site: CallSite, form: Format, request: Plain) -> None:
        super().__init__(site)
        self._form = form
        self._request = request
        self.attributes: dict[str, AttributeValue] = {}  # pyright: ignore[reportIncompatibleVariableOverride]

    def start(self, parent: Context | None = None) -> Context:
        """Start the span, inside the LangChain run that makes the call, if one does."""
        if parent is None:
            parent = otel_context.get_current()
        try:
            parent = inside_run(parent)
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("start of a model call", error)
        return super().start(parent)

    def take_input(self) -> None:
        """Take what was asked, to be read later; the pipeline asks for it when it takes the span up."""
        self.described = self._asked = Deferred(self._read_request, size=size_of(self._request))

    def answered(self, answer: Deferred[Plain], *, later: bool = False) -> None:
        """End the span with an answer, to be read later.

        Args:
            answer: the answer.
            later: as for `abandon`.
        """
        if self.ended or (later and self._put_off(partial(self.answered, answer))):
            return
        self._take(answer)
        self.succeed()

    def judged(self, answer: Deferred[Plain], *, later: bool = False) -> None:
        """End the span with an answer that may say of itself that it failed; arguments as for `answered`."""
        if self.ended or (later and self._put_off(partial(self.judged, answer))):
            return
        failure: ProviderError | None = None
        try:
            failure = self._form.failure(answer.get())
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("reading of an answer", error)
        if failure is None:
            self.answered(answer)
        else:
            self.failed(failure, answer)

    def failed(self, error: BaseException, answer: Deferred[Plain] | None = None) -> None:
        """End the span with an error, and what had come before it."""
        if self.ended:
            return
        try:
            verdict = verdict_on(error, streaming=self.pace is not None)
            facts = {
                names.AOT_ERROR_CATEGORY: verdict.trouble and verdict.trouble.value,
                names.HTTP_RESPONSE_STATUS_CODE: verdict.status,
                names.AOT_ERROR_RETRY_AFTER_S: verdict.retry_after,
            }
            self.attributes.update({name: value for name, value in facts.items() if value is not None})
        except Exception as problem:  # noqa: BLE001 - the host program must not suffer
            PORT.report("description of an error", problem)
        if answer is not None:
            self._take(answer)
        self.fail(error)

    def abandon(self, answer: Deferred[Plain] | None = None, *, later: bool = False) -> None:
        """End the span of a stream that nobody reads to its end, with what was seen of it.

        Args:
            answer: what was seen.
            later: whether this is no place for locks: the span is ended in another thread, as of now.
        """
        if self.ended or (later and self._put_off(partial(self.abandon, answer))):
            return
        self.failed(GeneratorExit(), answer)

    def _put_off(self, end: Callable[[], None]) -> bool:
        """Have another thread end the span, as of now; say whether there is one."""
        if PORT.later is None:
            return False
        if not self.end_time:
            self.end_time = self._end()
            self.ended = False
        PORT.later(end)
        return True

    def _end(self) -> int:
        end_time = super()._end()
        return self.end_time or end_time

    def _end_span(self, end_time: int) -> None:
        OPEN.remove(self)
        try:
            self._measure(end_time)
            if self.recording is None and self.span.is_recording():
                self._write_itself()
        except Exception as error:  # noqa: BLE001 - the host program must not suffer
            PORT.report("end of a model call", error)
        super()._end_span(end_time)

    def _take(self, answer: Deferred[Plain]) -> None:
        self._answer = answer
        if self._asked is not None:
            self.described = Deferred(self._read_answer, size=answer.size)
            self.late_attributes = self._facts

    def _read_request(self) -> Operation:
        operation = self._form.request(self._request, Reading(self.capture))
        known = self.site.attributes
        operation.provider = _text(known.get(names.GEN_AI_PROVIDER_NAME))
        operation.request_model = _text(known.get(names.GEN_AI_REQUEST_MODEL)) or operation.request_model
        operation.server_address = _text(known.get(names.SERVER_ADDRESS))
        port = known.get(names.SERVER_PORT)
        operation.server_port = port if type(port) is int else None
        if self.capture.mode is not Mode.RAW:
            _redact_names(operation)
            _redact_parameters(operation.request)
        return operation

    def _read_answer(self) -> Operation:
        asked = self._asked
        operation = copy(asked.get()) if asked is not None else self._read_request()
        if self._answer is not None:
            self._form.answer(self._answer.get(), operation, Reading(self.capture))
        if self.pace is not None and self.pace.count:
            operation.time_to_first_chunk = (self.pace.first - self.start_clock) / 1e9
        if self.capture.mode is not Mode.RAW:
            _redact_names(operation)
        return operation

    def _facts(self) -> dict[str, AttributeValue]:
        found = self._form.facts(self._request, None if self._answer is None else self._answer.get())
        if self.capture.mode is Mode.RAW:
            return found
        redact = active().redactor.text
        return {name: redact(value) if type(value) is str else value for name, value in found.items()}

    def _usage(self) -> Usage | None:
        return None if self._answer is None else self._form.usage(self._answer.get())

    def _measure(self, end_time: int) -> None:
        metrics = metrics_of_now()
        if metrics is None:
            return
        facts: dict[str, AttributeValue] = {
            name: self.site.attributes[name] for name in _MEASURED if name in self.site.attributes
        }
        answer = None if self._answer is None else self._answer.get()
        model = answer.get("model") if type(answer) is dict else None
        if type(model) is str:
            facts[names.GEN_AI_RESPONSE_MODEL] = clean(model)
        if self.failure is not None:
            facts[names.ERROR_TYPE] = self.failure.qualified_type
        facts = self._measured_as(facts)
        # A request inside a request has the tokens of that one.
        usage = None if getattr(self.recording, "counted_outside", False) else self._usage()
        metrics.ended(facts, (end_time - self.start_time) / 1e9, usage)
        if self.pace is not None and self.pace.count:
            metrics.streamed(facts, (self.pace.first - self.start_clock) / 1e9, self.pace.gaps())

    def _measured_as(self, facts: dict[str, AttributeValue]) -> dict[str, AttributeValue]:
        """Return the facts that a call is measured under, with what became known as it was made."""
        return facts

    def _write_itself(self) -> None:
        """Write the span's attributes: its provider takes no processors, so that nobody else does."""
        operation = self._read_answer()
        self.span.set_attributes({**write(operation, ("genai",)), **self.attributes, **self._facts()})


def _redact_names(operation: Operation) -> None:
    """Take secrets out of names, which are no content: programs and servers fill them with what they like."""
    for field in _NAMED:
        value = getattr(operation, field)
        if value is not None:
            setattr(operation, field, clean(value))
    operation.finish_reasons = tuple(map(clean, operation.finish_reasons))


def _redact_parameters(parameters: RequestParameters | None) -> None:
    """Take secrets out of the parameters of a request, likewise."""
    if parameters is None:
        return
    redact = active().redactor.text
    parameters.stop = tuple(map(redact, parameters.stop))
    parameters.encoding_formats = tuple(map(clean, parameters.encoding_formats))
    if parameters.others:
        parameters.others = {name: _redacted(value, redact) for name, value in parameters.others.items()}


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if type(value) is dict:
        return {name: _redacted(item, redact) for name, item in value.items()}
    return redact(value) if type(value) is str else value


def _text(value: Any) -> str | None:
    return value if type(value) is str else None


class _Open(Forking):
    """The streams that are open, to be ended when the interpreter ends; a forked child has none of them."""

    def __init__(self) -> None:
        self._streams: dict[int, tuple[ref[ModelCall], WeakMethod[Callable[[], None]]]] = {}
        self._armed = False
        watch(self)

    def add(self, call: ModelCall, end: Callable[[], None]) -> None:
        """Remember a stream until it ends.

        Args:
            call: the call that it answers.
            end: a method that ends it; held weakly, since a stream that nobody has any more is to be collected.
        """
        if not self._armed:
            self._armed = True
            atexit.register(self.end_all)
        self._streams[id(call)] = (ref(call), WeakMethod(end))

    def remove(self, call: ModelCall) -> None:
        """Forget the stream of a call that ended."""
        self._streams.pop(id(call), None)

    def end_all(self) -> None:
        """End what is open."""
        for _, reference in list(self._streams.values()):
            end = reference()
            if end is not None:
                end()
        self._streams.clear()

    def after_fork_in_child(self) -> None:
        """Leave the parent's to the parent."""
        for reference, _ in list(self._streams.values()):
            call = reference()
            if call is not None:
                call.ended = True
        self._streams.clear()


OPEN: Final = _Open()
