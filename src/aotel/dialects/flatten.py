"""Indexed attribute families: `llm.input_messages.3.message.role` is item 3 of `llm.input_messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from aotel.dialects.values import MAX_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FamilyNames", "ItemNames", "grouped", "has_family", "items", "newest"]

_LONGEST_INDEX = 9
"""Digits. An index only says an order, so that gaps and giants cost nothing; beyond this, nobody counts."""

_MOST_NAMES = 16
"""Names of one item that are remembered; a message of one text has two."""

Items = dict[int, dict[str, object]]

Value = TypeVar("Value")


class ItemNames(dict[str, str]):
    """The names of one item's attributes, by what follows the index: each is put together once.

    Args:
        prefix: what they begin with.
    """

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix

    def __missing__(self, rest: str) -> str:
        name = self._prefix + rest
        if len(self) < _MOST_NAMES:
            self[rest] = name
        return name


class FamilyNames(dict[int, ItemNames]):
    """The names of a family's items by index, for a family that is written with every call; its spans share them.

    Args:
        family: the name before the index, without a final dot.
    """

    __slots__ = ("_family",)

    def __init__(self, family: str) -> None:
        super().__init__()
        self._family = family

    def __missing__(self, index: int) -> ItemNames:
        names = ItemNames(f"{self._family}.{index}.")
        if index < MAX_ITEMS:
            self[index] = names
        return names


def items(attributes: Mapping[str, object], family: str) -> list[dict[str, object]]:
    """The items of a family in the order of their indices, each as what follows the index -> value.

    Args:
        attributes: a span's attributes, or an item of an outer family.
        family: the name before the index, without a final dot.

    Returns:
        At most `MAX_ITEMS` items, the first ones. Indices may be in any order and have gaps: only their order counts.
    """
    prefix = f"{family}."
    start = len(prefix)
    found: Items = {}
    for key, value in attributes.items():
        if key.startswith(prefix):
            _add(found, key[start:], value)
    return _in_order(found)


def grouped(attributes: Mapping[str, object], families: Iterable[str]) -> dict[str, list[dict[str, object]]]:
    """The items of several families in one pass.

    Args:
        attributes: a span's attributes.
        families: names of two parts (`llm.tools`).

    Returns:
        As `items`, for each family of which there are any.
    """
    found: dict[str, Items] = {family: {} for family in families}
    for key, value in attributes.items():
        dot = key.find(".", key.find(".") + 1)
        family = found.get(key[:dot])
        if family is not None:
            _add(family, key[dot + 1 :], value)
    return {family: _in_order(group) for family, group in found.items() if group}


def has_family(attributes: Mapping[str, object], family: str) -> bool:
    """Whether a span already holds an item of a family, so that another's items would mix with it."""
    prefix = f"{family}."
    return any(key.startswith(prefix) for key in attributes)


def newest(attributes: Mapping[str, Value], family: str, keep: int) -> dict[str, Value]:
    """A span's attributes with only so many of a family's items, the last ones, numbered from zero.

    Args:
        attributes: a span's.
        family: the name before the index, without a final dot.
        keep: how many items stay, at least one.
    """
    prefix = f"{family}."
    start = len(prefix)
    found: dict[int, dict[str, Value]] = {}
    kept = {
        name: value
        for name, value in attributes.items()
        if not (name.startswith(prefix) and _add(found, name[start:], value))
    }
    for number, index in enumerate(sorted(found)[-keep:]):
        kept.update((f"{prefix}{number}.{rest}", value) for rest, value in found[index].items())
    return kept


def _add(found: dict[int, dict[str, Value]], key: str, value: Value) -> bool:
    """Adds an attribute to its item, unless its name is none of an item's."""
    index, _, rest = key.partition(".")
    if rest and len(index) <= _LONGEST_INDEX and index.isascii() and index.isdigit():
        number = int(index)
        item = found.get(number)
        if item is None:
            found[number] = {rest: value}
        else:
            item[rest] = value
        return True
    return False


def _in_order(found: Items) -> list[dict[str, object]]:
    return [found[index] for index in sorted(found)[:MAX_ITEMS]]
