"""The stored fields of dataclasses, attrs classes and pydantic models: what they hold, never what they compute.

A field that its class leaves out of its own `repr` is left out here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.content.type_facts import lookup, stored_fields

if TYPE_CHECKING:
    from collections.abc import Callable

_PYDANTIC_EXTRA: Final = "__pydantic_extra__"


def record_reader(cls: type) -> Callable[[object], dict[str, object]] | None:
    """Return what reads the stored fields of a type's instances; None if it is no dataclass, attrs class or model."""
    # Pydantic 2.10, 2.0 and 1 by turns.
    for attribute in ("__pydantic_fields__", "model_fields", "__fields__", "__dataclass_fields__"):
        fields: dict[str, object] | None = lookup(cls, attribute)
        if type(fields) is dict:
            return _Fields(tuple(name for name, field in fields.items() if _is_shown(field)), attribute)
    attributes: tuple[object, ...] | None = lookup(cls, "__attrs_attrs__")
    if isinstance(attributes, tuple):
        named = [(stored_fields(attribute, ("name",)).get("name"), attribute) for attribute in attributes]
        return _Fields(tuple(name for name, field in named if type(name) is str and _is_shown(field)), "")
    return None


class _Fields:
    """Reads fields of given names.

    Args:
        names: the fields.
        attribute: where the class keeps them: a pydantic model may hold more than it declares.
    """

    __slots__ = ("_extra", "_names")

    def __init__(self, names: tuple[str, ...], attribute: str) -> None:
        self._names = names
        self._extra = attribute in {"__pydantic_fields__", "model_fields"}

    def __call__(self, value: object) -> dict[str, object]:
        found = stored_fields(value, self._names)
        extra = stored_fields(value, (_PYDANTIC_EXTRA,)).get(_PYDANTIC_EXTRA) if self._extra else None
        return {**found, **extra} if type(extra) is dict else found


def _is_shown(field: object) -> bool:
    return stored_fields(field, ("repr",)).get("repr", True) is True
