"""The `summary` mode: the shape of a value, without any value or key of it."""

from __future__ import annotations

from collections import deque
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from aotel.content.arrays import array_reader
from aotel.content.records import record_reader
from aotel.content.type_facts import mro_of, type_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.content.modes import Tree

_MOST_ELEMENTS: Final = 10_000
_MOST_TYPES: Final = 16
_LARGEST: Final = 2**63 - 1
_DICT: type[dict[Any, Any]] = dict
_SEQUENCES: tuple[type[Any], ...] = (list, tuple, set, frozenset, deque)
_SIZED: tuple[type[Any], ...] = (str, bytes, bytearray)


def summary_of(value: object) -> dict[str, Tree]:
    """Return the shape of a value.

    Args:
        value: anything; none of its own code runs.

    Returns:
        `type`; the `length` of a text or a sequence; the number of `keys` of a mapping or of fields of a record; the
        types of `values` and `items`; the `range` of the numbers in a sequence, if there are two or more; the
        `shape` of an array.
    """
    cls = type(value)
    try:
        return {"type": type_name(cls), **_facts(value, cls)}
    except Exception:  # noqa: BLE001 - the type can always be told
        return {"type": type_name(cls)}


def _facts(value: Any, cls: type) -> dict[str, Tree]:
    bases = mro_of(cls)
    for base in _SIZED:
        if base in bases:
            return {"length": base.__len__(value)}
    if dict in bases:
        return {"keys": _DICT.__len__(value), "values": _types(_first(_DICT.values(value)))}
    for base in _SEQUENCES:
        if base in bases:
            elements = _first(base.__iter__(value))
            facts: dict[str, Tree] = {"length": base.__len__(value), "items": _types(elements)}
            return facts | _range(elements, facts["length"])
    return _object_facts(value, cls)


def _object_facts(value: object, cls: type) -> dict[str, Tree]:
    fields = record_reader(cls)
    if fields is not None:
        stored = fields(value)
        return {"keys": len(stored), "values": _types(list(stored.values()))}
    array = array_reader(cls)
    return {} if array is None else {"shape": list(array(value).shape)}


def _first(elements: Iterable[object]) -> list[object]:
    return list(islice(elements, _MOST_ELEMENTS))


def _types(elements: list[object]) -> list[Tree]:
    return sorted(map(type_name, set(map(type, elements))))[:_MOST_TYPES]  # type: ignore[return-value]


def _range(elements: list[Any], length: Tree) -> dict[str, Tree]:
    numbers = [element for element in elements if type(element) is int or type(element) is float]
    if len(numbers) < 2 or len(elements) != length:  # noqa: PLR2004
        return {}
    lowest, highest = min(numbers), max(numbers)
    in_json = all(-_LARGEST <= number <= _LARGEST and isfinite(number) for number in (lowest, highest, sum(numbers)))
    return {"range": [lowest, highest]} if in_json else {}
