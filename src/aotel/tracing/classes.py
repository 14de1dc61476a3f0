"""A span around each construction of a class, patched in place: it stays the same class."""

from __future__ import annotations

import functools
import inspect
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
    complete = "__init__" in cls.__dict__ or _has_fields(cls)

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
        if not complete and _has_fields(cls):
            msg = f"@coat stands below the decorator that makes {cls.__qualname__} a dataclass: put it above"
            raise TypeError(msg)
        if takes_arguments or cls.__new__ is object.__new__:
            original(self, *args, **kwargs)

    if not takes_arguments:
        # `object.__init__` takes anything: the class's own signature stands in `__new__`, or is empty.
        del __init__.__wrapped__
        __init__.__signature__ = _signature_with_self(cls)  # type: ignore[attr-defined]
    try:
        cls.__init__ = __init__  # type: ignore[method-assign,assignment]
    except (AttributeError, TypeError) as error:
        msg = f"coat() cannot change the class {cls.__qualname__} ({error}); coat a function that constructs it"
        raise TypeError(msg) from error
    return cls


def _has_fields(cls: type) -> bool:
    # `dataclass` and `attrs` leave an `__init__` alone that they find in a class, be it the one that coat put there.
    parameters = cls.__dict__.get("__dataclass_params__")
    return (parameters is not None and parameters.init) or "__attrs_attrs__" in cls.__dict__


def _signature_with_self(cls: type) -> inspect.Signature:
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    try:
        signature = inspect.signature(cls)
    except (ValueError, TypeError):
        return inspect.Signature([itself])
    return signature.replace(parameters=[itself, *signature.parameters.values()])
