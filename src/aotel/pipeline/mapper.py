"""What happens to a span as it ends: content made clean, the operation read, and said in every vocabulary asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aotel.content import Deferred
from aotel.dialects import fit, missing, read
from aotel.operation import Operation
from aotel.pipeline import spans
from aotel.pipeline.cleaning import clean_strings
from aotel.pipeline.common import add_own_attributes, scope_attributes
from aotel.pipeline.foreign_errors import failure_of
from aotel.pipeline.mapping import operation_of, texts_of
from aotel.pipeline.nesting import leave_numbers, relate, settle, take_signs_off
from aotel.pipeline.simple import SimpleCall, map_later
from aotel.semconv import attributes as names
from aotel.semconv.operations import lookup

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

    from aotel.calls import Call
    from aotel.envelopes import Recording
    from aotel.pipeline.pipeline import Pipeline

_AGENTS = frozenset({"agent", "delegation"})
_FIRST = (names.OPENINFERENCE_SPAN_KIND, names.GEN_AI_OPERATION_NAME)


def operation_at_start(
    attributes: dict[str, AttributeValue], recording: Recording, pipeline: Pipeline
) -> Operation | None:
    """Return what a foreign span says it does as it starts, clean; None where it doesn't say yet."""
    clean = dict(attributes)
    spans.update(clean, pipeline.policy.default.attributes(attributes) or {})
    if pipeline.facts.hiding:
        pipeline.facts.hiding.apply(clean)
    return _read(clean, recording)


def map_span(span: Any, recording: Recording, pipeline: Pipeline) -> None:
    """Make a span's content clean and add what the vocabularies asked for can say of its operation."""
    attributes = spans.attribute_dict(span)
    if attributes is None:
        return
    if recording.call is None:
        _map_foreign(span, attributes, recording, pipeline)
        return
    if not _is_simple(span, attributes, recording):
        _map_own(span, attributes, recording, pipeline)
    else:
        if recording.outers or recording.sighting is not None:
            settle(recording, counts=recording.is_request)
        map_later(span, attributes, SimpleCall(recording, recording.call, pipeline.facts), recording)


def _is_simple(span: Any, attributes: dict[str, AttributeValue], recording: Recording) -> bool:
    """Say whether nobody but us had a hand in a span of ours, and there is nothing special to say of it."""
    call = recording.call
    return (
        call is not None
        and call.site.own_attributes == len(attributes)
        and recording.failure is None
        and recording.inner is None
        and not recording.counted_outside
        and spans.is_plain(span)
        and recording.name == span.name
    )


def _map_own(span: Any, attributes: dict[str, AttributeValue], recording: Recording, pipeline: Pipeline) -> None:
    call = recording.call
    if call is None:
        return
    failure = recording.failure
    clean_strings(span, call.capture, pipeline, own_status=failure is not None and failure.outcome is None)
    _say_of_call(span, attributes, recording, call, pipeline)


def attributes_of_call(recording: Recording, call: Call, pipeline: Pipeline) -> dict[str, AttributeValue]:
    """Return what is to be said of a call of ours that ended, where its span can only be given attributes."""
    attributes = dict(call.site.attributes)
    _say_of_call(None, attributes, recording, call, pipeline)
    return attributes


def _say_of_call(
    span: Any, attributes: dict[str, AttributeValue], recording: Recording, call: Call, pipeline: Pipeline
) -> None:
    touched = call.site.own_attributes != len(attributes)
    if touched:
        spans.update(attributes, call.capture.attributes(attributes) or {})
        if pipeline.facts.hiding:
            pipeline.facts.hiding.apply(attributes)
    operation = operation_of(recording, texts_of(recording, call))
    if touched:
        operation = _merge(_read(attributes, recording), operation)
    _say(span, attributes, recording, operation, pipeline)


def _map_foreign(span: Any, attributes: dict[str, AttributeValue], recording: Recording, pipeline: Pipeline) -> None:
    capture = pipeline.policy.default
    spans.update(attributes, capture.attributes(attributes) or {})
    if pipeline.facts.hiding:
        pipeline.facts.hiding.apply(attributes)
    clean_strings(span, capture, pipeline, own_status=False)
    operation = _read(attributes, recording)
    if operation is None:
        if recording.scope is not None:
            _add(span, attributes, scope_attributes(recording.scope))
        return
    if recording.taxonomy is None:
        recording.taxonomy = lookup(operation.op)
        relate(recording)
    recording.failure = failure_of(span, attributes)
    if recording.failure is not None:
        ended = recording.failure
        operation.error_type = (operation.error_type or ended.qualified_type) if ended.outcome is None else None
    _say(span, attributes, recording, operation, pipeline)


def _say(
    span: Any, attributes: dict[str, AttributeValue], recording: Recording, operation: Operation, pipeline: Pipeline
) -> None:
    recording.operation = Deferred.known(operation)
    settle(recording, counts=operation.usage is not None)
    if recording.leaves_numbers:
        leave_numbers(operation, attributes)
    said = missing(attributes, operation, pipeline.facts.dialects, limit=spans.value_length_limit(span))
    # First what a backend needs most: a span that may have few attributes keeps the first ones.
    added = {name: said.pop(name) for name in _FIRST if name in said}
    if recording.scope is not None:
        added.update(scope_attributes(recording.scope))
    add_own_attributes(added, recording, recording.call, pipeline.facts)
    added.update(said)
    if recording.leaves_numbers:
        take_signs_off(added)
    if pipeline.facts.hiding:
        pipeline.facts.hiding.apply(added)
    _add(span, attributes, added)
    fit(attributes)


def _read(attributes: dict[str, AttributeValue], recording: Recording) -> Operation | None:
    inside_agent = any(outer.taxonomy is not None and outer.taxonomy.tag in _AGENTS for outer in recording.ancestors())
    return read(attributes, name=recording.name, root=recording.parent_span_id == 0, inside_agent=inside_agent)


def _merge(said: Operation | None, ours: Operation) -> Operation:
    """Return what the span's attributes say, completed by what the call itself knows."""
    if said is None:
        return ours
    for field in fields(Operation):
        if getattr(said, field.name) in (None, ()):
            setattr(said, field.name, getattr(ours, field.name))
    return said


def _add(span: Any, attributes: dict[str, AttributeValue], added: dict[str, AttributeValue]) -> None:
    limit = spans.room(span)
    for name, value in added.items():
        if limit is not None and len(attributes) >= limit:
            return
        attributes.setdefault(name, value)
