"""The audit log of a pod: lines that are chained, written in one place and read in many.

Agents' processes need no more of it than the names of actions: the rest is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aotel.audit.chain import Anchor, AnchorError, Break, Verdict, anchor, verify
    from aotel.audit.entry import Entry
    from aotel.audit.grouping import Grouping, group
    from aotel.audit.locating import NoLogError, locate
    from aotel.audit.log import AuditLog, AuditWriteError
    from aotel.audit.opening import AuditKeyError, AuditLockedError
    from aotel.audit.reading import newest_first, read, tail
    from aotel.audit.trees import Happening, Operation

__all__ = [
    "Anchor",
    "AnchorError",
    "AuditKeyError",
    "AuditLockedError",
    "AuditLog",
    "AuditWriteError",
    "Break",
    "Entry",
    "Grouping",
    "Happening",
    "NoLogError",
    "Operation",
    "Verdict",
    "anchor",
    "group",
    "locate",
    "newest_first",
    "read",
    "tail",
    "verify",
]

_HOMES = {
    "Anchor": "chain",
    "AnchorError": "chain",
    "AuditKeyError": "opening",
    "AuditLockedError": "opening",
    "AuditLog": "log",
    "AuditWriteError": "log",
    "Break": "chain",
    "Entry": "entry",
    "Grouping": "grouping",
    "Happening": "trees",
    "NoLogError": "locating",
    "Operation": "trees",
    "Verdict": "chain",
    "anchor": "chain",
    "newest_first": "reading",
    "group": "grouping",
    "locate": "locating",
    "read": "reading",
    "tail": "reading",
    "verify": "chain",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"aotel.audit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
