"""Which paths a policy allows: files, directories with all that is below them, and patterns."""

from __future__ import annotations

import os
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from aotel.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAGIC = re.compile(r"[*?[]")
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[(!?)(\]?[^]/]*)\]|.", re.DOTALL)


class PathRules:
    """A list of paths; symbolic links in what is listed are followed once, when the list is made.

    Args:
        entries: absolute paths, each allowed with all that is below it. `*` and `?` stand for characters within a name,
            `[…]` for one of some, `**` for any directories; what a file is called in truth is not a pattern.

    Raises:
        ConfigurationError: an entry is empty, or can be no path.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._exact: set[str] = set()
        below: list[str] = []
        self._patterns: list[re.Pattern[str]] = []
        for entry in entries:
            check_entry(entry)
            if _MAGIC.search(entry) and not os.path.lexists(entry):
                self._patterns.append(_pattern(entry))
                continue
            real = os.path.realpath(entry)
            self._exact.add(real)
            below.append(real.rstrip(os.sep) + os.sep)
        self._below = tuple(below)

    def allow(self, path: str) -> bool:
        """Say whether a path is allowed.

        Args:
            path: absolute, without links or dots in it, as `os.path.realpath` returns it.
        """
        if path.startswith(self._below) or path in self._exact:
            return True
        return any(pattern.fullmatch(path) for pattern in self._patterns)


def check_entry(entry: str) -> None:
    """Look whether an entry can be a path.

    Raises:
        ConfigurationError: it can't.
    """
    if not entry or "\0" in entry:
        raise ConfigurationError(
            f"{entry!r} is no path to allow: expected a file, a directory or a pattern (data/*.csv)"
        )


def _pattern(entry: str) -> re.Pattern[str]:
    parts = PurePath(entry).parts
    first = next(index for index, part in enumerate(parts) if _MAGIC.search(part))
    # The directory that the pattern begins in may lie behind a link, as any other.
    fixed = os.path.realpath(os.path.join(*parts[:first]) if first else os.curdir)  # noqa: PTH118 - texts throughout
    rest = "".join(map(_translated, _TOKEN.finditer("/".join(parts[first:]))))
    return re.compile(f"{re.escape(fixed.rstrip(os.sep))}/{rest}(?:/.*)?", re.DOTALL)


def _translated(token: re.Match[str]) -> str:
    found = token[0]
    if found in _WILD:
        return _WILD[found]
    if token[2] is None:
        return re.escape(found)
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", token[2])
    return f"(?!/)[{'^' if token[1] else ''}{members}]"


_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
