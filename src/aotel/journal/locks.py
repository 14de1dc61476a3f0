"""A file belongs to the process that has it locked, for as long as that lives."""

from __future__ import annotations

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SUPPORTED = fcntl is not None
"""Whether this system can tell a segment whose process is gone."""


def lock(descriptor: int) -> None:
    """Take the lock of an open file; the system gives it back when the process ends, however it ends.

    Raises:
        OSError: another process has it, or the file system has no locks.
    """
    if fcntl is None:
        msg = "this system has no locks on files"
        raise OSError(msg)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
