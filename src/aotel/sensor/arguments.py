"""What an event's arguments say, read without running a line of theirs: they may be objects of any class."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

_mro: Any = type.__dict__["__mro__"].__get__
_attributes: Any = type.__dict__["__dict__"].__get__

ARGUMENTS: Final = 64
"""Arguments of a command that are told at most."""
ARGUMENT: Final = 16_384
"""Characters of an argument that are looked at: what lies beyond is never told, so no secret in it is either."""


def text(value: Any) -> str | None:
    """Return a path, a host or a command as text; None for what is none, or could only say so by code of its own.

    Args:
        value: what was passed: str, bytes and their kin, and pathlib's own paths, can be read.
    """
    kind = type(value)
    if issubclass(kind, str):
        return value if kind is str else str.__str__(value)
    if issubclass(kind, (bytes, bytearray)):
        base = bytes if issubclass(kind, bytes) else bytearray
        return os.fsdecode(bytes(base.__getitem__(value, slice(None))))
    if kind is memoryview:
        return os.fsdecode(bytes(value))
    pathlib = sys.modules.get("pathlib")
    if pathlib is not None and (kind is pathlib.PosixPath or kind is pathlib.WindowsPath):
        path: str = os.fspath(value)
        return path
    return None


def number(value: Any) -> int | None:
    """Return an integer, None for what is none."""
    kind = type(value)
    if issubclass(kind, int):
        whole: int = value if kind is int else int.__index__(value)
        return whole
    return None


def is_path_like(value: Any) -> bool:
    """Say whether a value's class says that it is a path; a class that is not asked can't lie."""
    return any("__fspath__" in _attributes(base) for base in _mro(type(value)))


def items(value: Any) -> tuple[object, ...] | None:
    """Return what a tuple or a list holds, None for anything else."""
    kind = type(value)
    if kind is tuple or kind is list:
        return tuple(value)
    if issubclass(kind, tuple):
        return tuple.__getitem__(value, slice(None))
    if issubclass(kind, list):
        return tuple(list.__getitem__(value, slice(None)))
    return None


def command(value: Any) -> tuple[str, ...]:
    """Return a command line as a tuple of texts; what can't be read is written as `?`.

    Args:
        value: a list or tuple of arguments, or one text.
    """
    found = items(value)
    parts = (value,) if found is None else found[:ARGUMENTS]
    return tuple("?" if (part := text(each)) is None else part[:ARGUMENT] for each in parts)
