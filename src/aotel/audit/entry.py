"""One line of an audit log."""

from __future__ import annotations

from typing import Union

from msgspec import Struct


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line, its keys in the order in which they are written; `hash` is always the last.

    The first six are the pod runtime's; the last three chain each line to the one before it.

    Attributes:
        timestamp: when it was written, RFC 3339 in UTC with milliseconds, ending in `Z`.
        pod_id: the pod that wrote it.
        action: what happened, one of `aotel.audit.actions`.
        detail: a JSON object as a string: the envelope of an `agent_coat`, else what there is to say of the action.
        success: whether it was done; false for what failed or was refused.
        agent: who did it, if a claim says so.
        seq: the line's number in the log, from 1, over all rotated files.
        prev: the hash of the line before it; 64 zeros for the first.
        hash: SHA-256 (HMAC with a key) over `prev` and the line's bytes up to `,"hash"`, in hexadecimal.
    """

    timestamp: str
    pod_id: str
    action: str
    detail: str
    success: bool
    agent: Union[str, None] = None  # noqa: UP007 - msgspec evaluates it, on Python 3.10 too
    seq: int = 0
    prev: str = ""
    hash: str = ""
