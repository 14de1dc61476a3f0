"""Checks that the parts of the registry fit together: nothing twice, nothing that refers to nothing."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from vocabulary import ATTRIBUTE_ID, FAMILY_TYPE, FIELD_TYPES, SIMPLE_TYPES, Members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vocabulary import Attribute, EnvelopeObject, Field, Registry

OPENINFERENCE_KIND = "openinference.span.kind"
GENAI_OPERATION = "gen_ai.operation.name"


def check(registry: Registry) -> list[str]:
    """Return one line `file: id: what is wrong` for every problem."""
    return list(
        chain(
            _duplicates(registry),
            _attributes(registry),
            _operations(registry),
            _readings(registry),
            _environment(registry),
            _metrics(registry),
            _envelope(registry),
        )
    )


def _duplicates(registry: Registry) -> Iterator[str]:
    # leaves of families have short names that several families share; a constant of their own tells them apart
    attributes = [(a.constant or a.id, a) for group in registry.groups for a in group.attributes]
    yield from _twice((name, a.file) for name, a in attributes)
    once = dict(reversed(attributes)).values()
    yield from _twice((a.symbol, a.file) for a in reversed(once))
    yield from _twice((g.id, g.file) for g in registry.groups)
    yield from _twice((v.id, v.file) for group in registry.environment for v in group.variables)
    yield from _twice((k.id, k.file) for k in registry.kinds)
    yield from _twice((m.id, m.file) for m in registry.metrics)
    yield from _twice((name, op.file) for op in registry.operations for name in (op.id, *op.aliases))
    yield from _twice((o.id, o.file) for o in registry.objects)
    for entry in registry.objects:
        yield from _twice((f.id, f.file) for f in entry.fields)


def _metrics(registry: Registry) -> Iterator[str]:
    known = {attribute.id for attribute in registry.attributes}
    for metric in registry.metrics:
        if not ATTRIBUTE_ID.fullmatch(metric.id):
            yield f"{metric.file}: {metric.id}: not a dotted lower-case name"
        for name in metric.attributes:
            if name not in known:
                yield f"{metric.file}: {metric.id}: has the attribute {name}, which is not defined"


def _twice(names: Iterable[tuple[str, str]]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, file in names:
        if name in seen:
            yield f"{file}: {name}: defined before, in {seen[name]}"
        seen.setdefault(name, file)


def _attributes(registry: Registry) -> Iterator[str]:
    elements = {group.element for group in registry.groups if group.element}
    for attribute in (a for group in registry.groups for a in group.attributes):
        if not ATTRIBUTE_ID.fullmatch(attribute.id):
            yield f"{attribute.file}: {attribute.id}: not a dotted lower-case name"
        if (problem := _attribute_type(attribute, elements)) is not None:
            yield f"{attribute.file}: {attribute.id}: {problem}"


def _attribute_type(attribute: Attribute, elements: set[str]) -> str | None:
    if isinstance(attribute.type, Members):
        return None if attribute.type.members else "no members"
    if attribute.type in SIMPLE_TYPES:
        return None
    family = FAMILY_TYPE.fullmatch(attribute.type)
    if family is None:
        return f"unknown type {attribute.type!r}"
    shape, inner = family.groups()
    if shape == "template" and inner not in SIMPLE_TYPES:
        return f"unknown type {inner!r} in {attribute.type!r}"
    if shape == "indexed" and inner not in elements:
        return f"no element group {inner!r}"
    return None


def _members(registry: Registry, name: str) -> list[str]:
    types = [a.type for a in registry.attributes if a.id == name]
    return types[0].members if types and isinstance(types[0], Members) else []


def _operations(registry: Registry) -> Iterator[str]:
    kinds = {kind.id for kind in registry.kinds}
    genai, openinference = _members(registry, GENAI_OPERATION), _members(registry, OPENINFERENCE_KIND)
    for op in registry.operations:
        for kind in {op.start, op.end or op.start} - kinds:
            yield f"{op.file}: {op.id}: no kind {kind!r}"
        if op.genai is not None and op.genai not in genai:
            yield f"{op.file}: {op.id}: {op.genai!r} is no member of {GENAI_OPERATION}"
        if op.openinference not in openinference:
            yield f"{op.file}: {op.id}: {op.openinference!r} is no member of {OPENINFERENCE_KIND}"


def _readings(registry: Registry) -> Iterator[str]:
    operations = {op.id for op in registry.operations}
    for reading in registry.readings:
        members = _members(registry, reading.id)
        for value in reading.values:
            if value.value not in members:
                yield f"{reading.file}: {reading.id}: {value.value!r} is none of its members"
            for operation in {value.operation, value.nested or value.operation} - operations:
                yield f"{reading.file}: {reading.id}: no operation {operation!r}"
        for member in set(members) - {value.value for value in reading.values} - {"unknown"}:
            yield f"{reading.file}: {reading.id}: the member {member!r} has no operation"


def _environment(registry: Registry) -> Iterator[str]:
    for variable in (v for group in registry.environment for v in group.variables):
        defaults = [] if variable.default is None else variable.default.split(",")
        if variable.members and not set(defaults) <= set(variable.members):
            yield f"{variable.file}: {variable.id}: the default {variable.default!r} is none of its members"
        if variable.type == "enum" and not variable.members:
            yield f"{variable.file}: {variable.id}: no members"


def _envelope(registry: Registry) -> Iterator[str]:
    objects = {entry.id: entry for entry in registry.objects}
    for entry in registry.objects:
        for field in entry.fields:
            if (problem := _field_type(field, objects)) is not None:
                yield f"{entry.file}: {entry.id}.{field.id}: {problem}"


def _field_type(field: Field, objects: dict[str, EnvelopeObject]) -> str | None:
    inner = field.inner_type
    return None if inner in FIELD_TYPES or inner in objects else f"unknown type {field.type!r}"
