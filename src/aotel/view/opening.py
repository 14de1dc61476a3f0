"""Which form a view takes: the one that was asked for, if what it is shown on is up to it."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from aotel.errors import ConfigurationError
from aotel.view.events import Level
from aotel.view.plain import JsonView, SimpleView
from aotel.view.sink import Sink
from aotel.view.views import Off

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from aotel.view.views import View

FORMS: Final = ("rich", "simple", "json", "off")
NARROWEST: Final = 60
"""Columns that the rich form needs."""
LOWEST: Final = 8
"""Rows, likewise."""
_NEW_WINDOWS: Final = ("WT_SESSION", "ConEmuANSI", "TERM_PROGRAM")


def open_view(
    form: str,
    *,
    level: Level = Level.INFO,
    stream: TextIO | None = None,
    title: str = "",
    environ: Mapping[str, str] | None = None,
) -> View:
    """Return a view.

    Args:
        form: "rich", "simple", "json" or "off"; instead of the rich form there is the simple one where the stream is
            no terminal, or none that is up to it. The view's `form` and `reason` say so.
        level: the least that is shown, in every form alike.
        stream: what to write to; standard error if None.
        title: what is run.
        environ: where `NO_COLOR`, `TERM` and their like stand; the process's own environment if None.

    Raises:
        ConfigurationError: there is no such form.
    """
    if check_form(form) == "off":
        return Off()
    sink = Sink(sys.stderr if stream is None else stream)
    if form == "json":
        return JsonView(sink, level, title)
    variables = os.environ if environ is None else environ
    reason = why_not_rich(sink, variables) if form == "rich" else ""
    if form == "simple" or reason:
        return SimpleView(sink, level, title, reason)
    from aotel.view.live.live_view import LiveView

    return LiveView(sink, level, title, variables)


def check_form(form: str) -> str:
    """Return a form.

    Raises:
        ConfigurationError: there is no such form.
    """
    if form not in FORMS:
        raise ConfigurationError(f"a view is one of {', '.join(FORMS)}, got {form!r:.80}")
    return form


def why_not_rich(sink: Sink, environ: Mapping[str, str]) -> str:
    """Return why a sink gets no rich view, in words; "" if it gets one."""
    terminal = environ.get("TERM", "")
    if sink.descriptor is None or not sink.is_terminal:
        return "the output is no terminal"
    if environ.get("NO_COLOR"):
        return "NO_COLOR is set"
    if terminal.lower() in {"", "dumb", "unknown"} and os.name != "nt":
        return f"the terminal is of the type {terminal or '(none)'}"
    if os.name == "nt" and not any(environ.get(name) for name in _NEW_WINDOWS):
        return "the terminal is one of old Windows"
    return _too_small(sink.descriptor) or _cannot_draw(sink.encoding)


def _too_small(descriptor: int) -> str:
    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(descriptor)
        if columns < NARROWEST or rows < LOWEST:
            return f"the terminal has {columns} columns and {rows} rows, less than {NARROWEST} and {LOWEST}"
    return ""


def _cannot_draw(encoding: str) -> str:
    try:
        "".encode(encoding, "backslashreplace")
    except LookupError:
        return f"the encoding of the output, {encoding!r:.40}, is unknown"
    return "" if find_spec("rich") else "the package rich is not installed: pip install 'aotel[cli]'"
