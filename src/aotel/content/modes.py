"""The capture modes, and the shape that captured content has."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"
"""Content as it leaves: JSON values, detached from the caller's objects, clean under a mode.

Numbers are finite and fit 64 bits, strings can be encoded as UTF-8.
"""


class Mode(str, Enum):
    """How content is written; a member equals its value as a string."""

    NONE = "none"
    REDACTED = "redacted"
    HASH = "hash"
    SUMMARY = "summary"
    RAW = "raw"
