"""`coat`: a span around every call of whatever can be called."""

from __future__ import annotations

import functools
import inspect
from types import FunctionType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from aotel.calls.call import CallSite
from aotel.tracing.arguments import check_attributes, check_auto_capture, check_capture, check_name, check_operation
from aotel.tracing.callables import code_of, innermost
from aotel.tracing.classes import trace_class
from aotel.tracing.coated import Coated, CoatedFunction, resolve
from aotel.tracing.functions import trace_coroutine_function, trace_function
from aotel.tracing.generators import trace_async_generator_function, trace_generator_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.semconv.operations import Op

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
C = TypeVar("C", bound="Callable[..., Any]")
F = TypeVar("F")

CaptureMode = Literal["none", "redacted", "hash", "summary", "raw"]


@overload
def coat(op: C, /) -> C: ...
@overload
def coat(op: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
@overload
def coat(
    op: Op | str | None,
    fn: F,
    *,
    type: Op | str | None = None,
    name: str | None = None,
    auto_capture: bool | None = None,
    capture: CaptureMode | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> F: ...
@overload
def coat(
    op: Op | str | None = None,
    fn: None = None,
    *,
    type: Op | str | None = None,
    name: str | None = None,
    auto_capture: bool | None = None,
    capture: CaptureMode | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Callable[[F], F]: ...
def coat(  # noqa: PLR0913 - the public signature
    op: Any = None,
    fn: Any = None,
    *,
    type: Any = None,  # noqa: A002 - the contract's name
    name: str | None = None,
    auto_capture: bool | None = None,
    capture: str | None = None,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Any:
    """Make every call of a callable a span, with its arguments and result, and an envelope at its start and end.

    Works as `@coat`, `@coat()`, `@coat("tool")`, and directly as `coat("tool", existing)`, on plain and async
    functions, generators and async generators, methods, `classmethod` and `staticmethod` in either order, partials,
    builtins, callable objects, and classes (their construction). What it returns has the kind, signature, name and
    pickling of what it was given; results and exceptions pass unchanged.

    Args:
        op: what kind of operation it is: an `Op`, its value, or any tag of your own. None is a step.
        fn: the callable, where `coat` is not used as a decorator.
        type: another name for `op`.
        name: the span's name; the callable's own (qualified by its class) by default.
        auto_capture: whether to capture the local variables at return.
        capture: how content is written: "none", "redacted", "hash", "summary" or "raw"; what the environment says
            wins over it.
        attributes: span attributes that every call starts with.

    Raises:
        TypeError: an argument has the wrong type, or what is decorated cannot be called.
        ValueError: `capture` is no capture mode.
    """
    if fn is None and not isinstance(op, str) and (callable(op) or isinstance(op, (classmethod, staticmethod))):
        op, fn = None, op
    options = {
        "op": check_operation(op, type),
        "name": check_name(name),
        "auto_capture": check_auto_capture(auto_capture),
        "capture": check_capture(capture),
        "attributes": check_attributes(attributes),
    }
    if fn is not None:
        return _wrap(fn, options)
    return functools.partial(_wrap, options=options)


def _wrap(fn: Any, options: dict[str, Any]) -> Any:
    return decorate(fn, lambda found: call_site(found, options), functools.partial(_wrap, options=options))


def decorate(fn: Any, site_of: Callable[[Any], CallSite], rebuild: Callable[[Any], Any]) -> Any:
    """Return the traced stand-in for a callable, of the same kind; a class is changed in place.

    Args:
        fn: the callable, or a `classmethod` or `staticmethod` around one.
        site_of: says of the callable what its spans have in common.
        rebuild: makes the same from the callable in another process; picklable.

    Raises:
        TypeError: `fn` cannot be called, or is a class that cannot be changed.
    """
    if isinstance(fn, (classmethod, staticmethod)):
        return type(fn)(decorate(fn.__func__, site_of, rebuild))
    if not callable(fn):
        msg = f"what is decorated is something callable, got {type(fn).__name__}: {fn!r:.80}"
        raise TypeError(msg)
    if inspect.isclass(fn):
        return trace_class(fn, site_of(fn))
    return _trace_callable(fn, site_of(fn), rebuild)


def _trace_callable(fn: Any, site: CallSite, rebuild: Callable[[Any], Any]) -> Any:
    code = code_of(fn)
    flags = 0 if code is None else code.co_flags
    stand_in = CoatedFunction if hasattr(type(fn), "__get__") else Coated
    if flags & inspect.CO_ASYNC_GENERATOR:
        return stand_in(fn, trace_async_generator_function(fn, site), rebuild)
    if flags & inspect.CO_GENERATOR and not flags & inspect.CO_ITERABLE_COROUTINE:
        return stand_in(fn, trace_generator_function(fn, site), rebuild)
    trace = trace_coroutine_function if flags & inspect.CO_COROUTINE else trace_function
    if type(fn) is FunctionType and not _stands_elsewhere(fn):
        return trace(fn, site)
    return stand_in(fn, trace(fn, site), rebuild)


def call_site(fn: Any, options: Mapping[str, Any]) -> CallSite:
    """Return the `CallSite` of a callable: its name and parameters, and what the decorator said."""
    parameters = _positional_parameters(fn)
    site = CallSite(
        options["op"],
        options["name"] or display_name(fn),
        capture=options["capture"],
        auto_capture=options["auto_capture"],
        attributes=options["attributes"],
        parameters=parameters,
        skip_first=_is_method(fn, parameters),
    )
    site.templates = {}
    return site


def display_name(fn: Any) -> str:
    """Return the name of a callable, qualified by its class but not by the function it is defined in."""
    inner = innermost(fn)
    name = getattr(inner, "__qualname__", None) or getattr(inner, "__name__", None)
    if not isinstance(name, str):
        name = type(inner).__qualname__
    return name.rpartition("<locals>.")[2]


def _stands_elsewhere(fn: Any) -> bool:
    # A closure under a name that still means the original could not be pickled; a stand-in can.
    return resolve(fn.__module__, fn.__qualname__) is fn


def _positional_parameters(fn: Any) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (ValueError, TypeError):
        return ()
    if inspect.isclass(fn):
        return ("self", *_positional(parameters))
    return _positional(parameters)


def _positional(parameters: Any) -> tuple[str, ...]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(parameter.name for parameter in parameters if parameter.kind in kinds)


def _is_method(fn: Any, parameters: tuple[str, ...]) -> bool:
    if inspect.isclass(fn):
        return True
    qualified_name = getattr(fn, "__qualname__", "")
    in_class = "." in qualified_name.rpartition("<locals>.")[2]
    return isinstance(fn, FunctionType) and in_class and parameters[:1] in {("self",), ("cls",)}
