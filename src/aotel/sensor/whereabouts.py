"""Where a path leads: from which directory, through which links."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from typing import Final

_DESCRIPTORS: Final = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"  # noqa: PTH112 - texts throughout
_MOST_DESCRIPTORS: Final = 256
"""Open descriptors among which a directory is looked for: with more of them it would take too long."""
_LONGEST: Final = 1024  # bytes, what macOS writes a path into


def absolute(path: str, directory: str | None = None) -> str:
    """Return a path from the root on, with its dots and links; as it is if the working directory is gone.

    Args:
        path: any path.
        directory: where it starts if it is relative, instead of the working directory.
    """
    if path.startswith("/"):
        return path
    try:
        return f"{(directory or os.getcwd()).rstrip('/')}/{path}"  # noqa: PTH109
    except OSError:
        return path


def real(path: str, *, is_entry: bool = False) -> str:
    """Return an absolute path without links and dots.

    Args:
        path: absolute.
        is_entry: whether what is meant is the entry in its directory, be it a link or not, as in removing it.
    """
    if is_entry:
        head, _, name = path.rstrip("/").rpartition("/")
        if name not in {"", ".", ".."}:
            return f"{os.path.realpath(head or '/').rstrip('/')}/{name}"
    return os.path.realpath(path)


def directory_of(descriptor: int) -> str | None:
    """Return the path of an open directory, None if the system doesn't tell."""
    with contextlib.suppress(OSError, ValueError):
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115
    get_path = getattr(fcntl, "F_GETPATH", None)
    if get_path is not None:
        with contextlib.suppress(OSError, ValueError):
            return os.fsdecode(fcntl.fcntl(descriptor, get_path, bytes(_LONGEST)).rstrip(b"\0"))
    return None


def candidates(path: str) -> list[str]:
    """Return what a relative path may mean from an unknown directory: of what exists, the likeliest first.

    `os.open` takes a directory's descriptor, and its event doesn't say which. The working directory is the likeliest;
    then come the directories that are open.

    Args:
        path: relative.
    """
    here = absolute(path)
    found = [here] if os.path.lexists(here) else []
    for directory in _open_directories():
        candidate = absolute(path, directory)
        if candidate != here and os.path.lexists(candidate):
            found.append(candidate)
    return found or [here]


def _open_directories() -> list[str]:
    found: list[str] = []
    try:
        names = os.listdir(_DESCRIPTORS)  # noqa: PTH208
    except OSError:
        return found
    if len(names) > _MOST_DESCRIPTORS:
        return found
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            if stat.S_ISDIR(os.fstat(int(name)).st_mode):
                directory = directory_of(int(name))
                if directory is not None:
                    found.append(directory)
    return found
