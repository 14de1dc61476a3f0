"""Reading a TOML table key by key: what can't be used is named by its full key, with what was expected."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, TypeVar

from aotel.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

Word = TypeVar("Word", bound=str)

_OCTAL = re.compile(r"(0o)?[0-7]{3,4}")
_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array", dict: "a table"}
_SHOWN = 60


class Table:
    """One table of a file; each key is asked for by what it must be.

    Args:
        content: the keys and their values.
        source: the file, for messages.
        prefix: the full key of this table, its dot included; "" for the file itself.
    """

    def __init__(self, content: dict[str, Any], source: str, prefix: str = "") -> None:
        self._content = content
        self._source = source
        self._prefix = prefix
        self._asked: set[str] = set()

    def text(self, key: str, *, empty: bool = True) -> str | None:
        """Return a string; also an empty one, unless `empty` says no."""
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not (empty or value.strip()):
            self._fail(key, "a string" if empty else "a string that is not empty", value)
        return value

    def required_text(self, key: str) -> str:
        """Return a string that has to be there and not empty."""
        value = self.text(key, empty=False)
        if value is None:
            raise ConfigurationError(f"{self._source}: {self._prefix}{key} is missing; expected a string")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the strings of an array; none if it is not there."""
        value = self._get(key)
        return () if value is None else tuple(self._items(key, value, str, "an array of strings"))

    def flag(self, key: str) -> bool | None:
        """Return a boolean."""
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            self._fail(key, "true or false", value)
        return value

    def number(self, key: str, *, above: float | None) -> float | None:
        """Return a number from 0, or above `above`."""
        value = self._get(key)
        if value is None:
            return None
        expected = "a number from 0" if above is None else f"a number above {above:g}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._fail(key, expected, value)
        if value < 0 or (above is not None and value <= above):
            self._fail(key, expected, value)
        return value

    def whole_number(self, key: str, minimum: int) -> int | None:
        """Return a whole number."""
        value = self._get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < minimum):
            self._fail(key, f"a whole number from {minimum}", value)
        return value

    def whole_numbers(self, key: str, minimum: int, maximum: int) -> tuple[int, ...] | None:
        """Return the whole numbers of an array; None if it is not there."""
        value = self._get(key)
        if value is None:
            return None
        expected = f"an array of whole numbers from {minimum} to {maximum}"
        numbers = self._items(key, value, int, expected)
        for index, number in enumerate(numbers):
            if not minimum <= number <= maximum:
                self._fail(f"{key}[{index}]", f"a whole number from {minimum} to {maximum}", number)
        return tuple(numbers)

    def mode(self, key: str) -> int | None:
        """Return a file's mode: a string of octal digits, such as "0660", or an octal number, such as 0o660."""
        value = self._get(key)
        if value is None:
            return None
        mode = parse_mode(value) if isinstance(value, str) else value
        if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= 0o7777:  # noqa: PLR2004
            self._fail(key, 'a mode in octal digits, such as "0660"', value)
        return mode

    def one_of(self, key: str, words: Sequence[Word]) -> Word | None:  # noqa: RET503 - `_fail` does not return
        """Return one of some words."""
        value = self._get(key)
        if value is None:
            return None
        for word in words:
            if word == value:
                return word
        self._fail(key, f"one of {', '.join(words)}", value)

    def table(self, key: str) -> Table:
        """Return a table; an empty one if it is not there."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            self._fail(key, "a table", value)
        return Table(value or {}, self._source, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[Table]:
        """Return the tables of an array; none if it is not there."""
        value = self._get(key)
        found = [] if value is None else self._items(key, value, dict, "an array of tables")
        return [Table(each, self._source, f"{self._prefix}{key}[{index}].") for index, each in enumerate(found)]

    def nothing_else(self) -> None:
        """Fail if there is a key that nobody has asked for."""
        for key in self._content:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise ConfigurationError(f"{self._source}: unknown key {self._prefix}{key}; expected some of {known}")

    def unique(self, key: str, name: str, values: Iterable[str]) -> None:
        """Fail if two tables of an array have the same name."""
        first: dict[str, int] = {}
        for index, value in enumerate(values):
            if value in first:
                raise ConfigurationError(
                    f"{self._source}: {self._prefix}{key}[{index}].{name}: {value!r} is taken by "
                    f"{self._prefix}{key}[{first[value]}]; expected another"
                )
            first[value] = index

    def _get(self, key: str) -> Any:
        self._asked.add(key)
        return self._content.get(key)

    def _items(self, key: str, value: Any, kind: type, expected: str) -> list[Any]:
        if not isinstance(value, list):
            self._fail(key, expected, value)
        for index, item in enumerate(value):
            if not isinstance(item, kind) or (kind is int and isinstance(item, bool)):
                self._fail(f"{key}[{index}]", _KINDS[kind], item)
        return value

    def _fail(self, key: str, expected: str, value: Any) -> NoReturn:
        shown = repr(value)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        raise ConfigurationError(f"{self._source}: {self._prefix}{key}: expected {expected}, got {shown}")


def parse_mode(text: str) -> int | None:
    """Return a file's mode from its octal digits, or None if it is none."""
    return int(text, 8) if _OCTAL.fullmatch(text) else None
