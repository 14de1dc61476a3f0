"""Requests and responses as plain values: a copy that nobody else changes, of dicts, lists, texts and numbers."""

from __future__ import annotations

from typing import Any, Final

from aotel.content import to_json

Plain = Any
"""JSON-like: None, bool, int, float, str, list and dict of text keys; what is none of these stays what it is."""

_DEPTH: Final = 24
_NODES: Final = 200_000
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_NOT_GIVEN: Final = frozenset({"NotGiven", "Omit"})
_NODE: Final = 96  # bytes
_LONG: Final = 4_096  # characters
_PLAIN_VALUE: Final[dict[type, Any]] = {str: str.__str__, int: int.__int__, float: float.__float__}


def plain(value: Any) -> Plain:
    """Return a copy of a request or a response as the call has it now; models of pydantic are read field by field.

    Args:
        value: anything. What is beyond 24 levels or 200,000 nodes is left out.
    """
    return _copy(value, [_NODES], 0)


def is_plain(value: Plain) -> bool:
    """Say whether nothing in a copy stayed what it is, but for what stands for a parameter that is not given."""
    cls = type(value)
    if cls is dict:
        return all(type(item) in _SCALARS or is_plain(item) for item in value.values())
    if cls is list:
        return all(type(item) in _SCALARS or is_plain(item) for item in value)
    return cls in _SCALARS or cls.__name__ in _NOT_GIVEN


def size_of(value: Plain) -> int:
    """Return how many characters of text a plain value holds, roughly: what is small counts as nothing."""
    cls = type(value)
    if cls is str:
        return len(value)
    if cls is dict:
        return sum([len(item) if type(item) is str else size_of(item) for item in value.values()])
    if cls is list:
        return sum([size_of(item) for item in value])
    return 0


def weight_of(value: Plain) -> int:
    """Return how many bytes a plain value takes, roughly, with what is made of it to find it again."""
    cls = type(value)
    if cls is str:
        return _NODE + len(value)
    if cls is dict:
        return _NODE + sum([_NODE + weight_of(item) for item in value.values()])
    if cls is list:
        return _NODE + sum([weight_of(item) for item in value])
    return _NODE


def _copy(value: Any, left: list[int], depth: int) -> Plain:
    cls = type(value)
    if cls in _SCALARS:
        return value
    if depth >= _DEPTH or left[0] <= 0:
        return None
    if cls is dict:
        return _copy_dict(value.copy(), left, depth)
    if cls is list or cls is tuple:
        left[0] -= len(value)
        return [item if type(item) in _SCALARS else _copy(item, left, depth + 1) for item in value[:_NODES]]
    fields = _fields_of(value)
    return _unwrapped(value, left, depth) if fields is None else _copy_dict(fields, left, depth)


def _unwrapped(value: Any, left: list[int], depth: int) -> Plain:
    """Return what JSON makes of a value whose type derives from a plain one, such as an enumeration of texts."""
    for kind in (str, int, float):
        if issubclass(type(value), kind):  # `isinstance` asks the value, which may say what it likes
            return _PLAIN_VALUE[kind](value)
    for sequence in (list, tuple):
        if issubclass(type(value), sequence):
            return _copy(list(sequence.__iter__(value)), left, depth)
    return value


def _copy_dict(copied: dict[Any, Any], left: list[int], depth: int) -> Plain:
    left[0] -= len(copied)
    for name, item in copied.items():
        if type(item) not in _SCALARS:
            copied[name] = _copy(item, left, depth + 1)
    return copied


def _fields_of(value: Any) -> dict[Any, Any] | None:
    """Return the stored fields of a model of pydantic, also those that it does not declare; None for anything else."""
    cls = type(value)
    if issubclass(cls, dict):
        return dict(dict.items(value))
    if not (hasattr(cls, "model_fields") or hasattr(cls, "__fields__")):
        return None
    stored = getattr(value, "__dict__", None)
    if not isinstance(stored, dict):
        return None
    extra = getattr(value, "__pydantic_extra__", None)
    return {**stored, **extra} if extra else stored.copy()


def key_of(value: Plain) -> object:
    """Return what stands for a plain value in a memory: equal for equal content, cheap where texts were seen before.

    A long text is stood for by its length and its hash (64 bits, keyed at random a process), so that no memory keeps
    it alive; Python remembers the hash of a text object.
    """
    cls = type(value)
    if cls is str:
        return value if len(value) <= _LONG else (len(value), hash(value))
    if cls is dict:
        return tuple([(name, key_of(item)) for name, item in value.items()])
    if cls is list:
        return ("[]", *map(key_of, value))
    return (cls, value) if cls in _SCALARS else object()  # which is equal to nothing


def text_of(value: Plain) -> str | None:
    """Return a text as it is, and anything else that says something as JSON."""
    if value is None:
        return None
    return value if type(value) is str else to_json(value)
