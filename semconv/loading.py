"""Reads `registry/*.yaml` into one `Registry`; `checks` then looks at how its parts fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import checks
from vocabulary import (
    Attribute,
    AttributeGroup,
    Entry,
    EnvelopeObject,
    EnvironmentGroup,
    Field,
    Kind,
    Metric,
    Operation,
    Reading,
    Registry,
    RegistryError,
    Rule,
    Variable,
    convert,
    decode,
)

if TYPE_CHECKING:
    from pathlib import Path


class Section(NamedTuple):
    """What an entry of a section is, and what its children are."""

    entry: type[Entry]
    child: type[Entry] | None = None
    children: str = ""


SECTIONS = {
    "groups": Section(AttributeGroup, Attribute, "attributes"),
    "environment": Section(EnvironmentGroup, Variable, "variables"),
    "objects": Section(EnvelopeObject, Field, "fields"),
    "operations": Section(Operation),
    "readings": Section(Reading),
    "kinds": Section(Kind),
    "metrics": Section(Metric),
    "rules": Section(Rule),
}


def read_registry(folder: Path) -> Registry:
    """Read every YAML file of `folder`.

    Raises:
        RegistryError: Something is wrong; the message names every problem, one a line.
    """
    problems: list[str] = []
    registry = Registry()
    for path in sorted(folder.glob("*.yaml")):
        for name, entries in decode(path, problems).items():
            section = SECTIONS.get(name)
            if section is None or not isinstance(entries, list):
                problems.append(f"{path.name}: {name}: not a section; there are {', '.join(SECTIONS)}")
                continue
            found = [_entry(raw, section, path.name, problems) for raw in entries]
            getattr(registry, name).extend(entry for entry in found if entry is not None)
    if not problems:  # what refers to a broken entry would be reported as a second problem
        problems = checks.check(registry)
    if problems:
        raise RegistryError("\n".join(problems))
    return registry


def _entry(raw: object, section: Section, file: str, problems: list[str]) -> Entry | None:
    if section.child is None or not isinstance(raw, dict):
        return convert(raw, section.entry, file, problems)
    entry = convert({**raw, section.children: []}, section.entry, file, problems)
    raws = raw.get(section.children) or []
    if not raws:
        problems.append(f"{file}: {raw.get('id')}: has no {section.children}")
    children = [convert(item, section.child, file, problems) for item in raws]
    if entry is not None:
        setattr(entry, section.children, [child for child in children if child is not None])
    return entry
