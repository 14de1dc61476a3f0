"""The registry's data model: what an entry of `registry/*.yaml` may say, and the checks it must pass."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Stability = Literal["stable", "development"]
Phase = Literal["start", "end", "error", "emit"]
Scalar = str | int | float | bool
T = TypeVar("T", bound="Entry")

FIELD_TYPES = frozenset({"string", "int", "number", "boolean", "any", "kind", "payload"})
CONTAINER_TYPE = re.compile(r"(?:list|map)\[(\w+)\]")
SIMPLE_TYPES = frozenset({"string", "int", "double", "boolean", "string[]", "int[]", "double[]", "boolean[]", "any"})
FAMILY_TYPE = re.compile(r"(template|indexed)\[([a-z_\[\]]+)\]")
ATTRIBUTE_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)*")


class RegistryError(Exception):
    """The registry is wrong; each line of the message is `file: id: what is wrong`."""


class Entry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whatever the registry defines; `file` is where."""

    id: str
    file: str = ""


class Members(msgspec.Struct, forbid_unknown_fields=True):
    """Type of an attribute with well-known values."""

    members: list[str]


class Attribute(Entry, kw_only=True):
    """One attribute, as OpenTelemetry's registry has it, and our `content`, `source` and `constant`."""

    type: str | Members
    brief: str
    examples: list[Scalar | list[Scalar]] = []
    stability: Stability | None = None
    deprecated: str | None = None
    source: str | None = None
    content: bool = False
    constant: str | None = None

    @property
    def symbol(self) -> str:
        """Name of the constant in Python."""
        return self.constant or self.id.upper().replace(".", "_")

    @property
    def family(self) -> bool:
        """Whether the id is a prefix: `id.<key>` or `id.<index>.<leaf>`."""
        return isinstance(self.type, str) and FAMILY_TYPE.fullmatch(self.type) is not None

    @property
    def type_name(self) -> str:
        """The type as people read it."""
        return self.type if isinstance(self.type, str) else "string"


class AttributeGroup(Entry, kw_only=True):
    """Attributes of one source; an `element_group` holds the leaves of an `indexed[element]` family."""

    type: Literal["attribute_group", "element_group"]
    display_name: str
    brief: str
    source: str
    stability: Stability
    attributes: list[Attribute] = []
    element: str | None = None


class Variable(Entry, kw_only=True):
    """One environment variable."""

    type: Literal["string", "path", "int", "boolean", "enum", "list", "patterns", "secret"]
    brief: str
    aliases: list[str] = []
    default: str | None = None
    members: list[str] = []
    minimum: int | None = None
    examples: list[str] = []


class EnvironmentGroup(Entry, kw_only=True):
    """Variables of one origin."""

    display_name: str
    brief: str
    variables: list[Variable] = []


class Operation(Entry, kw_only=True):
    """One member of `Op`."""

    brief: str
    start: str
    openinference: str
    aliases: list[str] = []
    end: str | None = None
    genai: str | None = None


class Value(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What one value of another vocabulary's attribute means."""

    value: str
    operation: str
    nested: str | None = None


class Reading(Entry, kw_only=True):
    """How an attribute of a foreign span, `id`, names the operation."""

    values: list[Value]


class Kind(Entry, kw_only=True):
    """One kind of envelope."""

    brief: str
    core: bool


class Field(Entry, kw_only=True):
    """One field of an object in an envelope; `kinds`, when not empty, says which envelopes may carry it."""

    brief: str
    type: str
    const: Scalar | None = None
    members: list[Scalar] = []
    pattern: str | None = None
    minimum: int | None = None
    min_length: int | None = None
    required: bool = True
    kinds: list[str] = []
    examples: list[Any] = []

    @property
    def inner_type(self) -> str:
        """What a list or map consists of, else the type itself."""
        container = CONTAINER_TYPE.fullmatch(self.type)
        return container.group(1) if container else self.type


class EnvelopeObject(Entry, kw_only=True):
    """One object of the envelope; `open` ones may carry fields that are not listed.

    A payload names its `phase`.
    """

    brief: str
    fields: list[Field] = []
    open: bool = False
    phase: Phase | None = None


class Metric(Entry, kw_only=True):
    """One metric that aotel has of itself."""

    brief: str
    instrument: Literal["counter", "updowncounter", "histogram"]
    unit: str
    attributes: list[str] = []


class Rule(Entry, kw_only=True):
    """A condition over several fields, as JSON Schema, on envelopes of all or some `phases`."""

    brief: str
    rule: dict[str, Any]
    phases: list[Phase] = []


class Registry(msgspec.Struct, kw_only=True):
    """Everything that the registry says, in the order of its files and entries."""

    groups: list[AttributeGroup] = []
    environment: list[EnvironmentGroup] = []
    objects: list[EnvelopeObject] = []
    operations: list[Operation] = []
    readings: list[Reading] = []
    kinds: list[Kind] = []
    metrics: list[Metric] = []
    rules: list[Rule] = []

    @property
    def attributes(self) -> Iterator[Attribute]:
        """Attributes that stand on spans, events or resources: not the leaves of families."""
        return (attribute for group in self.groups if group.element is None for attribute in group.attributes)


def convert(value: object, kind: type[T], file: str, problems: list[str]) -> T | None:
    """Return `value` as a `kind`, or note in `problems` what is wrong with it."""
    label = value.get("id") if isinstance(value, dict) else None
    try:
        entry = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(f"{file}: {label or '(no id)'}: {error}")
        return None
    entry.file = file
    if getattr(entry, "brief", "-").strip() == "":
        problems.append(f"{file}: {label}: the brief is empty")
    return entry


def decode(path: Path, problems: list[str]) -> dict[str, Any]:
    """Return the sections of one file."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        problems.append(f"{path.name}: (file): {' '.join(str(error).split())}")
        return {}
