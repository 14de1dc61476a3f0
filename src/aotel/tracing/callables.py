"""What a callable is made of: the function inside partials and methods, and the code that runs when it is called."""

from __future__ import annotations

import functools
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import CodeType


def innermost(fn: Any) -> Any:
    """Return what is inside a partial, or inside partials of partials."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn


def code_of(fn: Any) -> CodeType | None:
    """Return the code that runs when `fn` is called, or None for what is not written in Python."""
    fn = innermost(fn)
    if isinstance(fn, MethodType):
        return code_of(fn.__func__)
    if isinstance(fn, FunctionType):
        return fn.__code__
    call = getattr(type(fn), "__call__", None)  # noqa: B004 - which function it is, not whether there is one
    return call.__code__ if isinstance(call, FunctionType) else None
