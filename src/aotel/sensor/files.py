"""Files: which are opened, made, moved and removed, and which of that a policy doesn't allow."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from aotel.audit import actions
from aotel.sensor import arguments, origin, whereabouts
from aotel.sensor.event import Event
from aotel.sensor.python_paths import PythonPaths, is_compiling, may_use

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.sensor.event import Note
    from aotel.sensor.guard import Guard
    from aotel.sensor.hook import Handler
    from aotel.sensor.path_rules import PathRules

READ: Final = "read"
WRITE: Final = "write"

_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_SYSTEM: Final = ("/proc/", "/sys/", "/dev/")
_SHARED_MEMORY: Final = "/dev/shm/"  # noqa: S108 - files like others, although in memory
_ELSEWHERE: Final = ("/root/", "/cwd/", "/fd/")
_NO_DIRECTORY: Final = -1


class _Subject(NamedTuple):
    """A path among the arguments of an event that changes something."""

    path: int
    """Its place among the arguments."""
    directory: int | None
    """The place of the descriptor that it may be relative to."""
    is_entry: bool
    """Whether a link is meant itself, not what it leads to."""
    is_told: bool


_CHANGES: Final[dict[str, tuple[_Subject, ...]]] = {
    "os.mkdir": (_Subject(0, 2, is_entry=True, is_told=True),),
    "os.remove": (_Subject(0, 1, is_entry=True, is_told=True),),
    "os.rmdir": (_Subject(0, 1, is_entry=True, is_told=True),),
    "os.rename": (_Subject(0, 2, is_entry=True, is_told=True), _Subject(1, 3, is_entry=True, is_told=True)),
    # What has a second name in an allowed directory could be changed there.
    "os.link": (_Subject(0, 2, is_entry=False, is_told=False), _Subject(1, 3, is_entry=True, is_told=True)),
    "os.symlink": (_Subject(1, 2, is_entry=True, is_told=True),),
    "os.truncate": (_Subject(0, None, is_entry=False, is_told=True),),
    "os.chflags": (_Subject(0, None, is_entry=False, is_told=False),),
    "os.chmod": (_Subject(0, 2, is_entry=False, is_told=False),),
    "os.chown": (_Subject(0, 3, is_entry=False, is_told=False),),
    "os.removexattr": (_Subject(0, None, is_entry=False, is_told=False),),
    "os.setxattr": (_Subject(0, None, is_entry=False, is_told=False),),
    "os.utime": (_Subject(0, 3, is_entry=False, is_told=False),),
}


class FileWatch:
    """What a program does with files.

    Args:
        note: takes what happened.
        is_told: whether files are told of; if not, they are only judged.
        quiet: directories of our own, in which reading is not told of.
        rules: which paths are allowed; None for all.
        guard: does what there is to do about others.
    """

    def __init__(
        self,
        note: Note,
        *,
        is_told: bool,
        quiet: tuple[str, ...] = (),
        rules: PathRules | None = None,
        guard: Guard | None = None,
    ) -> None:
        self._note = note
        self._is_told = is_told
        self._python = PythonPaths()
        self._quiet = tuple(f"{directory.rstrip('/')}/" for directory in quiet)
        self._unremarkable = (*self._python.libraries, *_SYSTEM)
        self._rules = rules
        self._guard = guard if rules is not None else None
        # What needs no further look; where paths are judged, only what is allowed as well.
        self._ignored = self._unremarkable if self._guard is None else self._python.libraries

    def handlers(self) -> dict[str, Handler]:
        """Return what handles which event."""
        found: dict[str, Handler] = {"open": self._opened, "sqlite3.connect": self._database}
        for event, subjects in _CHANGES.items():
            if self._guard is not None or any(subject.is_told for subject in subjects):
                found[event] = self._changes(event, subjects)
        return found

    def _opened(self, given: tuple[Any, ...]) -> None:
        path = given[0]
        kind = type(path)
        if kind is int:  # a descriptor: what it is of has been opened before
            return
        if kind is str:
            # The way that nearly all take, so it is short.
            if path.startswith(self._ignored) and self._is_ignored(path, given[2]):
                return
            name = path
        else:
            name = arguments.text(path)
        if name is None:
            if self._guard is not None and arguments.is_path_like(path):
                self._guard.unreadable("the opening of a file", f"it is given as a {type(path)!r}, not as text")
            return
        writes = _writes(given[1], given[2])
        if writes and given[1] is not None and os.path.isdir(name):  # noqa: PTH112 - texts throughout
            return  # for an opener, as tempfile has it: what that opens comes by itself
        relative = given[1] is None and not name.startswith("/")
        paths = whereabouts.candidates(name) if relative else [whereabouts.absolute(name)]
        self._judge(paths, writes=writes)
        self._tell(paths[0], WRITE if writes else READ)

    def _is_ignored(self, path: str, flags: object) -> bool:
        if ".." in path or path.startswith(_SHARED_MEMORY):
            return False
        if self._guard is not None:
            return arguments.number(flags) == os.O_RDONLY | os.O_CLOEXEC
        return not (path.startswith("/proc/") and any(part in path for part in _ELSEWHERE))

    def _database(self, given: tuple[Any, ...]) -> None:
        """SQLite opens its files by itself."""
        name = arguments.text(given[0])
        if name is None:
            if self._guard is not None and arguments.is_path_like(given[0]):
                self._guard.unreadable("the opening of a database", f"it is given as a {type(given[0])!r}, not as text")
            return
        parameters = ""
        if name.startswith("file:"):
            name, _, parameters = name.removeprefix("file:").partition("?")
            name = unquote(name.removeprefix("//localhost").removeprefix("//"))
        if name in {"", ":memory:"} or "mode=memory" in parameters:
            return
        writes = "mode=ro" not in parameters
        path = whereabouts.absolute(name)
        self._judge([path], writes=writes)
        self._tell(path, WRITE if writes else READ, "sqlite3.connect")

    def _changes(self, event: str, subjects: tuple[_Subject, ...]) -> Callable[[tuple[Any, ...]], None]:
        def handle(given: tuple[Any, ...]) -> None:
            found = [(path, subject) for subject in subjects if (path := _path_of(given, subject)) is not None]
            for path, subject in found:
                self._judge([path], writes=True, is_entry=subject.is_entry)
            for path, subject in found:
                if subject.is_told:
                    self._tell(path, WRITE, event)

        return handle

    def _judge(self, paths: list[str], *, writes: bool, is_entry: bool = False) -> None:
        """Hold the policy against a path, or against all that it may mean."""
        guard = self._guard
        if guard is None:
            return
        doing = "writing" if writes else "reading"
        try:
            real = [whereabouts.real(path, is_entry=is_entry) for path in paths]
            bad = next((path for path in real if not self._allows(path, writes=writes)), None)
            exporting = bad is not None and origin.is_exporting()
        except Exception as error:  # noqa: BLE001 - what can't be judged is not let through
            guard.unreadable(f"{doing} a file", f"{type(error).__name__} on the way to it")
            return
        if bad is not None and not exporting:
            guard.violation(bad, doing, is_told=not is_compiling(bad))

    def _allows(self, path: str, *, writes: bool) -> bool:
        rules = self._rules
        if rules is None or rules.allow(path):
            return True
        return may_use(path) if writes else self._python.may_read(path)

    def _tell(self, path: str, mode: str, via: str | None = None) -> None:
        if self._is_told and "/__pycache__" not in path:
            with contextlib.suppress(Exception):
                self._tell_of(path, mode, via)

    def _tell_of(self, path: str, mode: str, via: str | None) -> None:
        if ".." in path or path.startswith("/proc/"):
            path = whereabouts.real(path, is_entry=via is not None)
        elif "/." in path or "//" in path:
            path = os.path.normpath(path)
        if path.startswith(self._unremarkable) and not path.startswith(_SHARED_MEMORY):
            return
        if mode is READ and path.startswith(self._quiet):
            return
        if not origin.is_ours():
            fields = (("path", path), ("mode", mode)) if via is None else (("path", path), ("mode", mode), ("via", via))
            self._note(Event(actions.FILE_OPEN, fields, *origin.span_ids(), time.time_ns()))


def _writes(mode: object, flags: object) -> bool:
    """Say whether a file is opened to be written, by Python's mode or the system's flags."""
    number = arguments.number(flags)
    if number is not None and number & _WRITING:
        return True
    text = None if mode is None else arguments.text(mode)
    return text is not None and ("+" in text or text[:1] not in {"r", "b", "U", ""})


def _path_of(given: tuple[Any, ...], subject: _Subject) -> str | None:
    """Return the path that an event is about; None for a descriptor, and for what the system doesn't tell."""
    name = arguments.text(given[subject.path]) if subject.path < len(given) else None
    if name is None or name.startswith("/"):
        return name
    place = subject.directory
    descriptor = arguments.number(given[place]) if place is not None and place < len(given) else _NO_DIRECTORY
    if descriptor is None or descriptor == _NO_DIRECTORY:
        return whereabouts.absolute(name)
    directory = whereabouts.directory_of(descriptor)
    return None if directory is None else whereabouts.absolute(name, directory)
