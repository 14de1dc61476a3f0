"""The command that is to be run: which file it is, whether Python runs it, and what the run is called after it."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aotel.errors import AotelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
"""Exit statuses as shells have them."""

_PYTHON = re.compile(r"(python|pypy)\d*(\.\d+)*t?")
_UNSUITABLE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 40
_LONGEST_SHEBANG: Final = 256  # bytes, as much as Linux reads


class CommandError(AotelError):
    """A command that can't be run.

    Args:
        message: why.
        status: what a shell would exit with.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def find(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of the file that a command's name stands for, as a shell finds it.

    Args:
        name: a path if it has a slash in it, else a name to look for in the directories of `PATH`.
        environ: the environment that `PATH` is read from.

    Raises:
        CommandError: there is no such file, or it can't be executed.
    """
    if "/" in name:
        return _checked(name)
    path = environ.get("PATH", os.defpath)
    found = shutil.which(name, path=path) if name else None
    if found is not None:
        return found
    for directory in path.split(os.pathsep):
        candidate = Path(directory or ".", name)
        if name and candidate.is_file():
            msg = f"{candidate} can't be executed: it needs the permission to (chmod +x)"
            raise CommandError(msg, NOT_EXECUTABLE)
    hint = f"; ./{name} is here" if name and Path(name).is_file() else ""
    msg = f"there is no command {name!r} in the directories of PATH{hint}"
    raise CommandError(msg, NOT_FOUND)


def _checked(path: str) -> str:
    try:
        is_directory = Path(path).is_dir()
        exists = Path(path).exists()
    except OSError as error:
        msg = f"{path} can't be reached: {error.strerror}"
        raise CommandError(msg, NOT_EXECUTABLE) from None
    if not exists:
        msg = f"there is no file {path}"
        raise CommandError(msg, NOT_FOUND)
    if is_directory:
        msg = f"{path} is a directory, not a program"
        raise CommandError(msg, NOT_EXECUTABLE)
    if not os.access(path, os.X_OK):
        msg = f"{path} can't be executed: it needs the permission to (chmod +x)"
        raise CommandError(msg, NOT_EXECUTABLE)
    return path


def refused(name: str, error: OSError) -> CommandError:
    """Return the error for a command that was found, but that the system doesn't start."""
    status = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
    # The file is there: what is missing is the interpreter that its first line names.
    why = "the interpreter that its first line names is not there" if status == NOT_FOUND else error.strerror
    return CommandError(f"{name} can't be started: {why}", status)


def python_of(executable: str, environ: Mapping[str, str]) -> str | None:
    """Return the Python that runs a program: itself, the one that its first line names, or None for other programs.

    Args:
        executable: path of the program.
        environ: the environment that it will have.
    """
    if _is_python(executable):
        return executable
    words = _shebang(executable)
    if words and Path(words[0]).name == "env":
        name = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), "")
        return shutil.which(name, path=environ.get("PATH", os.defpath)) if _is_python(name) else None
    return words[0] if words and _is_python(words[0]) else None


def _is_python(path: str) -> bool:
    return _PYTHON.fullmatch(Path(path).name) is not None


def _shebang(path: str) -> list[str]:
    try:
        with Path(path).open("rb") as file:
            first = file.readline(_LONGEST_SHEBANG)
    except OSError:
        return []
    return os.fsdecode(first[2:]).split() if first.startswith(b"#!") else []


def run_name(argv: Sequence[str]) -> str:
    """Return what to call a run: after the script or module, if Python runs one, else after the program."""
    name = argv[0]
    if _is_python(name):
        arguments = iter(argv[1:])
        for argument in arguments:
            if argument == "-m":
                name = next(arguments, name)
            elif not argument.startswith("-"):
                name = argument
            elif argument in {"-W", "-X"}:
                next(arguments, None)
                continue
            elif argument != "-c":
                continue
            break
    return clean_name(Path(name).stem) or "run"


def clean_name(name: str) -> str:
    """Return a name that can be part of a file's: ASCII letters, digits, dots, dashes and underscores."""
    return _UNSUITABLE.sub("-", name)[:_LONGEST_NAME].strip("-.")
