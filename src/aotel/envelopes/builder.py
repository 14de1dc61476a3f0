"""From a recording to its envelopes: start, end, error and emit. Runs off the caller's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from aotel._version import __version__
from aotel.content import preview
from aotel.content.trees import cut, cut_leaves
from aotel.envelopes.model import (
    SPEC,
    CaptureMode,
    EmitPayload,
    EndPayload,
    Envelope,
    Envpod,
    ErrorPayload,
    Ids,
    Llm,
    Preview,
    Retrieval,
    StartPayload,
    Subject,
    Tool,
)
from aotel.envelopes.producer import PRODUCER
from aotel.envelopes.times import milliseconds, timestamp
from aotel.operation import Usage
from aotel.semconv import kinds

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.content import Tree
    from aotel.envelopes.recording import Recording
    from aotel.operation import Operation

_FRAMEWORK = "aotel"
_RAW = "raw"


class EnvelopeBuilder:
    """Makes envelopes of recordings.

    Args:
        pod_id: the pod this process runs in, or "".
        agent_id: who acts where no session says so.
        agent_role: in which role.
        session_id: the session where no block names one; None for the process's own.
        run_id: the run where no function is one; None for one that is named after the trace.
        preview_length: characters of a preview.
        clean: makes the name of an event clean: some are made up at run time, with a URL in them.
    """

    def __init__(  # noqa: PLR0913 - one keyword a fact
        self,
        *,
        pod_id: str = "",
        agent_id: str = "",
        agent_role: str = "",
        session_id: str | None = None,
        run_id: str | None = None,
        preview_length: int = 200,
        clean: Callable[[str], str] = str,
    ) -> None:
        self.pod_id = pod_id
        self._agent_id = agent_id
        self._agent_role = agent_role
        self._session_id = session_id
        self._run_id = run_id or ""
        self._preview_length = preview_length
        self._clean = clean

    def start(self, recording: Recording, seq: int) -> Envelope:
        """Return the envelope that announces an operation."""
        payload = StartPayload(recording.name, self._preview(recording))
        kind = recording.taxonomy.start_kind if recording.taxonomy else kinds.AGENT_STEP_START
        return self._envelope(recording, seq, kind, recording.start_time, recording.capture, payload)

    def end(self, recording: Recording, seq: int) -> Envelope:
        """Return the envelope that closes an operation: an end, or a `coat.error` in its place."""
        duration = milliseconds(recording.end_time - recording.start_time)
        failure = recording.failure
        if failure is not None:
            message = self._cut(failure.message)
            outcome = msgspec.UNSET if failure.outcome is None else failure.outcome.value
            error = ErrorPayload(recording.name, failure.type, message, duration, outcome=outcome)
            return self._envelope(recording, seq, kinds.COAT_ERROR, recording.end_time, recording.capture, error)
        captured = {name: self._show(value) for name, value in (recording.local_variables or {}).items()}
        operation = None if recording.leaves_numbers else _operation(recording)
        payload = EndPayload(
            recording.name,
            self._result(recording),
            captured,
            duration,
            llm=_llm(operation, recording),
            tool=_tool(operation, recording),
            retrieval=self._retrieval(operation, recording),
        )
        kind = recording.taxonomy.end_kind if recording.taxonomy else kinds.AGENT_STEP_END
        mode = recording.local_mode if captured else "none"
        return self._envelope(recording, seq, kind, recording.end_time, mode, payload)

    def emit(self, recording: Recording, seq: int, event: tuple[str, Tree, int, str]) -> Envelope:
        """Return the envelope of an event inside an operation.

        Args:
            recording: the span it happened in.
            seq: its number within the span.
            event: tag, data, time (ns since the epoch) and content mode.
        """
        tag, data, time, mode = event
        payload = EmitPayload(tag if mode == _RAW else self._clean(tag), cut_leaves(data, self._preview_length))
        return self._envelope(recording, seq, kinds.COAT_EMIT, time, mode, payload)

    def session_id_of(self, recording: Recording) -> str:
        """Return the session that a recording belongs to."""
        scope = recording.scope
        return (scope.session_id if scope else "") or self._session_id or PRODUCER.session_id

    def run_id_of(self, recording: Recording) -> str:
        """Return the run that a recording belongs to: the enclosing one, else one named after its trace."""
        scope = recording.scope
        run_id = (scope.run_id if scope else "") or self._run_id
        if run_id or not recording.span_context.trace_id:
            return run_id
        # The last digits: with some id generators the first ones are a time or zeros.
        return f"run_{recording.span_context.trace_id & 0xFFFF_FFFF_FFFF_FFFF:016x}"

    def _envelope(  # noqa: PLR0913 - one argument a part
        self,
        recording: Recording,
        seq: int,
        kind: str,
        time: int,
        mode: str,
        payload: StartPayload | EndPayload | ErrorPayload | EmitPayload,
    ) -> Envelope:
        scope = recording.scope
        content = mode if kind == kinds.COAT_EMIT else recording.capture
        return Envelope(
            SPEC,
            kind,
            timestamp(time),
            PRODUCER.id,
            seq,
            self._ids(recording),
            Subject(
                (scope.agent_id if scope else "") or self._agent_id,
                (scope.agent_role if scope else "") or self._agent_role,
                _FRAMEWORK,
                __version__,
            ),
            CaptureMode(mode, content),
            payload,
            Envpod(self.pod_id, PRODUCER.pid),
        )

    def _ids(self, recording: Recording) -> Ids:
        if recording.ids is None:
            recording.ids = self._new_ids(recording)
        return recording.ids

    def _new_ids(self, recording: Recording) -> Ids:
        if not recording.span_context.span_id:  # outside any span
            return Ids(self.session_id_of(recording), self.run_id_of(recording), "", "", "", "")
        span_id = f"{recording.span_context.span_id:016x}"
        return Ids(
            self.session_id_of(recording),
            self.run_id_of(recording),
            f"step_{span_id}",
            f"tr_{recording.span_context.trace_id:032x}",
            f"sp_{span_id}",
            f"sp_{recording.parent_span_id:016x}" if recording.parent_span_id else "",
        )

    def _preview(self, recording: Recording) -> Preview:
        if recording.input is not None:
            arguments = recording.input.get()
            return Preview(
                [self._show(value) for value in arguments.positional],
                {name: self._show(value) for name, value in arguments.keywords.items()},
            )
        operation = _operation(recording)
        value = operation.readable_input if operation is not None else None
        return Preview([self._cut(value)] if value else [], {})

    def _result(self, recording: Recording) -> str:
        if recording.output is not None:
            return self._show(recording.output.get())
        operation = _operation(recording)
        return self._cut(operation.readable_output or "") if operation is not None else ""

    def _show(self, value: Tree) -> str:
        return preview(value, self._preview_length)

    def _cut(self, text: str) -> str:
        return cut(text, self._preview_length)

    def _retrieval(self, operation: Operation | None, recording: Recording) -> Retrieval | msgspec.UnsetType:
        if operation is None or recording.taxonomy is None or recording.taxonomy.tag != "retrieval":
            return msgspec.UNSET
        found = operation.retrieval
        if found is None:
            return msgspec.UNSET
        return Retrieval(self._cut(found.query) if found.query else None, len(found.documents) or None)


def _operation(recording: Recording) -> Operation | None:
    return None if recording.operation is None else recording.operation.get()


def _llm(operation: Operation | None, recording: Recording) -> Llm | msgspec.UnsetType:
    if operation is None or recording.taxonomy is None or recording.taxonomy.end_kind != kinds.AGENT_LLM_RESPONSE:
        return msgspec.UNSET
    usage = operation.usage or Usage()
    first_chunk = operation.time_to_first_chunk
    return Llm(
        operation.provider,
        operation.request_model,
        operation.response_model,
        operation.response_id,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.reasoning_tokens,
        list(operation.finish_reasons) or None,
        None if first_chunk is None else round(first_chunk * 1000, 3),
    )


def _tool(operation: Operation | None, recording: Recording) -> Tool | msgspec.UnsetType:
    if operation is None or operation.tool is None or recording.taxonomy is None:
        return msgspec.UNSET
    if recording.taxonomy.end_kind != kinds.AGENT_TOOL_RESULT:
        return msgspec.UNSET
    return Tool(operation.tool.name, operation.tool.call_id)
