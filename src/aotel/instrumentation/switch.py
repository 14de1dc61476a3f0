"""Instrumentation on and off, by the names of libraries."""

from __future__ import annotations

import importlib
import logging
import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

import wrapt
from opentelemetry.instrumentation.dependencies import get_dependency_conflicts

from aotel import settings as environment
from aotel.calls import PORT
from aotel.errors import ConfigurationError
from aotel.instrumentation.gate import ask_by_code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.instrumentation.library import Library, LibraryInstrumentor

_logger = logging.getLogger("aotel")

INSTRUMENTORS: Final = {
    "openai": "aotel.instrumentation.openai:OpenAIInstrumentor",
    "anthropic": "aotel.instrumentation.anthropic:AnthropicInstrumentor",
    "litellm": "aotel.instrumentation.litellm:LiteLLMInstrumentor",
    "mcp": "aotel.instrumentation.mcp:McpInstrumentor",
}
"""By the name of the library, where its instrumentor is; as in the entry points."""

_ALL: Final = "all"

_awaited: set[str] = set()  # not imported yet, and neither is what instruments them
_hooked: set[str] = set()
_off: set[str] = set()  # by the program's own word


def supported() -> tuple[str, ...]:
    """Return the names of the libraries that can be instrumented."""
    return tuple(INSTRUMENTORS)


def libraries() -> tuple[Library, ...]:
    """Return what is instrumented of each library; none of them is imported."""
    return tuple(_instrumentor(name).library for name in INSTRUMENTORS)


def instrumented() -> tuple[str, ...]:
    """Return the names of the libraries that are instrumented, or will be once they are imported."""
    return tuple(name for name in INSTRUMENTORS if _is_on(name) or (name in _awaited and _is_installed(name)))


def instrument(*names: str) -> None:
    """Instrument libraries: at once where they are imported already, else when they are.

    `AOTEL_INSTRUMENT`, where it is set to something else than `all`, has the last word.

    Args:
        names: which ones; none of them is every supported library that is installed.

    Raises:
        TypeError: a name is no text.
        ConfigurationError: a name is not one of `supported()`.
    """
    _check(names)
    ask_by_code()
    allowed = environment.load().instrument
    for name in names or INSTRUMENTORS:
        _off.discard(name)
        if name in allowed or _ALL in allowed:
            _switch_on(name)


def uninstrument(*names: str) -> None:
    """Take the instrumentation of libraries off again, exactly; streams that are open are recorded to their end.

    Args:
        names: which ones; none of them is all.

    Raises:
        TypeError: a name is no text.
        ConfigurationError: a name is not one of `supported()`.
    """
    _check(names)
    for name in names or INSTRUMENTORS:
        _off.add(name)
        _awaited.discard(name)
        if _is_on(name):
            _instrumentor(name).uninstrument()


def follow_settings(names: Iterable[str]) -> None:
    """Instrument what the environment, or `configure`, says; what the program took off itself stays off.

    Args:
        names: of libraries; `all` is every supported one.
    """
    asked = tuple(names)
    for name in INSTRUMENTORS:
        if (name in asked or _ALL in asked) and name not in _off:
            _switch_on(name)


def _switch_on(name: str) -> None:
    if name in sys.modules:
        _load(name)
        return
    _awaited.add(name)
    if name not in _hooked:
        _hooked.add(name)
        wrapt.register_post_import_hook(partial(_imported, name), name)


def _imported(name: str, module: object) -> None:
    del module
    if name in _awaited:
        _load(name)


def _load(name: str) -> None:
    _awaited.discard(name)
    try:
        if _is_on(name):
            return
        instrumentor = _instrumentor(name)
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()  # the environment said no then, and may say yes now
        conflict = get_dependency_conflicts(instrumentor.instrumentation_dependencies())
        if conflict is None:
            instrumentor.instrument(skip_dep_check=True)
        else:
            _logger.warning("aotel: %s is not instrumented: %s", name, conflict)
    except Exception as error:  # noqa: BLE001 - the program goes on without spans of this library
        PORT.report(f"instrumentation of {name}", error)


def _instrumentor(name: str) -> LibraryInstrumentor:
    module, _, attribute = INSTRUMENTORS[name].partition(":")
    instrumentor: LibraryInstrumentor = getattr(importlib.import_module(module), attribute)()
    return instrumentor


def _is_on(name: str) -> bool:
    module, _, attribute = INSTRUMENTORS[name].partition(":")
    found = getattr(sys.modules.get(module), attribute, None)
    return found is not None and bool(found().is_active)


def _is_installed(name: str) -> bool:
    return name in sys.modules or find_spec(name) is not None


def _check(names: tuple[str, ...]) -> None:
    for name in names:
        if not isinstance(name, str):
            msg = f"a library is named by a string, got {type(name).__name__}: {name!r:.80}"
            raise TypeError(msg)
        if name not in INSTRUMENTORS:
            msg = f"aotel instruments {', '.join(INSTRUMENTORS)}; it does not know {name!r:.80}"
            raise ConfigurationError(msg)
