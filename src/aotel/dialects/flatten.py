"""Indexed attribute families: `llm.input_messages.3.message.role` is item 3 of `llm.input_messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.values import MAX_ITEMS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["has_family", "items"]

_LONGEST_INDEX = 9
"""Digits. An index only says an order, so that gaps and giants cost nothing; beyond this, nobody counts."""


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
    found: dict[int, dict[str, object]] = {}
    for key, value in attributes.items():
        if key.startswith(prefix):
            index, _, rest = key[start:].partition(".")
            if rest and len(index) <= _LONGEST_INDEX and index.isascii() and index.isdigit():
                found.setdefault(int(index), {})[rest] = value
    return [found[index] for index in sorted(found)[:MAX_ITEMS]]


def has_family(attributes: Mapping[str, object], family: str) -> bool:
    """Whether a span already holds an item of a family, so that another's items would mix with it."""
    prefix = f"{family}."
    return any(key.startswith(prefix) for key in attributes)
