"""Content: what is written of arguments, results, messages and errors, and what never leaves the process."""

from __future__ import annotations

from aotel.content.capture import Arguments, Capture
from aotel.content.deferred import Deferred, defer_arguments, defer_value
from aotel.content.describe import NOT_DESCRIBED, describe
from aotel.content.encode import to_json
from aotel.content.modes import Mode, Tree
from aotel.content.policy import ContentPolicy, activate, active
from aotel.content.preview import preview
from aotel.content.redaction import UNREADABLE, Redactor
from aotel.content.trees import weight

__all__ = [
    "NOT_DESCRIBED",
    "UNREADABLE",
    "Arguments",
    "Capture",
    "ContentPolicy",
    "Deferred",
    "Mode",
    "Redactor",
    "Tree",
    "activate",
    "active",
    "defer_arguments",
    "defer_value",
    "describe",
    "preview",
    "to_json",
    "weight",
]
