"""Redaction by name inside a text: `name=value`, `"name": "value"`, `--name value`, headers, pairs, XML, DSNs.

Made for texts that are no JSON, or no longer: messages, stack traces, code, logs, cut or doubly escaped JSON.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.content.marker import starts_with_marker
from aotel.content.names import is_weak
from aotel.content.prose import LITTLE, is_heading, is_sentence

if TYPE_CHECKING:
    from aotel.content.marker import Marker
    from aotel.content.names import Names

_NAME_CHARACTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_LONGEST_BEFORE: Final = 64  # characters of a name before its secret word

_TYPE: Final = r"[A-Za-z_.]{1,40}(?:\[[^\]\r\n]{0,80}\])?"

# From the secret word of a name to its value: the rest of the name, then a quote or bracket that closes it, an
# annotation of its type and the separator; or the comma in a pair of strings. The rest is taken whole (what a look
# ahead found is not tried again in parts): most names that are looked at have no value.
_ASSIGNMENT: Final = re.compile(
    r"(?=(?P<rest>[\w.-]{0,64}))(?P=rest)(?:"
    r"(?P<close>\\{0,15}[\"'`]\]?|%2[27])?[ \t]{0,16}"
    rf"(?::[ \t]?{_TYPE}(?:[ \t]\|[ \t]{_TYPE}){{0,4}}[ \t]=(?=[ \t])"
    r"|:=|=>|={1,3}|(?P<colon>:)(?!/?/)|%3[aAdD])[ \t]{0,32}\(?"
    r"|(?P<pair>\\{0,15}[\"']\s{0,8},\s{0,8}(?=[bu]?\\{0,15}[\"'])))"
)
_TAG: Final = re.compile(r"(?P<rest>[\w.-]{0,64})(?:\s[^<>]{0,128})?>\s{0,32}")
_LONGEST_ELEMENT: Final = 8192  # characters
# A list by itself may well be one of names: `"required": ["token", "text"]`.
_PAIR_OPENER: Final = re.compile(r"(?:\(|[\[(,]\s{0,8}\[)\s{0,8}[bu]?\\{0,15}[\"']\Z")
_LONGEST_OPENER: Final = 35  # characters
_OPTION: Final = re.compile(r"(?P<rest>[\w.-]{0,64})[\"']?,?[ \t]{1,8}(?=[^\s-])")

_OPENING_QUOTE: Final = re.compile(r"[bBrRuUfF]{0,2}(\\{0,15})(\"\"\"|'''|[\"'`])")
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[\s,}\]]|\Z)")
_CLOSED: Final = frozenset("\"'`[{")  # what opens a value that has an end of its own
_BRACKETS: Final = {"[": re.compile(r"[\[\]]"), "{": re.compile(r"[{}]")}

# An unquoted value ends at white space, quotes and what separates fields or closes a call, unless that looks like a
# part of it.
_UNQUOTED: Final = re.compile(
    r"<?(?:[^\s\"'`,;&<>(){}\[\]\\]|,(?![\s\"'])|&(?![\w.%-]{1,64}=)|(?<=\w)['\"](?=\w)|(?<=\S)[(\[{](?=\S)|\\(?![nrtu\"'\\]))+"
)
_WHOLE_WORD: Final = re.compile(r"[^\s\"'`]+")
_DSN_VALUE: Final = re.compile(r"[^;\r\n\"'\\]{1,256}(?=;)")
_LONGEST_LINE: Final = 1024  # characters of a value with spaces
_LINE: Final = re.compile(rf"(?:[^\r\n\"'\\]|\\(?![nrt\"'])){{1,{_LONGEST_LINE}}}")
_HEADERS: Final = ("authorization", "cookie", "cookies")
_LINE_START: Final = re.compile(r"(?:\A|[\r\n]|\\n)[ \t>*#-]{0,40}\Z")
_LONGEST_INDENT: Final = 42  # characters
_SCHEME: Final = re.compile(r"(?:(?:bearer|basic|token|apikey|negotiate|ntlm)\s{1,8}){1,4}", re.IGNORECASE)

# What stands for a value in code: a call or an index, an attribute, a type, a constant, or no value yet.
_CODE: Final = re.compile(
    r"[A-Za-z_][A-Za-z_.]{0,64}(?:\([^\r\n]{0,256}\)|\((?=[ \t]*(?:[\r\n]|\\n|\Z))|\[[^\r\n]{0,256}\])"
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_.]{1,32}")
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
        "not",
        "null",
        "number",
        "object",
        "secretstr",
        "str",
        "string",
        "true",
        "undefined",
    }
)
_GOES_ON: Final = re.compile(r"[A-Za-z]+[ \t]+[A-Za-z]")
_MASKED: Final = re.compile(r"[*•.:_ -]+|[xX]{3,}")
_CLOSED_AT_ONCE: Final = re.compile(r"[),;\]}\s]|\Z")
_FEW_SEPARATORS: Final = 6
_QUOTES_OF_PAIR: Final = 4
_LONGEST_LOOK: Final = 128  # characters from a secret word to the separator: the rest of a name, a quote, blanks
_LEAST_WEAK: Final = 6  # characters of a secret after a colon and a name of prose
_LEAST_LONG: Final = 20  # characters of one that has no digit
_LINE_END: Final = re.compile(r"[ \t]*(?:[\r\n;}]|\\[nr]|\Z)")


class _Place(NamedTuple):
    """Where a value starts.

    Attributes:
        name_start: where its name starts.
        name_end: where its name ends.
        position: of its first character.
        quoted: whether its name stands in quotes, as in JSON.
        colon: whether a colon stands before it, as in prose.
    """

    name_start: int
    name_end: int
    position: int
    quoted: bool
    colon: bool


def assigning_parts(text: str) -> str:
    """Return the parts of a text that can have the name of a value in them; empty if none has.

    A name stands right before a separator. Where these are few, it is quicker to look there than all over.
    """
    if _has_other_forms(text):
        return text
    separators = text.count(":") + text.count("=")
    if separators > _FEW_SEPARATORS:
        return text
    if not separators:
        return ""
    parts = text.replace("=", ":").split(":")
    return "\n".join([part[-_LONGEST_LOOK:] for part in parts[:-1]])


def _has_other_forms(text: str) -> bool:
    """Say whether there may be XML, options, escaped URLs or pairs; looking for single characters first is quick."""
    return (
        ("<" in text and "</" in text)
        or ("-" in text and "--" in text)
        or ("%" in text and "%3" in text)
        or text.count('"') >= _QUOTES_OF_PAIR
        or text.count("'") >= _QUOTES_OF_PAIR
    )


def secret_words(lowered: str, needles: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where words stand, in order, that may be part of a secret name.

    Args:
        lowered: a text in lower case.
        needles: the words.

    Returns:
        Start and end of each.
    """
    found: list[tuple[int, int]] = []
    for needle in needles:
        start = lowered.find(needle)
        while start >= 0:
            end = start + len(needle)
            found.append((start, end))
            start = lowered.find(needle, end)
    found.sort()
    return found


