"""How a variable is read: by its names in turn, parsed, and what can't be used noted in a sentence."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aotel.semconv.environment import Variable

T = TypeVar("T")

_DIGITS = 19  # what has fewer digits is less than any sequence can be long
_SHOWN = 100
_OFF = "off"
_RUN_ID = re.compile(r"run_[0-9a-f]{16}")
_PASSWORD = re.compile(r"//[^/\s]*@")


class Reader:
    """Reads variables one by one and notes what could not be used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def optional(self, variable: Variable, parse: Callable[[str], T]) -> T | None:
        """Return what the first usable one of a variable's names says, or None.

        `parse` raises a ValueError that says what is accepted.
        """
        unusable: list[tuple[str, str]] = []
        for name in (variable.name, *variable.aliases):
            value = self._environ.get(name) or ""
            if not value:
                continue
            try:
                parsed = parse(value)
            except ValueError as error:
                came = "can't be used" if variable.secret else f"is {shown(value)}"
                unusable.append((name, f"{came}, expected {error}"))
            else:
                self._note(unusable, f"using {name}")
                return parsed
        self._note(unusable, f"using the default, {variable.default or 'unset'}")
        return None

    def required(self, variable: Variable, parse: Callable[[str], T]) -> T:
        """Return what a variable that has a default says."""
        found = self.optional(variable, parse)
        return parse(variable.default or "") if found is None else found

    def flag(self, variable: Variable) -> bool:
        """Return a boolean, as OpenTelemetry reads it: `true` or `false` in any case."""
        return self.optional(variable, _boolean) or False

    def items(self, variable: Variable, parse: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
        """Return the items of a list that is empty by default."""
        return self.optional(variable, parse) or ()

    def protocol(self, variable: Variable) -> str:
        """Return how OTLP travels."""
        return self.required(variable, one_of(variable.members))

    def patterns(self, variable: Variable) -> tuple[str, ...]:
        """Return the regular expressions that can be used; each of the others is a problem of its own."""
        usable: list[str] = []
        for pattern in self.items(variable, _split_patterns):
            problem = _pattern_problem(pattern)
            if problem is None:
                usable.append(pattern)
            else:
                self._note([(variable.name, f"has {shown(pattern)}, which {problem}")], "going on without it")
        return tuple(usable)

    def _note(self, unusable: list[tuple[str, str]], instead: str) -> None:
        self.problems += [f"{name} {problem}; {instead}." for name, problem in unusable]


def without_password(url: str) -> str:
    """Return a URL as a person may see it."""
    return _PASSWORD.sub("//...@", url)


def shown(value: str) -> str:
    """Return a value for a log: short, in one line, and without the password of a URL."""
    masked = without_password(value)
    return repr(masked if len(masked) <= _SHOWN else f"{masked[:_SHOWN]}...")


def verbatim(value: str) -> str:
    """Return a value verbatim, save for bytes that are no text."""
    return value.encode("utf-8", "replace").decode()


def stripped(value: str) -> str:
    """Return a value without blanks around it."""
    return verbatim(value).strip()


def run_name(value: str) -> str:
    """Return the id of a run."""
    name = value.strip()
    if not _RUN_ID.fullmatch(name):
        msg = "run_ and 16 hexadecimal digits in lower case"
        raise ValueError(msg)
    return name


def key_bytes(value: str) -> bytes:
    """Return a value as the bytes of a key."""
    return value.encode("utf-8", "backslashreplace")  # the same bytes in every process, also for what is no text


def _boolean(value: str) -> bool:
    word = value.strip().lower()
    if word not in {"true", "false"}:
        msg = "true or false"
        raise ValueError(msg)
    return word == "true"


def is_off(value: str) -> bool:
    """Say whether a switch of message content is off, explicitly."""
    return value.strip().lower() in {"no_content", "false"}


def whole_number(minimum: int) -> Callable[[str], int]:
    """Return what reads a whole number that is not less than `minimum`."""

    def parse(value: str) -> int:
        digits = value.strip()
        if digits.isascii() and digits.isdigit() and len(digits) < _DIGITS and int(digits) >= minimum:
            return int(digits)
        msg = f"a whole number from {minimum}"
        raise ValueError(msg)

    return parse


def lower(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words in lower case."""
    return tuple(word.lower() for word in words)


def without_off(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return words without `off`."""
    return tuple(word for word in words if word != _OFF)


def one_of(members: tuple[str, ...]) -> Callable[[str], str]:
    """Return what reads one of some words, in any case."""

    def parse(value: str) -> str:
        word = value.strip().lower()
        if word not in members:
            msg = f"one of {', '.join(members)}"
            raise ValueError(msg)
        return word

    return parse


def some_of(members: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """Return what reads a comma list of some words, in any case."""

    def parse(value: str) -> tuple[str, ...]:
        words = lower_items(value)
        if not words or not set(words) <= set(members):
            msg = f"a comma list of {', '.join(members)}"
            raise ValueError(msg)
        return words

    return parse


def items_of(value: str) -> tuple[str, ...]:
    """Return the items of a comma list, each once."""
    return tuple(dict.fromkeys(item for part in verbatim(value).split(",") if (item := part.strip())))


def lower_items(value: str) -> tuple[str, ...]:
    """Return the items of a comma list in lower case, each once."""
    return items_of(value.lower())


def _split_patterns(value: str) -> tuple[str, ...]:
    """Split at line breaks, and at commas that are neither inside brackets nor escaped."""
    return tuple(dict.fromkeys(p for line in value.splitlines() for part in _split_line(line) if (p := part.strip())))


def _split_line(line: str) -> list[str]:
    parts, depth, in_class, escaped = [""], 0, False, False
    for character in line:
        if character == "," and not (depth or in_class or escaped):
            parts.append("")
            continue
        parts[-1] += character
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        else:
            depth = max(depth + (character in "({") - (character in ")}"), 0)
    return parts


def _pattern_problem(pattern: str) -> str | None:
    """Return why a pattern cannot be used, as the end of a sentence, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pattern with an odd bracket in it works all the same
            matches_nothing = re.compile(pattern).search("")
    except Exception as error:  # noqa: BLE001 - `re` raises more than its own error: on nesting, on large repeats
        return f"is no regular expression ({error})"
    return None if matches_nothing is None else "matches the empty text, so it would match everywhere"
