"""How users say what is written of their own types."""

from __future__ import annotations

from functools import singledispatch
from typing import Final


class _NotDescribed:
    """The type of `NOT_DESCRIBED`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOT_DESCRIBED"


NOT_DESCRIBED: Final = _NotDescribed()


@singledispatch
def describe(value: object) -> object:
    """Return what to write of a value instead of it; register a function for each type of yours.

    What the function returns is walked, redacted and bounded like any other content. If it raises, the type's name is
    written. Exact builtin types (`dict`, `str`, …) are not asked for; their subclasses are.

    Example:
        >>> @describe.register
        ... def _(order: Order) -> object:
        ...     return {"number": order.number, "lines": len(order.lines)}

    Args:
        value: a value of a type for which nothing is registered.

    Returns:
        `NOT_DESCRIBED`.
    """
    del value
    return NOT_DESCRIBED
