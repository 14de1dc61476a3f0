"""What a dialect is: one vocabulary of span attributes, with the way into an operation and the way out of it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, TypeVar

from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Operation

__all__ = ["Dialect", "Table", "begins", "fill", "merged"]

Part = TypeVar("Part")

_SILENT = frozenset({names.GEN_AI_PROMPT_NAME, names.GEN_AI_PROMPT_VERSION})
"""Names that look like items of `gen_ai.prompt.N`; spans that fetch a prompt and call no model have them too."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One vocabulary.

    Args:
        name: as in `AOTEL_DIALECTS`.
        signals: attribute names any of which says that a span speaks the vocabulary *and* is an operation. Names that
            appear on every span of a session or workflow (`session.id`, `gen_ai.agent.name`) are none.
        prefixes: beginnings of names that say the same.
        tag: the operation's tag where the vocabulary names it, else None.
        guess: the tag that the rest of the attributes suggests, else None; asked only of spans that speak it.
        read: fills what an operation doesn't say yet.
        write: adds attributes to a dict; the third argument is what the span has already, so that nothing is encoded
            in vain and no two sources mix within one family.
    """

    name: str
    signals: frozenset[str]
    prefixes: tuple[str, ...]
    tag: Callable[[Mapping[str, object]], str | None]
    guess: Callable[[Mapping[str, object]], str | None]
    read: Callable[[Mapping[str, object], Operation], None]
    write: Callable[[Operation, dict[str, AttributeValue], Mapping[str, object]], None]

    def speaks(self, attributes: Mapping[str, object]) -> bool:
        """Whether a span speaks this vocabulary."""
        if not self.signals.isdisjoint(attributes):
            return True
        return begins(attributes, self.prefixes)


_FEW = 24
"""Attributes up to which looking through them once is cheaper than looking for each name of a table."""


class Table:
    """Fields of one part of an operation against attribute names.

    Args:
        rows: field, attribute name, and how to read the attribute's value. Where a field has several rows, the first is
            the current name, which alone is written; the others are read where the ones before are missing.
    """

    __slots__ = ("_blank", "_get", "_known", "_names", "_rows")

    def __init__(self, *rows: tuple[str, str, Callable[[object], object]]) -> None:
        self._rows = rows
        self._known = frozenset(name for _, name, _ in rows)
        current = {field: name for field, name, _ in reversed(rows)}
        self._names = tuple(current.values())
        self._get: Callable[[object], tuple[AttributeValue | None, ...]] = attrgetter(*current)
        readers = {field: read for field, _, read in rows}
        # What reading nothing gives: None, or the empty tuple of a list.
        self._blank = tuple(readers[field](()) for field in current)

    def write(self, part: object, out: dict[str, AttributeValue]) -> None:
        """Adds what a part says to attributes."""
        values = self._get(part)
        if values == self._blank:
            return
        pairs = zip(self._names, values, strict=True)
        out.update({name: value for name, value in pairs if value is not None and value != ()})

    def read(self, attributes: Mapping[str, object]) -> dict[str, object]:
        """The fields that attributes say something about."""
        found: dict[str, object] = {}
        if len(attributes) < _FEW and self._known.isdisjoint(attributes):
            return found
        for field, name, read in self._rows:
            value = attributes.get(name)
            if value is not None and field not in found:
                value = read(value)
                if value is not None and value != ():
                    found[field] = value
        return found


def begins(attributes: Mapping[str, object], prefixes: tuple[str, ...]) -> bool:
    """Whether any attribute's name begins with one of some prefixes, and says more than which prompt was used."""
    for key in attributes:  # noqa: SIM110 - on the hot path of every span there is, and a generator costs twice as much
        if key.startswith(prefixes) and key not in _SILENT:
            return True
    return False


def fill(part: object, found: Mapping[str, object]) -> None:
    """Sets the fields of a part that say nothing yet."""
    for field, value in found.items():
        present = getattr(part, field)
        if present is None or present == ():
            setattr(part, field, value)


def merged(part: Part | None, kind: Callable[[], Part], found: Mapping[str, object]) -> Part | None:
    """A part with the fields found, made if there is something to say; what it says already stays."""
    if not found:
        return part
    if part is None:
        part = kind()
    fill(part, found)
    return part
