"""Builds the JSON Schema of envelopes out of the registry's objects, kinds and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vocabulary import EnvelopeObject, Field, Registry

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ROOT_OBJECT = "envelope"
JSON_TYPES: dict[str, Schema] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "any": {},
    "payload": {"type": "object"},
}
FACETS = {"minimum": "minimum", "min_length": "minLength", "pattern": "pattern", "const": "const"}


def build_schema(registry: Registry) -> Schema:
    """Return the schema of one envelope (JSON Schema 2020-12)."""
    objects = {entry.id: entry for entry in registry.objects}
    root = objects.pop(ROOT_OBJECT)
    kinds = [kind.id for kind in registry.kinds]
    spec = next(field.const for field in root.fields if field.id == "spec")
    return {
        "$schema": DIALECT,
        "$id": f"urn:{str(spec).replace('/', ':')}",
        "title": f"AOT envelope, {spec}",
        **_object(root, kinds),
        "allOf": [*_phases(registry), *_kinds_of_fields(registry), *_rules(registry, None)],
        "$defs": {
            **{name: _object(entry, kinds) for name, entry in objects.items()},
            **{f"{o.phase}_envelope": _phase(o, registry) for o in registry.objects if o.phase},
        },
    }


def phases(registry: Registry) -> dict[str, list[str]]:
    """Return the kinds by what they mark: a start, an end, either of them, an error, something emitted."""
    starts = {op.start for op in registry.operations}
    ends = {op.end or op.start for op in registry.operations}
    order = [kind.id for kind in registry.kinds]
    return {
        "start": [kind for kind in order if kind in starts - ends],
        "end": [kind for kind in order if kind in ends - starts],
        "either": [kind for kind in order if kind in starts & ends],
        "error": ["coat.error"],
        "emit": ["coat.emit"],
    }


def _object(entry: EnvelopeObject, kinds: list[str]) -> Schema:
    return {
        "description": entry.brief,
        "type": "object",
        "properties": {field.id: _field(field, kinds) for field in entry.fields},
        "required": [field.id for field in entry.fields if field.required],
        **({} if entry.open else {"additionalProperties": False}),
    }


def _field(field: Field, kinds: list[str]) -> Schema:
    schema: Schema = {"description": field.brief, **_type(field)}
    if field.type == "kind":
        schema["enum"] = kinds
    if field.members:
        schema["enum"] = field.members
    schema |= {facet: value for name, facet in FACETS.items() if (value := getattr(field, name)) is not None}
    if field.examples:
        schema["examples"] = field.examples
    return schema


def _type(field: Field) -> Schema:
    inner = JSON_TYPES["string"] if field.inner_type == "kind" else JSON_TYPES.get(field.inner_type)
    if inner is None:
        inner = {"$ref": f"#/$defs/{field.inner_type}"}
    if field.type.startswith("list["):
        return {"type": "array", "items": inner}
    if field.type.startswith("map["):
        return {"type": "object", "additionalProperties": inner}
    return inner


def _phase(entry: EnvelopeObject, registry: Registry) -> Schema:
    return {
        "properties": {"payload": {"$ref": f"#/$defs/{entry.id}"}},
        "allOf": list(_rules(registry, entry.phase)),
    }


def _phases(registry: Registry) -> Iterator[Schema]:
    """Say which kinds mark which phase; of kinds that mark a start and an end, `payload.ok` marks the end."""
    for phase, kinds in phases(registry).items():
        if phase == "either":
            has_ok = {"properties": {"payload": {"required": ["ok"]}}}
            yield _if_kind(kinds, {"if": has_ok, "then": _reference("end"), "else": _reference("start")})
        else:
            yield _if_kind(kinds, _reference(phase))


def _kinds_of_fields(registry: Registry) -> Iterator[Schema]:
    for entry in registry.objects:
        for field in entry.fields:
            if field.kinds and entry.phase:
                others = [kind for kind in _kinds_of_phase(registry, entry.phase) if kind not in field.kinds]
                absent = {"properties": {"payload": {"properties": {field.id: False}}}}
                yield _if_kind(others, absent)


def _kinds_of_phase(registry: Registry, phase: str) -> list[str]:
    by_phase = phases(registry)
    return by_phase[phase] + (by_phase["either"] if phase in {"start", "end"} else [])


def _rules(registry: Registry, phase: str | None) -> Iterator[Schema]:
    for rule in registry.rules:
        if (phase in rule.phases) if phase else not rule.phases:
            yield {"description": rule.brief, **rule.rule}


def _if_kind(kinds: list[str], then: Schema) -> Schema:
    return {"if": {"properties": {"kind": {"enum": kinds}}}, "then": then}


def _reference(phase: str) -> Schema:
    return {"$ref": f"#/$defs/{phase}_envelope"}
