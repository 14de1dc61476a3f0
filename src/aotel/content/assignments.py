"""Redaction by name inside a text: `name=value`, `"name": "value"`, `--name value`, headers, pairs, XML, DSNs.

Made for texts that are no JSON, or no longer: messages, stack traces, code, logs, cut or doubly escaped JSON.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.content.marker import starts_with_marker
from aotel.content.names import is_weak

if TYPE_CHECKING:
    from aotel.content.marker import Marker
    from aotel.content.names import Names

_NAME_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_BEFORE: Final = 64  # characters of a name before its secret word
_AFTER: Final = re.compile(r"[\w.-]{0,64}")

# From the end of a name to its value: a quote or bracket that closes it, an annotation of its type, the separator.
_SEPARATOR: Final = re.compile(
    r"(?P<close>\\{0,15}[\"'`]\]?|\]?)[ \t]{0,16}"
    r"(?::[ \t]{0,8}(?:str|bytes|string|String|SecretStr|Any|object|Optional\[\w{1,32}\])(?:[ \t]\|[ \t]None)?[ \t]{0,8}=(?!=)"
    r"|:=|=>|={1,3}|(?P<colon>:)(?!/?/)|%3[aAdD])[ \t]{0,32}"
)
_PAIR_SEPARATOR: Final = re.compile(r"\\{0,15}[\"']\s{0,8},\s{0,8}(?=[bu]?\\{0,15}[\"'])")
_PAIR_OPENER: Final = re.compile(r"[(\[]\s{0,8}[bu]?\\{0,15}[\"']\Z")
_LONGEST_OPENER: Final = 26  # characters
_TAG_END: Final = re.compile(r"(?:\s[^<>]{0,128})?>\s{0,32}")
_OPTION_SEPARATOR: Final = re.compile(r"[\"']?,?[ \t]{1,8}(?=[^\s-])")

_OPENING_QUOTE: Final = re.compile(r"[bBrRuUfF]{0,2}(\\{0,15})(\"\"\"|'''|[\"'`])")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[\s,}\]]|\Z)")
_BRACKETS: Final = {"[": re.compile(r"[\[\]]"), "{": re.compile(r"[{}]")}

# An unquoted value ends at white space, quotes and what separates fields; a comma may be part of it.
_UNQUOTED: Final = re.compile(r"<?(?:[^\s\"'`,;&<>(){}\[\]\\|]|,(?![\s\"'])|\\(?![nrtu\"'\\]))+")
_WHOLE_WORD: Final = re.compile(r"[^\s\"'`]+")
_DSN_VALUE: Final = re.compile(r"[^;\r\n\"'\\]{1,256}(?=;)")
_LINE: Final = re.compile(r"[^\r\n\"'\\]+")
_SCHEME: Final = re.compile(r"(?:bearer|basic|token|apikey|negotiate|ntlm)\s{1,8}", re.IGNORECASE)
_CODE: Final = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_NO_SECRETS: Final = frozenset(
    {
        "any",
        "bool",
        "bytes",
        "false",
        "float",
        "int",
        "lambda",
        "nil",
        "none",
        "null",
        "number",
        "object",
        "str",
        "string",
        "true",
        "undefined",
    }
)
_LEAST_WEAK: Final = 6  # characters of a secret after a colon and a name of prose
_LINE_END: Final = re.compile(r"[ \t]*(?:[\r\n,;}\])]|\\[nr]|\Z)")


class _Place(NamedTuple):
    """Where a value starts.

    Attributes:
        position: of its first character.
        quoted: whether its name stands in quotes, as in JSON.
        colon: whether a colon stands before it, as in prose.
    """

    position: int
    quoted: bool
    colon: bool


def may_assign(text: str) -> bool:
    """Say whether a text has what stands between a name and its value: a look that is cheaper than lower case."""
    return ":" in text or "=" in text or "</" in text or "--" in text or '",' in text or "'," in text or "%3" in text


def scrub_assignments(text: str, lowered: str, names: Names, marker: Marker) -> str:
    """Return a text with a marker for each value that has a secret name.

    Args:
        text: any text; the work is linear in its length.
        lowered: the same in lower case, character by character.
        names: tells which names are secret.
        marker: makes the markers.
    """
    pieces: list[str] = []
    written = 0
    for start, end in _secret_words(lowered, names.needles):
        if start < written:
            continue
        span = _value_of(text, start, end, names)
        if span is None or span[0] < written or span[0] >= span[1] or starts_with_marker(text, span[0]):
            continue
        pieces += (text[written : span[0]], marker.seal(text[span[0] : span[1]]))
        written = span[1]
    return "".join((*pieces, text[written:])) if pieces else text


def _secret_words(lowered: str, needles: tuple[str, ...]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for needle in needles:
        start = lowered.find(needle)
        while start >= 0:
            end = start + len(needle)
            found.append((start, end))
            start = lowered.find(needle, end)
    found.sort()
    return found


def _value_of(text: str, start: int, end: int, names: Names) -> tuple[int, int] | None:
    """Return where the value is whose name holds the word at a position; None where there is none, or no secret."""
    after = _AFTER.match(text, end)
    if after is not None:
        end = after.end()
    before = text[max(0, start - _LONGEST_BEFORE) : start]
    start -= len(before) - len(before.rstrip(_NAME_CHARACTERS))
    if start and text[start - 1] == "\\" and text[start] in "nrtbf":
        start += 1  # the letter of an escaped line break is no part of the name
    name = text[start:end]
    place = _place_of_value(text, start, end)
    return _value_span(text, name, place) if place is not None and names.is_secret(name) else None


def _place_of_value(text: str, start: int, end: int) -> _Place | None:
    """Return where a value starts that is assigned to the name at a position."""
    found = _SEPARATOR.match(text, end)
    if found is not None:
        return _Place(found.end(), quoted=bool(found["close"]), colon=bool(found["colon"]))
    previous = text[start - 1] if start else ""
    if previous == "<":
        found = _TAG_END.match(text, end)
    elif text.startswith("--", start):
        found = _OPTION_SEPARATOR.match(text, end)
    elif previous in {'"', "'"} and _PAIR_OPENER.search(text, max(0, start - _LONGEST_OPENER), start):
        found = _PAIR_SEPARATOR.match(text, end)
    return None if found is None else _Place(found.end(), quoted=False, colon=False)


def _value_span(text: str, name: str, place: _Place) -> tuple[int, int] | None:
    position = place.position
    quote = _OPENING_QUOTE.match(text, position)
    if quote is not None:
        return quote.end(), _closing(text, quote.end(), len(quote[1]), quote[2])
    if place.quoted:
        if _NUMBER.match(text, position):
            return None
        if text[position : position + 1] in _BRACKETS:
            return _container_span(text, position)
    return _unquoted_span(text, name, place)


def _closing(text: str, position: int, level: int, quote: str) -> int:
    """Return where a quoted value ends, as deep in escapes as it began; the end of the text if it was cut."""
    found = _closing_pattern(level, quote).match(text, position)
    return len(text) if found is None else found.end()


@lru_cache(maxsize=64)
def _closing_pattern(level: int, quote: str) -> re.Pattern[str]:
    if level == 0 and len(quote) == 1:
        return re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*)*", re.DOTALL)
    if level == 0:
        return re.compile(rf".*?(?={quote})", re.DOTALL)
    return re.compile(rf".*?(?=(?<!\\)\\{{0,{level}}}{quote})", re.DOTALL)


def _container_span(text: str, position: int) -> tuple[int, int]:
    """Return the inside of a list or object, for what cannot be parsed: it goes as a whole."""
    opening = text[position]
    depth = 0
    for found in _BRACKETS[opening].finditer(text, position):
        depth += 1 if found[0] == opening else -1
        if depth == 0:
            return position + 1, found.start()
    return position + 1, len(text)


def _unquoted_span(text: str, name: str, place: _Place) -> tuple[int, int] | None:
    position = place.position
    lowered = name.lower()
    if _CODE.match(text, position):
        return None
    if lowered.endswith(("authorization", "cookie", "cookies")):
        return _header_span(text, position)
    found = None
    if not place.colon and lowered.endswith(("password", "pwd")):
        found = _DSN_VALUE.match(text, position)
    if found is None:
        found = (_UNQUOTED if place.colon or not name.isupper() else _WHOLE_WORD).match(text, position)
    if found is None or found[0].lower() in _NO_SECRETS:
        return None
    if place.colon and is_weak(name) and not _looks_secret(found[0]) and not _LINE_END.match(text, found.end()):
        return None
    return found.span()


def _header_span(text: str, position: int) -> tuple[int, int] | None:
    scheme = _SCHEME.match(text, position)
    found = _LINE.match(text, position) if scheme is None else _UNQUOTED.match(text, scheme.end())
    return None if found is None else found.span()


def _looks_secret(value: str) -> bool:
    return len(value) >= _LEAST_WEAK and (not value.isalpha() or not (value.islower() or value.istitle()))
