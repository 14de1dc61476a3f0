"""Dialects: the vocabularies of span attributes that say what an AI operation was, read into and written from one.

A new vocabulary is one file here, and its name in `DIALECTS`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from aotel.dialects import genai, openinference, openllmetry
from aotel.dialects.dialect import begins
from aotel.dialects.limits import cut_all, fit
from aotel.dialects.tags import AGENTS, STEP, TOOLS, placed
from aotel.dialects.values import text
from aotel.operation import Operation
from aotel.semconv import attributes as names
from aotel.semconv.operations import lookup

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Usage

__all__ = ["DIALECTS", "fit", "missing", "read", "write"]

DIALECTS = MappingProxyType(
    {dialect.name: dialect for dialect in (genai.DIALECT, openinference.DIALECT, openllmetry.DIALECT)},
)
"""Every dialect by its name in `AOTEL_DIALECTS`. Where a span speaks several, the first says what the next repeat."""

_SIGNALS = frozenset[str]().union(*(dialect.signals for dialect in DIALECTS.values()))
_PREFIXES = tuple({prefix: None for dialect in DIALECTS.values() for prefix in dialect.prefixes})
_WRITERS = {name: dialect.write for name, dialect in DIALECTS.items()}
_NOTHING: Mapping[str, object] = MappingProxyType({})


def read(
    attributes: Mapping[str, object],
    *,
    name: str = "",
    root: bool = True,
    inside_agent: bool = False,
) -> Operation | None:
    """The operation that a span's attributes describe, in whichever vocabulary, or several at once.

    Values of wrong types, broken JSON and indices out of order or out of bounds are passed over; nothing raises.

    Args:
        attributes: a span's. A plain dict is read faster than the SDK's locking mapping.
        name: the span's name, for operations that have no other: a tool, agent or workflow has its own.
        root: whether the span has no parent: a workflow at a root is a session, elsewhere a step.
        inside_agent: whether the span is inside another agent's: then an agent is a delegation.

    Returns:
        None for a span that is no operation, whatever session it belongs to.
    """
    if _SIGNALS.isdisjoint(attributes) and not begins(attributes, _PREFIXES):
        return None
    spoken = [dialect for dialect in DIALECTS.values() if dialect.speaks(attributes)]
    operation = Operation()
    own = text(attributes.get(names.AOT_OPERATION))
    if own is not None:
        operation.op = lookup(own).tag
    else:
        tags = (tell(attributes) for tell in (*(one.tag for one in spoken), *(one.guess for one in spoken)))
        tag = next((tag for tag in tags if tag is not None), STEP)
        operation.op = placed(tag, root=root, inside_agent=inside_agent)
    for dialect in spoken:
        dialect.read(attributes, operation)
    _settle(operation)
    if operation.name is None:
        operation.name = _entity(operation) or name or None
    return operation


def write(
    operation: Operation,
    dialects: Iterable[str],
    *,
    limit: int | None = None,
) -> dict[str, AttributeValue]:
    """The attributes that describe an operation.

    Args:
        operation: what happened.
        dialects: names of the vocabularies to describe it in; unknown ones are passed over.
        limit: characters a text value may have; None for no limit. JSON stays JSON.
    """
    out: dict[str, AttributeValue] = {}
    for dialect in dialects:
        writer = _WRITERS.get(dialect)
        if writer is not None:
            writer(operation, out, _NOTHING)
    return out if limit is None else cut_all(out, limit)


def missing(
    attributes: Mapping[str, object],
    operation: Operation,
    dialects: Iterable[str],
    *,
    limit: int | None = None,
) -> dict[str, AttributeValue]:
    """What `write` says and a span doesn't say yet: dialects only add.

    Args:
        attributes: the span's. Of a family of indexed names (`llm.input_messages.N.…`) that it has already, nothing is
            added: two sources' items would mix.
        operation: what happened.
        dialects: as for `write`.
        limit: as for `write`.
    """
    out: dict[str, AttributeValue] = {}
    for dialect in dialects:
        writer = _WRITERS.get(dialect)
        if writer is not None:
            writer(operation, out, attributes)
    for name in attributes.keys() & out.keys():
        del out[name]
    return out if limit is None else cut_all(out, limit)


def _entity(operation: Operation) -> str | None:
    """The name of what an operation is an execution of."""
    if operation.op in TOOLS and operation.tool is not None:
        return operation.tool.name
    if operation.op in AGENTS and operation.agent is not None:
        return operation.agent.name
    return None


def _settle(operation: Operation) -> None:
    """Brings what was read into the one form that an operation has."""
    operation.finish_reasons = operation.reasons
    if operation.usage is not None:
        _settle_usage(operation.usage)


def _settle_usage(usage: Usage) -> None:
    cached = (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    if usage.input_tokens is not None and usage.input_tokens < cached:
        # The input can't be less than a part of it: this emitter counts cached tokens apart, as Anthropic's API does.
        usage.input_tokens += cached
    if usage.total_tokens is not None and usage.total_tokens == (usage.input_tokens or 0) + (usage.output_tokens or 0):
        # Says nothing that the sum doesn't, unless one of the two isn't known.
        known = usage.input_tokens is not None and usage.output_tokens is not None
        usage.total_tokens = None if known else usage.total_tokens
