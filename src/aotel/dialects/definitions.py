"""Definitions of tools: GenAI's one JSON array, against the providers' own shapes that OpenInference carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.flatten import FamilyNames
from aotel.dialects.json_text import decode, embed, encode, encode_all, fields, objects, said, source
from aotel.dialects.values import MAX_ITEMS, text
from aotel.operation import ToolDefinition
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from opentelemetry.util.types import AttributeValue

    from aotel.dialects.json_text import Fields

__all__ = ["read_definitions", "read_flat_definitions", "write_definitions", "write_flat_definitions"]

_NAMES = FamilyNames(names.LLM_TOOLS)

_KNOWN = frozenset({"type", "name", "description", "parameters", "input_schema", "function"})


def read_definitions(value: object) -> tuple[ToolDefinition, ...]:
    """The definitions of `gen_ai.tool.definitions`, JSON text or structured; what is none is passed over."""
    found = (_definition(each) for each in objects(source(value))[:MAX_ITEMS])
    return tuple([definition for definition in found if definition is not None])


def write_definitions(definitions: Sequence[ToolDefinition]) -> str:
    """JSON text of definitions as the GenAI schema has them."""
    return encode_all(definitions, "genai", _tree)


def read_flat_definitions(entries: Iterable[Mapping[str, object]]) -> tuple[ToolDefinition, ...]:
    """The definitions of `llm.tools`, from its items: a JSON schema in any provider's shape, and what stands beside."""
    found = (_flat_definition(entry) for entry in entries)
    return tuple([definition for definition in found if definition is not None])


def write_flat_definitions(definitions: Iterable[ToolDefinition], out: dict[str, AttributeValue]) -> None:
    """Adds definitions to attributes, in OpenAI's shape, which is what viewers of OpenInference expect."""
    for index, definition in zip(range(MAX_ITEMS), definitions, strict=False):
        remembered = definition.remembered
        schema = None if remembered is None else remembered.get("openinference")
        if not isinstance(schema, str):
            schema = encode(_flat_tree(definition))
            if remembered is not None:
                remembered["openinference"] = schema
        out[_NAMES[index][names.TOOL_JSON_SCHEMA]] = schema


def _flat_definition(entry: Mapping[str, object]) -> ToolDefinition | None:
    schemas = objects(source(entry.get(names.TOOL_JSON_SCHEMA)))
    name = text(entry.get(names.TOOL_NAME))
    description = text(entry.get(names.TOOL_DESCRIPTION))
    definition = _definition(schemas[0]) if schemas else None
    if definition is None:
        return None if name is None else ToolDefinition(name, description=description)
    definition.name = name or definition.name
    definition.description = description or definition.description
    return definition


def _tree(definition: ToolDefinition) -> dict[str, object]:
    return {"type": definition.type, **_described(definition)}


def _flat_tree(definition: ToolDefinition) -> dict[str, object]:
    described = _described(definition)
    return {"type": definition.type, **({"function": described} if definition.type == "function" else described)}


def _described(definition: ToolDefinition) -> dict[str, object]:
    found: dict[str, object] = {"name": definition.name}
    if definition.description is not None:
        found["description"] = definition.description
    if definition.parameters is not None:
        found["parameters"] = embed(definition.parameters)
    if definition.others is not None:
        found.update((key, value) for key, value in definition.others.items() if key not in _KNOWN)
    return found


def _definition(found: Fields) -> ToolDefinition | None:
    """A definition in any of the shapes; None where it has no name and no kind."""
    facts = {**found, **fields(found.get("function"))}
    kind = said(found, "type") or "function"
    name = said(facts, "name") or (None if kind == "function" else kind)
    if name is None:
        return None
    others = {key: decode(bytes(raw).decode()) for key, raw in facts.items() if key not in _KNOWN}
    return ToolDefinition(
        name,
        kind,
        said(facts, "description"),
        said(facts, "parameters", "input_schema"),
        others or None,
    )
