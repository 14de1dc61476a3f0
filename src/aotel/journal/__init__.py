"""The journal: what was promised to be delivered, on the disk, whatever becomes of the process."""

from aotel.journal.directory import JournalError, SegmentDirectory
from aotel.journal.journal import Journal, Reader
from aotel.journal.locks import SUPPORTED

__all__ = ["SUPPORTED", "Journal", "JournalError", "Reader", "SegmentDirectory"]
