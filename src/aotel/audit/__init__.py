"""The audit log of a pod: lines that are chained, written in one place and read in many."""

from aotel.audit.chain import Anchor, AnchorError, Break, Verdict, anchor, verify
from aotel.audit.entry import Entry
from aotel.audit.grouping import Happening, Operation, group
from aotel.audit.locating import NoLogError, locate
from aotel.audit.log import AuditLockedError, AuditLog, AuditWriteError
from aotel.audit.reading import newest_first, read, tail

__all__ = [
    "Anchor",
    "AnchorError",
    "AuditLockedError",
    "AuditLog",
    "AuditWriteError",
    "Break",
    "Entry",
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
