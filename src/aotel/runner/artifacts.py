"""What the child has left in its output directory, copied into the run: regular files, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from aotel.errors import AotelError, ConfigurationError
from aotel.runner.quantities import in_words

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_LIMIT: Final = 100 * 1024**2
_CHUNK: Final = 1 << 18
_DEEPEST: Final = 64
_MOST: Final = 10_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Not blocking: what was a regular file a moment ago may be a pipe that nobody writes to.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Artifact(NamedTuple):
    """One file, and what became of it.

    Attributes:
        path: relative to the output directory, as text.
        bytes: how large it is, as far as is known.
        sha256: of a collected one, in hexadecimal.
        message: why it was refused; None for one that was collected.
    """

    path: str
    bytes: int
    sha256: str | None
    message: str | None

    @property
    def collected(self) -> bool:
        """Whether it is in the run."""
        return self.message is None


class Place(NamedTuple):
    """An output directory, held on to before the child runs: what is above it can't be exchanged then.

    Attributes:
        above: descriptor of the deepest directory above it that was there.
        steps: the names from there down to it.
        given: the path as the user gave it.
    """

    above: int
    steps: tuple[str, ...]
    given: str


class _RefusedError(AotelError):
    """A file, or a directory, that is not collected."""


def hold(path: Path) -> Place:
    """Return an output directory, which need not exist yet; `Place.above` is to be closed.

    Raises:
        ConfigurationError: `..` is in the path, or it can't be reached.
    """
    if ".." in path.parts:
        msg = f"the output directory is named without '..', got {path}"
        raise ConfigurationError(msg)
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow a link at its end
    steps = [absolute.name] if absolute.name else []
    above = absolute.parent
    while not above.is_dir() and above.name:
        steps.insert(0, above.name)
        above = above.parent
    try:
        return Place(os.open(above, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), tuple(steps), str(path))
    except OSError as error:
        msg = f"the output directory {path} can't be reached: {above}: {error.strerror}"
        raise ConfigurationError(msg) from None


@dataclass
class Collector:
    """Copies what is in an output directory.

    Args:
        target: descriptor of the directory to copy to.
        limit: bytes that may be copied.
        tell: called with each artifact as soon as it is known what became of it.
        skip: directories, as device and inode, that are not looked into: the run's own.
        interrupted: asked now and then whether to stop.

    Attributes:
        collected: how many were copied.
        refused: how many were not.
        bytes: how much was copied.
    """

    target: int
    limit: int
    tell: Callable[[Artifact], None]
    skip: frozenset[tuple[int, int]] = frozenset()
    interrupted: Callable[[], bool] = lambda: False
    collected: int = 0
    refused: int = 0
    bytes: int = 0
    _stopped: bool = field(default=False, repr=False)

    def collect(self, place: Place) -> None:
        """Copy all there is; nothing is there if the child has made no such directory."""
        try:
            folder = _walk(place)
        except FileNotFoundError:
            return
        except (_RefusedError, OSError) as error:
            self._refuse(place.given, 0, _reason(error))
            return
        try:
            self._folder(folder, self.target, "", 0)
        finally:
            os.close(folder)

    def _folder(self, folder: int, target: int, path: str, depth: int) -> None:
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            self._refuse(path or ".", 0, _reason(error))
            return
        for name in names:
            if self._stopped:
                return
            self._one(folder, target, name, f"{path}/{name}" if path else name, depth)

    def _one(self, folder: int, target: int, name: str, path: str, depth: int) -> None:
        before: os.stat_result | None = None
        try:
            before = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if (before.st_dev, before.st_ino) in self.skip:
                return
            self._go_on()
            if stat.S_ISDIR(before.st_mode):
                self._descend(folder, target, name, path, depth)
            else:
                self._file(folder, target, name, path, before)
        except (_RefusedError, OSError) as error:
            self._refuse(path, before.st_size if before is not None else 0, _reason(error))

    def _go_on(self) -> None:
        if self.interrupted():
            self._stopped = True
            raise _RefusedError("collecting was interrupted here; what comes after it is left out")
        if self.collected + self.refused >= _MOST:
            self._stopped = True
            raise _RefusedError(f"there are more than {_MOST} files; this one and what comes after it are left out")

    def _descend(self, folder: int, target: int, name: str, path: str, depth: int) -> None:
        if depth >= _DEEPEST:
            raise _RefusedError(f"it is more than {_DEEPEST} directories deep")
        inner = os.open(name, _FOLDER, dir_fd=folder)
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=target)
            copy = os.open(name, _FOLDER, dir_fd=target)
            try:
                self._folder(inner, copy, path, depth + 1)
            finally:
                os.close(copy)
        finally:
            os.close(inner)

    def _file(self, folder: int, target: int, name: str, path: str, before: os.stat_result) -> None:
        _check_kind(before)
        if before.st_size > self.limit - self.bytes:
            raise _RefusedError(
                f"it has {in_words(before.st_size)}, and {in_words(self.limit - self.bytes)} are left of the limit of "
                f"{in_words(self.limit)}"
            )
        source = os.open(name, _FILE, dir_fd=folder)
        try:
            opened = os.fstat(source)
            _check_kind(opened)
            if _identity(opened) != _identity(before):
                raise _RefusedError("it changed while it was copied")
            part = f".part-{secrets.token_hex(8)}"
            try:
                digest = self._copy(source, target, part, before)
                _check_unchanged(source, folder, name, before)
                os.rename(part, name, src_dir_fd=target, dst_dir_fd=target)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(part, dir_fd=target)
                raise
        finally:
            os.close(source)
        self.collected += 1
        self.bytes += before.st_size
        self.tell(Artifact(as_text(path), before.st_size, digest, None))

    def _copy(self, source: int, target: int, part: str, before: os.stat_result) -> str:
        """Copy as many bytes as there were, and return their digest."""
        digest = hashlib.sha256()
        copy = os.open(part, _NEW, 0o600, dir_fd=target)
        try:
            left = before.st_size
            while chunk := os.read(source, min(_CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    raise _RefusedError("it grew while it was copied")
                if self.interrupted():
                    self._stopped = True
                    raise _RefusedError("collecting was interrupted in the middle of it")
                digest.update(chunk)
                _write(copy, chunk)
            os.fchmod(copy, 0o600 | before.st_mode & 0o100)
            os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
        finally:
            os.close(copy)
        return digest.hexdigest()

    def _refuse(self, path: str, size: int, message: str) -> None:
        self.refused += 1
        self.tell(Artifact(as_text(path), size, None, message))


def _walk(place: Place) -> int:
    """Return a descriptor of the output directory; no step on the way may be a link."""
    folder = os.dup(place.above)
    for step in place.steps:
        try:
            if stat.S_ISLNK(os.stat(step, dir_fd=folder, follow_symlinks=False).st_mode):
                raise _RefusedError(f"{step} is a symbolic link; name the directory itself")
            inner = os.open(step, _FOLDER, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _check_kind(found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    if stat.S_ISLNK(found.st_mode):
        raise _RefusedError("it is a symbolic link, and those are not followed")
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((words for test, words in kinds if test(found.st_mode)), "a device")
    raise _RefusedError(f"it is {kind}, not a file")


def _check_unchanged(source: int, folder: int, name: str, before: os.stat_result) -> None:
    """Look at the open file and at what its name stands for now."""
    named = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not _identity(os.fstat(source)) == _identity(named) == _identity(before):
        raise _RefusedError("it changed while it was copied")


def _identity(found: os.stat_result) -> tuple[int, int, int, int, int]:
    # A writer can set the time of modification back, but not that of change.
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _write(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _reason(error: BaseException) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def as_text(path: str) -> str:
    """Return a path that can be written as UTF-8: bytes that are no text become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
