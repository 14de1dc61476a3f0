"""Indexed attribute families: `llm.input_messages.3.message.role` is item 3 of `llm.input_messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.values import MAX_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["grouped", "has_family", "items"]

_LONGEST_INDEX = 9
"""Digits. An index only says an order, so that gaps and giants cost nothing; beyond this, nobody counts."""

Items = dict[int, dict[str, object]]


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


def _add(found: Items, key: str, value: object) -> None:
    index, _, rest = key.partition(".")
    if rest and len(index) <= _LONGEST_INDEX and index.isascii() and index.isdigit():
        number = int(index)
        item = found.get(number)
        if item is None:
            found[number] = {rest: value}
        else:
            item[rest] = value


def _in_order(found: Items) -> list[dict[str, object]]:
    return [found[index] for index in sorted(found)[:MAX_ITEMS]]
