"""The audit hook: one for the life of the process, because Python takes none back, and empty when nobody watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    Handler: TypeAlias = Callable[[tuple[Any, ...]], None]

_handlers: dict[str, Handler] = {}
_strict: set[str] = set()
_installed = False


def watch(handlers: Mapping[str, Handler], strict: Collection[str] = ()) -> None:
    """Have events handled from now on, those alone.

    Args:
        handlers: what handles an event, by the event's name.
        strict: events that don't go on when their handler raises, whatever it raises: a program that has used up its
            stack must not get around its policy. For others, what a handler raises is lost.
    """
    global _installed
    # In place: the hook looks up in this very dictionary.
    for event in _handlers.keys() - handlers.keys():
        del _handlers[event]
    _strict.intersection_update(strict)
    _strict.update(strict)
    _handlers.update(handlers)
    if handlers and not _installed:
        _installed = True
        sys.addaudithook(_make_hook())


def _make_hook() -> Callable[[str, tuple[Any, ...]], None]:
    # In a closure: at the interpreter's end globals of modules become None, and the hook is still called.
    handler_of, strict, ordinary = _handlers.get, _strict, Exception

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        handler = handler_of(event)
        if handler is not None:
            try:
                handler(arguments)
            except ordinary:
                if event in strict:
                    raise

    return hook
