"""Model calls inside model calls: a framework's instrumentor, two of an SDK and ours see one call; one span counts it.

Whose numbers count:

1. Inside a request to a provider that an instrumentor of ours sees, everything is that request: ours counts. So does
   one around it that is exported, where what is inside isn't.
2. Else the innermost counts, and what is around it leaves its numbers out. Where all that is inside failed before
   anything was counted, a call around it that has numbers keeps them: tokens are never lost.
3. A call that says only at its end what it was leaves its numbers to one around it that has ended, and counted.

An agent or a tool is a boundary: a model that a tool asks is another model than the one that asked for the tool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import SpanKind

from aotel.calls.runs import span_of_run
from aotel.dialects import read
from aotel.envelopes.recording import Inner
from aotel.pipeline import sightings, spans
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.envelopes import Recording
    from aotel.operation import Operation

COUNTED: Final = frozenset({"llm", "embedding"})
"""Operations that have tokens."""
_BOUNDARIES: Final = frozenset({"agent", "delegation", "tool"})
_CHAIN: Final = "CHAIN"
_NUMBERS: Final = ("llm.token_count.", "gen_ai.usage.", "llm.usage.", "llm.cost.")
# By each of these, some backend takes a span for a model call: lists it as one, or works its cost out.
_SIGNS: Final = (
    names.GEN_AI_OPERATION_NAME,
    names.GEN_AI_REQUEST_MODEL,
    names.GEN_AI_RESPONSE_MODEL,
    names.LLM_MODEL_NAME,
    names.LLM_REQUEST_MODEL_NAME,
    names.LLM_RESPONSE_MODEL_NAME,
    names.LLM_REQUEST_TYPE,
    names.EMBEDDING_MODEL_NAME,
)


def relate(recording: Recording) -> None:
    """Find the calls around a model call, now that it is known to be one.

    Args:
        recording: of a span that is starting, or that says as it ends what it was.
    """
    tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
    if tag not in COUNTED:
        return
    recording.is_request = _is_request(recording)
    _enclose(recording, tag)
    outers: list[Recording] = []
    for outer in recording.ancestors():
        around = outer.taxonomy
        if _is_boundary(outer):
            break
        if around is None and not outer.mapped:
            outers.append(outer)  # it may say yet that it is one
        elif around is not None and around.tag == tag:
            if (
                outer.is_request
                or outer.counted_outside
                or outer.counted
                or _is_sampled(outer) > _is_sampled(recording)
            ):
                recording.counted_outside = True
            elif not outer.mapped:
                outers.append(outer)
            break
    for outer in outers:
        _inner(outer, tag).open.add(recording)
    recording.outers = tuple(outers)


def _is_boundary(outer: Recording) -> bool:
    """Say whether a span is an agent or a tool, as far as it has said by now."""
    tag = None if outer.taxonomy is None else outer.taxonomy.tag
    if outer.taxonomy is None and outer.said:
        operation = read(outer.said)
        tag = None if operation is None else operation.op
    return tag in _BOUNDARIES


def _is_sampled(recording: Recording) -> bool:
    return recording.span_context.trace_flags.sampled


def _enclose(recording: Recording, tag: str) -> None:
    """Take what began after a span, though before it was made, for what is inside it."""
    for seen in recording.began_before:
        if seen.tag != tag:
            continue
        inside = seen.recording() if seen.open else None
        of_outer = _inner(recording, tag)
        if inside is not None:
            inside.outers = (*inside.outers, recording)
            of_outer.open.add(inside)
        of_outer.counted = of_outer.counted or seen.counted
    recording.began_before = ()


def relate_to_unattached(span: Any, recording: Recording) -> None:
    """Take the LangChain run that a span starts in, or an instrumentor's span that is not current, for its parent.

    It is, where it is nearer than the parent that the span has.

    Args:
        span: it is starting.
        recording: of the span, a model call.
    """
    # A request of ours was started inside the run: see `aotel.instrumentation.runs`.
    run = None if _is_request(recording) else spans.recording_of(span_of_run())
    for outer in (run, sightings.around(span, recording)):
        if outer is None or outer is recording or outer.mapped:
            continue
        if recording.parent is None or recording.parent.start_time < outer.start_time:
            recording.parent = outer


def _is_request(recording: Recording) -> bool:
    return recording.call is not None and recording.call.site.kind is SpanKind.CLIENT


def settle(recording: Recording, *, counts: bool) -> None:
    """Decide whether a span that ends leaves its numbers to another one.

    Args:
        recording: of the span.
        counts: whether it has numbers itself.
    """
    tag = recording.taxonomy.tag if recording.taxonomy is not None else ""
    inner = recording.inner.get(tag) if recording.inner else None
    if inner is not None:
        recording.leaves_numbers = inner.counts or not counts
    if recording.counted_outside:
        recording.leaves_numbers = True
    recording.counted = counts or recording.counted_outside or (inner is not None and inner.counts)
    if recording.sighting is not None:
        recording.sighting.open, recording.sighting.counted = False, recording.counted
    for outer in recording.outers:
        of_outer = _inner(outer, tag)
        of_outer.counted = of_outer.counted or recording.counted
        of_outer.open.discard(recording)
    recording.outers = ()


def leave_numbers(operation: Operation, attributes: dict[str, AttributeValue]) -> None:
    """Take off a span what counts it as a model call; what went in and came out, and what else it said, stays."""
    operation.kind_override = _CHAIN
    operation.operation_name = None
    operation.request_model = operation.response_model = None
    operation.input_messages = operation.output_messages = ()
    take_signs_off(attributes)
    if names.OPENINFERENCE_SPAN_KIND in attributes:
        attributes[names.OPENINFERENCE_SPAN_KIND] = _CHAIN


def take_signs_off(attributes: dict[str, AttributeValue]) -> None:
    """Remove what a backend would count, or take for a sign that there is something to be counted."""
    for name in [name for name in attributes if name.startswith(_NUMBERS) or name in _SIGNS]:
        del attributes[name]


def _inner(outer: Recording, tag: str) -> Inner:
    inner = outer.inner
    if inner is None:
        # One of two threads wins; both then use the same dict.
        inner = outer.__dict__.setdefault("inner", {})
    return inner.setdefault(tag, Inner())
