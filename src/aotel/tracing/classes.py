"""A span around each construction of a class, patched in place: it stays the same class."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

from aotel.calls.call import Call, CallSite
from aotel.calls.port import PORT
from aotel.calls.scope import detach

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def trace_class(cls: type[T], site: CallSite) -> type[T]:
    """Put a span around the `__init__` of `cls` and return the same class, so that `except`, `match` and pickle work.

    Raises:
        TypeError: the class cannot be changed (a builtin or extension type).
    """
    original: Callable[..., None] = cls.__init__
    # `object.__init__` refuses arguments once a class has an `__init__` of its own, which from here on it has.
    takes_arguments = original is not object.__init__

    @functools.wraps(original)
    def __init__(self: T, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes that method
        if not PORT.enabled:
            _initialise(self, args, kwargs)
            return
        call = Call(site, (self, *args), kwargs)
        token = otel_context.attach(call.start())
        try:
            _initialise(self, args, kwargs)
        except BaseException as error:
            detach(token)
            call.fail(error)
            raise
        detach(token)
        call.succeed(self)

    def _initialise(self: T, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if takes_arguments or cls.__new__ is object.__new__:
            original(self, *args, **kwargs)

    if not takes_arguments:
        del __init__.__wrapped__  # type: ignore[attr-defined]  # `object`'s signature would hide that of `__new__`
    try:
        cls.__init__ = __init__  # type: ignore[method-assign]
    except (AttributeError, TypeError) as error:
        msg = f"coat() cannot change the class {cls.__qualname__} ({error}); coat a function that constructs it"
        raise TypeError(msg) from error
    return cls
