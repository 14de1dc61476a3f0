"""Content that is taken in the call and written later: a frozen copy now, redaction and encoding on another thread.

Justified by the row "coat, redacted" of the benchmarks: redaction costs more than the span itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.content.capture import Arguments, Capture
    from aotel.content.modes import Tree

T = TypeVar("T")

_DEPTH: Final = 10
_NODES: Final = 2_000
_WRITTEN_AT_ONCE: Final = 32_768  # characters that such content is taken for: it may be long, but was cut
_IMMUTABLE: Final = frozenset({int, float, bool, type(None)})


class Deferred(Generic[T]):
    """A value that is made on first use, by whichever thread asks first; two that ask at once make the same.

    Args:
        make: makes the value.
        args: for `make`; let go of once the value is made.
    """

    __slots__ = ("_args", "_make", "_value", "size")

    def __init__(self, make: Callable[..., T] | None, *args: Any, size: int = 0) -> None:
        self._make = make
        self._args = args
        self._value: T | None = None
        self.size = size
        """How much it keeps from being freed, roughly, in characters."""

    @classmethod
    def known(cls, value: T, size: int = 0) -> Deferred[T]:
        """Return one whose value is there already."""
        found = cls(None, size=size)
        found._value = value
        return found

    def get(self) -> T:
        """Return the value."""
        args = self._args  # before `_make`, which is let go of first
        make = self._make
        if make is not None:
            self._value = make(*args)
            self._make = None
            self._args = ()
        return cast("T", self._value)


class _NotSimpleError(Exception):
    """A value is more than plain containers of plain scalars: it has to be read in the call."""


def defer_value(capture: Capture, value: object, limit: int) -> Deferred[Tree]:
    """Take a value as it is now, to be written by `capture` later.

    Args:
        capture: how it is written.
        value: anything; what is not made of plain containers and scalars is written at once.
        limit: characters of a text that may wait; what is longer is cut at once, so that a queue stays small.
    """
    try:
        freezer = _Freezer(limit)
        return Deferred(capture.value, freezer.freeze(value), size=freezer.size)
    except _NotSimpleError:
        return Deferred.known(capture.value(value), _WRITTEN_AT_ONCE)


def defer_arguments(
    capture: Capture, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any], limit: int
) -> Deferred[Arguments]:
    """Take the arguments of a call as they are now, to be written by `capture` later; see `defer_value`."""
    size = -1 if kwargs else _size_of_scalars(args)
    if 0 <= size <= limit:
        return Deferred(capture.arguments, names, args, kwargs, size=size)
    try:
        freezer = _Freezer(limit)
        freeze = freezer.freeze
        frozen = tuple([freeze(value) for value in args])
        named = {name: freeze(value) for name, value in kwargs.items()} if kwargs else kwargs
        return Deferred(capture.arguments, names, frozen, named, size=freezer.size)
    except _NotSimpleError:
        return Deferred.known(capture.arguments(names, args, kwargs), _WRITTEN_AT_ONCE)


def _size_of_scalars(values: tuple[Any, ...]) -> int:
    """Return how many characters of text values hold that need no copy, or -1 where one of them does."""
    size = 0
    for value in values:
        cls = type(value)
        if cls is str:
            size += len(value)
        elif cls not in _IMMUTABLE:
            return -1
    return size


class _Freezer:
    """Copies plain containers, within bounds; scalars and texts are immutable already."""

    __slots__ = ("_left", "_limit", "size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = _NODES
        self.size = 0

    def freeze(self, value: Any, depth: int = 0) -> Any:
        """Return a copy that nobody else changes.

        Raises:
            _NotSimpleError: it holds something else, or too much.
        """
        cls = type(value)
        if cls is str:
            self.size += len(value)
            if len(value) > self._limit:
                raise _NotSimpleError
            return value
        if cls in _IMMUTABLE:
            return value
        if cls is dict:
            return self._freeze_dict(value, depth)
        if cls is list:
            return self._freeze_items(value.copy(), depth)
        if cls is tuple:
            return tuple(self._freeze_items(list(value), depth))
        raise _NotSimpleError

    # A copy is made in one step under the interpreter's lock: no other thread can change the container under way.
    # Leaves are looked at in place, since a call for each of them would cost more than all the rest.

    def _freeze_dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        copied = value.copy()
        self._enter(len(copied), depth)
        for name, item in copied.items():
            if type(name) is not str:
                raise _NotSimpleError
            cls = type(item)
            if cls is str:
                self.size += len(item)
                if len(item) > self._limit:
                    raise _NotSimpleError
            elif cls not in _IMMUTABLE:
                copied[name] = self.freeze(item, depth + 1)
        return copied

    def _freeze_items(self, copied: list[Any], depth: int) -> list[Any]:
        self._enter(len(copied), depth)
        for index, item in enumerate(copied):
            cls = type(item)
            if cls is str:
                self.size += len(item)
                if len(item) > self._limit:
                    raise _NotSimpleError
            elif cls not in _IMMUTABLE:
                copied[index] = self.freeze(item, depth + 1)
        return copied

    def _enter(self, nodes: int, depth: int) -> None:
        self._left -= nodes
        if self._left < 0 or depth >= _DEPTH:
            raise _NotSimpleError