def scrub_assignments(
    text: str, words: list[tuple[int, int]], names: Names, marker: Marker, *, containers: bool
) -> str:
    """Return a text with a marker for each value that has a secret name.

    Args:
        text: any text; the work is linear in its length.
        words: where words stand in it that may be part of a secret name.
        names: tells which names are secret.
        marker: makes the markers.
        containers: whether a whole list or object is taken for a value, as in JSON that cannot be parsed.
    """
    spans: list[tuple[int, int]] = []
    closed = 0
    bare = "</" in text or "--" in text
    for start, end in words:
        # What looked like a value may have been a name, or the end of something: `key: ('password', 'hunter2')`.
        if closed - end > _LONGEST_BEFORE:
            continue
        found = _ASSIGNMENT.match(text, end)
        if found is None and not bare:
            continue
        span = _value_of(text, start, end, found, names)
        if span is None or span[0] >= span[1] or span[0] < closed or starts_with_marker(text, span[0]):
            continue
        opening = text[span[0] - 1]
        if opening in _BRACKETS and not containers:
            continue
        if opening in _CLOSED:
            closed = span[1]
        spans.append(span)
    return _sealed(text, spans, marker) if spans else text


def _sealed(text: str, spans: list[tuple[int, int]], marker: Marker) -> str:
    """Return a text with markers in place of spans; those that overlap go as one: `key: password: hunter2`."""
    pieces: list[str] = []
    written = 0
    spans.sort()
    start, end = spans[0]
    for next_start, next_end in (*spans[1:], (len(text) + 1, 0)):
        if next_start < end:
            end = max(end, next_end)
            continue
        pieces += (text[written:start], marker.seal(text[start:end]))
        written = end
        start, end = next_start, next_end
    return "".join((*pieces, text[written:]))


def _value_of(text: str, start: int, end: int, found: re.Match[str] | None, names: Names) -> tuple[int, int] | None:
    """Return where the value is whose name holds the word at a position; None where there is none, or no secret."""
    start = _name_start(text, start)
    place = _bare_place(text, start, end) if found is None else _place(text, start, found)
    # Of `session.auth.prompting`, the attribute is the name.
    name = "" if place is None else text[start : place.name_end].replace("auth.", ".")
    return _value_span(text, name, place) if place is not None and names.is_secret(name) else None


def _name_start(text: str, position: int) -> int:
    before = text[max(0, position - _LONGEST_BEFORE) : position]
    start = position - len(before) + len(before.rstrip(_NAME_CHARACTERS))
    # The letter of an escaped line break is no part of the name.
    return start + 1 if start and text[start - 1] == "\\" and text[start] in "nrtbf" else start


