"""The files of a log: `audit.jsonl` is the newest, `audit.jsonl.1` the oldest, and numbers grow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "audit.jsonl"

_ROTATED: Final = re.compile(r"\.([1-9][0-9]{0,17})")


def newest(path: Path) -> Path:
    """Return the file that is written to: of a directory, the log in it."""
    return path / NAME if path.is_dir() else path


def rotated(path: Path) -> list[tuple[int, Path]]:
    """Return the files that were put away, with their numbers, the oldest first."""
    file = newest(path)
    found: list[tuple[int, Path]] = []
    try:
        others = list(file.parent.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    for other in others:
        match = _ROTATED.fullmatch(other.name, len(file.name)) if other.name.startswith(file.name) else None
        if match is not None:
            found.append((int(match[1]), other))
    return sorted(found)


def in_order(path: Path) -> list[Path]:
    """Return all files of a log, the oldest first."""
    file = newest(path)
    return [*(other for _, other in rotated(path)), *([file] if file.exists() else [])]
