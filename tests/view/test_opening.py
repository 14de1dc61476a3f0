"""Which form there is on which stream."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import struct
import termios
from typing import TYPE_CHECKING, TextIO

import pytest

from aotel.errors import ConfigurationError
from aotel.view import Level, open_view
from tests.view.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

_ENVIRON = {"TERM": "xterm-256color"}


@contextlib.contextmanager
def open_terminal(columns: int = 80, rows: int = 24, encoding: str = "utf-8") -> Iterator[TextIO]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    try:
        with os.fdopen(slave, "w", encoding=encoding) as stream:
            yield stream
    finally:
        os.close(master)


@pytest.mark.parametrize(
    ("environ", "columns", "rows", "form", "reason"),
    [
        (_ENVIRON, 80, 24, "rich", ""),
        (_ENVIRON, 60, 8, "rich", ""),
        ({**_ENVIRON, "NO_COLOR": ""}, 80, 24, "rich", ""),  # by its standard an empty one counts as none
        ({**_ENVIRON, "NO_COLOR": "1"}, 80, 24, "simple", "NO_COLOR is set"),
        ({"TERM": "dumb"}, 80, 24, "simple", "the terminal is of the type dumb"),
        ({"TERM": "unknown"}, 80, 24, "simple", "the terminal is of the type unknown"),
        ({}, 80, 24, "simple", "the terminal is of the type (none)"),
        (_ENVIRON, 59, 24, "simple", "the terminal has 59 columns and 24 rows, less than 60 and 8"),
        (_ENVIRON, 80, 7, "simple", "the terminal has 80 columns and 7 rows, less than 60 and 8"),
    ],
)
def test_the_rich_form_needs_a_terminal_that_is_up_to_it(
    environ: dict[str, str], columns: int, rows: int, form: str, reason: str
) -> None:
    with open_terminal(columns, rows) as stream:
        view = open_view("rich", stream=stream, environ=environ)
        view.close(None)
    assert (view.form, view.reason) == (form, reason)


def test_what_is_no_terminal_gets_lines() -> None:
    for stream in (io.StringIO(), io.TextIOWrapper(io.BytesIO())):
        view = open_view("rich", stream=stream, environ=_ENVIRON)
        assert (view.form, view.reason) == ("simple", "the output is no terminal")


def test_an_encoding_that_python_does_not_know_gets_lines() -> None:
    class Odd(io.TextIOWrapper):
        encoding = "klingon"

    with open_terminal() as stream:
        odd = Odd(io.BytesIO())
        odd.fileno = stream.fileno  # type: ignore[method-assign]
        view = open_view("rich", stream=odd, environ=_ENVIRON)
        view.close(None)
    assert (view.form, view.reason) == ("simple", "the encoding of the output, 'klingon', is unknown")


@pytest.mark.parametrize("form", ["simple", "json", "off"])
def test_other_forms_are_what_was_asked_for(form: str) -> None:
    view = open_view(form, stream=io.StringIO(), environ={"NO_COLOR": "1", "TERM": "dumb"})
    view.close(None)
    assert (view.form, view.reason) == (form, "")


def test_there_is_no_other_form() -> None:
    with pytest.raises(ConfigurationError, match="a view is one of rich, simple, json, off, got 'html'"):
        open_view("html", level=Level.INFO)


def test_without_rich_there_are_lines_and_nothing_imports_it_unasked() -> None:
    program = """
import sys
from aotel.view import open_view
view = open_view("simple"); view.close(None)
assert "rich" not in sys.modules
sys.path[:] = [path for path in sys.path if "site-packages" not in path]
import importlib; importlib.invalidate_caches()
view = open_view("rich"); view.close(None)
print(view.form, view.reason)
"""
    with terminal(program, columns=120) as seen:
        assert seen.finish() == 0
        assert "simple the package rich is not installed: pip install 'aotel[cli]'" in seen.everything
