"""Arrays, tensors and data frames of scientific libraries: written by shape and type of their elements."""

from __future__ import annotations

from types import GetSetDescriptorType, MethodDescriptorType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aotel.content.type_facts import is_where_it_says, lookup, module_of, mro_of, namespace_of, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

# Libraries whose properties of these names are known to be cheap and to compute nothing.
_LIBRARIES: Final = frozenset(
    {"cupy", "jax", "jaxlib", "mlx", "numpy", "pandas", "polars", "tensorflow", "torch", "xarray"}
)
_SCALARS: Final = frozenset({bool, int, float, complex, str, bytes})
_MOST_DIMENSIONS: Final = 64
_LONGEST_DTYPE: Final = 100  # characters


class ArrayFacts(NamedTuple):
    """What is written of an array.

    Attributes:
        shape: its size in each dimension.
        dtype: the type of its elements; empty where it has none of its own, as data frames.
    """

    shape: tuple[int, ...]
    dtype: str


def array_reader(cls: type) -> Callable[[object], ArrayFacts] | None:
    """Return what tells the shape of an array-like type's instances; None if it is none that is known."""
    shape, dtype = _attribute(cls, "shape"), _attribute(cls, "dtype")
    if shape is None or _is_numpy_scalar(cls):
        return None

    def read(value: object) -> ArrayFacts:
        sizes = tuple(int.__index__(size) for size in tuple(shape.__get__(value))[:_MOST_DIMENSIONS])
        return ArrayFacts(sizes, "" if dtype is None else str(dtype.__get__(value))[:_LONGEST_DTYPE])

    return read


def scalar_reader(cls: type) -> Callable[[Any], object] | None:
    """Return what turns a numpy scalar type's instances into Python's own; None if it is none."""
    item = lookup(cls, "item")
    if not _is_numpy_scalar(cls) or type(item) is not MethodDescriptorType:
        return None

    def read(value: object) -> object:
        found = item(value)
        return found if type(found) in _SCALARS else str(found)

    return read


def _is_numpy_scalar(cls: type) -> bool:
    return any(type_name(base) == "numpy.generic" and is_where_it_says(base) for base in mro_of(cls))


def _attribute(cls: type, name: str) -> Any:
    """Return the descriptor of an attribute that a known library defines, in C or as a property; else None."""
    for base in mro_of(cls):
        found = namespace_of(base).get(name)
        if found is not None:
            known = module_of(base).partition(".")[0] in _LIBRARIES and is_where_it_says(base)
            return found if known and type(found) in {GetSetDescriptorType, property} else None
    return None
