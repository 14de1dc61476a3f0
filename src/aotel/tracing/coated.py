"""What `coat` returns where a plain closure would not do: a stand-in for the callable that keeps its kind.

A generator's span must have the parent that was current when the generator was made, and a builtin or a partial must
still be picklable: so these are objects that `isinstance` and `inspect` take for what they stand for.
"""

from __future__ import annotations

import copy
import sys
from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Coated:
    """Stands for a callable; calling it runs the traced version.

    Args:
        wrapped: the callable it stands for; attributes are read from and set on it.
        invoke: the traced version.
        rebuild: a picklable callable that makes the same from `wrapped` in another process.
    """

    __slots__ = ("__weakref__", "__wrapped__", "_coat_invoke", "_coat_rebuild")

    def __init__(self, wrapped: Any, invoke: Callable[..., Any], rebuild: Callable[[Any], Any]) -> None:
        object.__setattr__(self, "__wrapped__", wrapped)
        object.__setattr__(self, "_coat_invoke", invoke)
        object.__setattr__(self, "_coat_rebuild", rebuild)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the traced version."""
        return self._coat_invoke(*args, **kwargs)

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self.__wrapped__)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        return getattr(self.__wrapped__, "__doc__", None)

    @property
    def __module__(self) -> str:  # type: ignore[override]
        return getattr(self.__wrapped__, "__module__", None) or ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__wrapped__, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__wrapped__, name)

    def __dir__(self) -> list[str]:
        return dir(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __copy__(self) -> Any:
        return self._around(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._around(copy.deepcopy(self.__wrapped__, memo))

    def _around(self, wrapped: Any) -> Any:
        # What is its own copy, as functions are, has a stand-in that is its own copy.
        return self if wrapped is self.__wrapped__ else self._coat_rebuild(wrapped)

    def __reduce_ex__(self, protocol: object) -> str | tuple[Any, ...]:
        name = getattr(self.__wrapped__, "__qualname__", "")
        if name and resolve(self.__module__, name) is self:
            return str(name)
        return self._coat_rebuild, (self.__wrapped__,)


class CoatedFunction(Coated):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Stands for a function in a class body too: it binds as a method does."""

    __slots__ = ()

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None or isinstance(self.__wrapped__, MethodType):
            return self
        return MethodType(self, instance)


# A class statement gives these two as plain strings, which would hide the properties of the base class.
for _name in ("__doc__", "__module__"):
    setattr(CoatedFunction, _name, Coated.__dict__[_name])


def resolve(module: str, qualified_name: str) -> object:
    """Return what stands under a name in an imported module, or None."""
    found: object = sys.modules.get(module)
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found
