"""Standard output of `aotel audit`: lines for people and programs, for whoever reads as long as they like."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

import click

from aotel.view.clean_text import clean_json, clean_text

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_GUIDES: Final = ("├─ ", "└─ ", "│  ", "   ")
_PLAIN_GUIDES: Final = ("|- ", "`- ", "|  ", "   ")
_DUMB: Final = frozenset({"", "dumb", "unknown"})


class Output:
    """Writes lines; who stops reading ends the command, and that is no error.

    Args:
        at_once: whether somebody waits for each line.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self._stream = sys.stdout
        self._at_once = at_once or self._stream.isatty()
        self._is_unicode = _can_write(self._stream, "├─…é")
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(errors="backslashreplace")
        self.has_colour = (
            self._stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "xterm") not in _DUMB
        )
        self.middle, self.last, self.beside, self.below = _GUIDES if self._is_unicode else _PLAIN_GUIDES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BrokenPipeError):
            self._leave()
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._leave()

    def line(self, text: str) -> None:
        """Write a line, whose parts are clean."""
        self._stream.write(f"{text}\n")
        if self._at_once:
            self._stream.flush()

    def json(self, text: str) -> None:
        """Write a line of JSON."""
        self.line(clean_json(text) if self._is_unicode else _ascii_json(text))

    def paint(self, text: str, *, fg: str | None = None, bold: bool = False, dim: bool = False) -> str:
        """Return a text in a colour, where there are colours."""
        if not self.has_colour or not (fg or bold or dim):
            return text
        return click.style(text, fg=fg, bold=bold or None, dim=dim or None)

    def _leave(self) -> None:
        """End where nobody reads any more, without Python's complaint at its own end."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
        raise SystemExit(0)


def say(text: str) -> None:
    """Tell the person at the terminal, whatever is in the text."""
    click.echo(clean_text(text), err=True)


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _ascii_json(text: str) -> str:
    """Return JSON on one line with escapes for all that is not ASCII; what is not stands in strings only."""
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[place : place + 2], "big") for place in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)  # noqa: PLR2004