def _place(text: str, start: int, found: re.Match[str]) -> _Place | None:
    """Return the place of a value after a separator, or in a pair; a pair must have been opened."""
    if found["pair"] is None:
        return _Place(start, found.end("rest"), found.end(), quoted=bool(found["close"]), colon=bool(found["colon"]))
    if _PAIR_OPENER.search(text, max(0, start - _LONGEST_OPENER), start):
        return _Place(start, found.end("rest"), found.end(), quoted=False, colon=False)
    return _bare_place(text, start, found.start())


def _bare_place(text: str, start: int, end: int) -> _Place | None:
    """Return the place of a value that nothing separates from its name: after an XML tag, or a `--option`."""
    if text[start - 1 : start] == "<":
        found = _TAG.match(text, end)
        if found is not None and text.find(f"</{text[start : found.end('rest')]}", end, end + _LONGEST_ELEMENT) < 0:
            return None
    else:
        found = _OPTION.match(text, end) if text.startswith("--", start) else None
    return None if found is None else _Place(start, found.end("rest"), found.end(), quoted=False, colon=False)


def _value_span(text: str, name: str, place: _Place) -> tuple[int, int] | None:
    position = place.position
    quote = _OPENING_QUOTE.match(text, position)
    if quote is not None:
        start = quote.end()
        # The end of a prompt rather than the start of a value: `input("Password: ")`.
        if not place.quoted and text[position - 1] == " " and _CLOSED_AT_ONCE.match(text, start):
            return None
        end = _closing(text, start, len(quote[1]), quote[2])
        return None if _MASKED.fullmatch(text, start, end) else (start, end)
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
    if _CODE.match(text, position):
        return None
    lowered = name.lower()
    scheme = _SCHEME.match(text, position)
    if scheme is not None:
        position = scheme.end()
    found = (_UNQUOTED if place.colon or not name.isupper() else _WHOLE_WORD).match(text, position)
    if found is None or _is_no_value(found[0], lowered):
        return None
    header = lowered.endswith(_HEADERS)
    if place.colon and _is_prose(text, lowered, place, found, alone=header or _is_alone(text, place)):
        return None
    if header:
        return _header_span(text, position, lowered, found) if scheme is None else found.span()
    if is_weak(name):
        is_prose = place.colon and not _looks_secret(found[0]) and not _LINE_END.match(text, found.end())
        return None if is_prose else found.span()
    whole = _whole_value(text, lowered, place) if scheme is None else None
    return found.span() if whole is None else (position, position + len(whole[0].rstrip()))


def _is_no_value(value: str, name: str) -> bool:
    """Say whether code or documentation names something else where a value would stand."""
    if value.lower() in _NO_SECRETS or _MASKED.fullmatch(value):
        return True
    # `sorted(x, key=str.lower)`, `password=password`, `token = self.token`
    own = name.rpartition(".")[2]
    return _IDENTIFIER.fullmatch(value) is not None and (own == "key" or value.lower().rpartition(".")[2] == own)


def _whole_value(text: str, lowered: str, place: _Place) -> re.Match[str] | None:
    """Return a value with spaces in it: a password in a DSN, or the rest of a line of YAML, INI or headers."""
    if not place.colon and lowered.endswith(("password", "pwd")):
        found = _DSN_VALUE.match(text, place.position)
        if found is not None:
            return found
    spaced = place.colon or text[place.name_end : place.name_end + 1] in {" ", "\t"}
    return _LINE.match(text, place.position) if spaced and _is_alone(text, place) else None


def _is_alone(text: str, place: _Place) -> bool:
    """Say whether a name begins a line, so that its value is the rest of it."""
    return _LINE_START.search(text, max(0, place.name_start - _LONGEST_INDENT), place.name_start) is not None


def _is_prose(text: str, name: str, place: _Place, first: re.Match[str], *, alone: bool) -> bool:
    """Say whether what follows a name and a colon is a sentence: `The password: please choose another`.

    Args:
        text: where they stand.
        name: in lower case.
        place: of the value.
        first: its first word; by itself the value, unless it is alone.
        alone: whether the value is the rest of a line.
    """
    start = place.name_start
    heading = is_heading(name)
    # The end of a URL, which points to a heading: `page.md#passwords: How to choose one`.
    if text[start - 1 : start] == "#" and text[start - 2 : start - 1].isalnum() and text[place.position - 1] == " ":
        return True
    if first[0].lower() not in LITTLE and not heading:
        return False
    if not alone and not heading:
        return _GOES_ON.match(text, first.start()) is not None
    line = _LINE.match(text, first.start())
    return line is not None and is_sentence(line[0])


def _header_span(text: str, position: int, name: str, first: re.Match[str]) -> tuple[int, int]:
    """Return the value of an authorization or cookie header, which has spaces in it."""
    if "cookie" in name and text.find("=", position, position + _LONGEST_LINE) < 0:
        return first.span()
    return (_LINE.match(text, position) or first).span()


def _looks_secret(value: str) -> bool:
    return len(value) >= _LEAST_WEAK and (len(value) >= _LEAST_LONG or any(map(str.isdigit, value)))
