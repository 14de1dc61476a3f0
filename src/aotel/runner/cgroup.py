"""A cgroup (version 2) of the child's own, where we may make one: then the kernel keeps its memory within the limit."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_OWN: Final = Path("/proc/self/cgroup")
_ATTEMPTS: Final = 50
_PAUSE: Final = 0.02  # seconds


class Cgroup:
    """A control group that we made.

    Args:
        path: its directory.
        home: the directory of the group that we are in, to which those go back who outlive the run.
    """

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self._home = home

    @classmethod
    def make(cls, memory_limit: int) -> Cgroup | None:
        """Make one whose memory is limited; None where that can't be done: no cgroups, no right, no controller.

        Args:
            memory_limit: bytes of memory, with none of swap besides.
        """
        home = own_group()
        # Under our own group, or beside it: a group that has processes in it can't hand a controller on.
        if home is not None:
            for parent in (home, home.parent):
                made = cls(parent / f"aotel-run-{os.getpid()}", home)
                if (parent / "cgroup.procs").exists() and made._prepare(memory_limit):
                    return made
        return None

    def _prepare(self, memory_limit: int) -> bool:
        try:
            self.path.mkdir()
        except OSError:
            return False
        try:
            self._write("memory.max", memory_limit)
        except OSError:
            self.close()
            return False
        for name, value in (("memory.swap.max", 0), ("memory.oom.group", 1)):
            with contextlib.suppress(OSError):
                self._write(name, value)
        return True

    def add(self, pid: int) -> bool:
        """Put a process into it; those it starts from then on are in it too."""
        try:
            self._write("cgroup.procs", pid)
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill all that are in it at once."""
        with contextlib.suppress(OSError):
            self._write("cgroup.kill", 1)

    def close(self) -> None:
        """Remove it; processes that are still in it go back to where we are."""
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(OSError):
                for pid in (self.path / "cgroup.procs").read_text().split():
                    with contextlib.suppress(OSError):
                        _write(self._home / "cgroup.procs", pid)
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # who has just been killed may take a moment to leave
                time.sleep(_PAUSE)
            else:
                return

    def _write(self, name: str, value: int) -> None:
        _write(self.path / name, str(value))


def _write(path: Path, text: str) -> None:
    # Without creating: a file that is not there is a controller that is not there.
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def own_group(mounts: Path = _MOUNTS, own: Path = _OWN) -> Path | None:
    """Return the directory of the cgroup, version 2, that this process is in.

    Args:
        mounts: what is mounted where, as in `/proc/self/mountinfo`.
        own: the groups of this process, as in `/proc/self/cgroup`.
    """
    try:
        inside = next(line[3:] for line in own.read_text().splitlines() if line.startswith("0::"))
        for line in mounts.read_text().splitlines():
            before, _, after = line.partition(" - ")
            root, mount_point = before.split()[3:5]
            if after.split()[0] == "cgroup2":
                if not Path(inside).is_relative_to(root) or ".." in Path(inside).parts:
                    return None  # what we are in is not to be seen from here
                return Path(mount_point) / Path(inside).relative_to(root)
    except (OSError, StopIteration, IndexError, ValueError):
        pass
    return None
