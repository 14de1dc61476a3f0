"""The sockets of a pod in its directory: made for whom they are meant, and never taken from a pod that lives."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aotel.pod.errors import PodError

QUEUE: Final = "queue.sock"
IDENTITY: Final = "identity.sock"
CONTROL: Final = "control.sock"

LONGEST_PATH: Final = 100
"""Bytes of a path that a Unix socket can have on every system."""
BACKLOG: Final = 1024
_SHORT_PREFIX = "aotel-pod-"
_OTHERS = 0o111  # may go through a directory


@dataclass(frozen=True, slots=True)
class Sockets:
    """Paths that can be connected to."""

    queue: str
    identity: str
    control: str


class Listeners:
    """Listening sockets `queue.sock`, `identity.sock` and `control.sock` in a directory.

    Where the directory's path is too long for a socket, they are made in a short one of their own, and the directory
    has links to them.

    Args:
        directory: where they are, or seem to be.
        mode: who may connect to the queue and to claim, as a file's mode; the control socket is the owner's alone.

    Raises:
        PodError: somebody listens there already, or something else is in the way.
    """

    def __init__(self, directory: Path, mode: int) -> None:
        self._directory = directory
        self._short: Path | None = None
        self._made: list[tuple[Path, int]] = []
        self.listening: dict[str, socket.socket] = {}
        for name in (QUEUE, IDENTITY, CONTROL):
            _clear(directory / name)
        where = directory
        if len(os.fsencode(str(directory / IDENTITY))) > LONGEST_PATH:
            where = self._short = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX, dir=_short_root()))
        try:
            if self._short is not None and mode & 0o077:
                self._short.chmod(0o700 | _OTHERS)
            for name in (QUEUE, IDENTITY, CONTROL):
                self._listen(where / name, mode if name != CONTROL else mode & 0o700)
                if where is not directory:
                    (directory / name).symlink_to(where / name)
        except OSError as error:
            self.close()
            raise PodError(f"no sockets in {directory}: {error.strerror or error}") from error
        self.paths = Sockets(str(where / QUEUE), str(where / IDENTITY), str(where / CONTROL))

    def close(self) -> None:
        """Remove the sockets, unless others stand in their place; whoever listens on them closes them."""
        for path, inode in self._made:
            with contextlib.suppress(OSError):
                if path.lstat().st_ino == inode:
                    path.unlink()
        self._made.clear()
        for each in self.listening.values():
            each.close()
        if self._short is not None:
            for name in (QUEUE, IDENTITY, CONTROL):
                link = self._directory / name
                with contextlib.suppress(OSError):
                    if link.is_symlink() and link.readlink().parent == self._short:
                        link.unlink()
            shutil.rmtree(self._short, ignore_errors=True)

    def forget(self) -> None:
        """Close them, and leave what is in the directory to whom it belongs."""
        self._made.clear()
        self._short = None
        self.close()

    def _listen(self, path: Path, mode: int) -> None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(0)
            made.bind(str(path))
            self._made.append((path, path.lstat().st_ino))
            # Before anybody can connect: until `listen`, all are refused. The umask belongs to the whole process.
            path.chmod(mode)
            made.listen(BACKLOG)
        except OSError:
            made.close()
            raise
        self.listening[path.name] = made


def make_directory(directory: Path, mode: int | None) -> None:
    """Make a pod's directory, if there is none, for its owner only or as `mode` says.

    Raises:
        PodError: it can't be made.
    """
    try:
        existed = directory.is_dir()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if mode is not None or not existed:
            directory.chmod(0o700 if mode is None else mode)
    except OSError as error:
        raise PodError(f"the directory {directory} can't be made: {error.strerror or error}") from error


def _clear(path: Path) -> None:
    """Remove what a pod has left behind that was killed."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise PodError(f"{path}: {error.strerror or error}") from error
    if stat.S_ISLNK(found.st_mode):
        target = path.parent / path.readlink()
        if target.parent.name.startswith(_SHORT_PREFIX):
            _refuse_living(target)
            shutil.rmtree(target.parent, ignore_errors=True)
            path.unlink()
            return
    if not stat.S_ISSOCK(found.st_mode):
        raise PodError(f"{path} is no socket: it is in the way; move it, or choose another directory")
    _refuse_living(path)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def _refuse_living(path: Path) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(0)
        try:
            probe.connect(str(path))
        except OSError as error:
            if error.errno not in {errno.EAGAIN, errno.EACCES, errno.EPERM}:
                return  # nobody listens
    raise PodError(f"somebody listens on {path}: stop that pod first, or choose another directory")


def _short_root() -> str:
    """Return a directory for temporary ones whose path leaves room for a socket."""
    found = tempfile.gettempdir()
    return found if len(os.fsencode(found)) < LONGEST_PATH // 2 else "/tmp"  # noqa: S108 - a private directory in it
