"""Makes text fit to be written anywhere: what could steer a terminal, or reorder a line, is shown and not obeyed."""

from __future__ import annotations

import unicodedata
from typing import Final

ELLIPSIS: Final = "…"
_MARKS: Final = 3  # that one character may carry: more of them paint over the lines around it
_SHORT: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_PLANE: Final = 0x1_0000  # beyond it, JSON takes two escapes
_SELECTORS: Final = range(0xFE00, 0xFE10)  # ask for a picture in place of a character, of another width


def clean_text(text: str, limit: int | None = None) -> str:
    r"""Return a text on one line and without anything that is obeyed: every other character is written as it is.

    Control characters (C0, C1, DEL), line separators, bidirectional and other invisible format characters, private and
    lone surrogate ones become visible escapes (`\x1b`, `\u202e`, `\n`); any space becomes a plain one. Markup such as
    `[red]` is text like any other, and stays.

    Args:
        text: anything.
        limit: how many characters of the outcome there may be, the "…" of a cut included.
    """
    is_cut = limit is not None and len(text) > limit
    if is_cut:
        text = text[:limit]
    if not (text.isascii() and text.isprintable()):
        text = _escaped(text)
    if limit is not None and (is_cut or len(text) > limit):
        text = text[: max(limit - 1, 0)] + ELLIPSIS[:limit]
    return text


def clean_json(text: str) -> str:
    r"""Return JSON with the same meaning and none of those characters in it, but `\u001b`, `\u009b`, `\u2028`.

    Args:
        text: JSON on one line, whose strings may hold any character.
    """
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else _json_escape(each) for each in text])


def _escaped(text: str) -> str:
    written: list[str] = []
    marks = 0
    for each in text.translate(_TABLE):
        if each.isascii() or not unicodedata.category(each).startswith("M"):
            marks = 0
        else:
            marks += 1
            if marks > _MARKS:
                continue
        written.append(each)
    return "".join(written)


class _Table(dict[int, str]):
    """Of each character that was ever met, what is written for it; there are no more of them than Unicode has."""

    def __missing__(self, code: int) -> str:
        written = self[code] = _shown(chr(code))
        return written


def _shown(character: str) -> str:
    if ord(character) in _SELECTORS:
        return ""
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    if character in _SHORT:
        return _SHORT[character]
    # Lone surrogates and all: `backslashreplace` has no escapes for what ASCII itself can't show.
    return f"\\x{ord(character):02x}" if character.isascii() else character.encode("ascii", "backslashreplace").decode()


def _json_escape(character: str) -> str:
    code = ord(character)
    if code < _PLANE:
        return f"\\u{code:04x}"
    code -= _PLANE
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


_TABLE: Final = _Table()
