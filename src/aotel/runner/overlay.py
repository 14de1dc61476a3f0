"""Packages that are installed for one run alone: into a directory of the run, by and for the child's own Python."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING, Final

from aotel.errors import AotelError
from aotel.runner.command import python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from pathlib import Path

_KEPT_LINES: Final = 15
_ASK_TIMEOUT: Final = 20  # seconds
_SHOWN: Final = 200  # characters of a line
_TELLING = re.compile(r"(Collecting|Downloading|Building|Installing|Successfully|Resolved|Prepared|Installed| \+ )")


class InstallError(AotelError):
    """Packages that could not be installed; nothing is run then."""


def python_for(executable: str, environ: Mapping[str, str]) -> str:
    """Return the Python that packages are installed for: the child's, else the first of `PATH`, else our own."""
    found = python_of(executable, environ)
    if found is None:
        path = environ.get("PATH", os.defpath)
        found = shutil.which("python", path=path) or shutil.which("python3", path=path)
    return found or sys.executable


def install(
    packages: Sequence[str],
    target: Path,
    python: str,
    environ: Mapping[str, str],
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Install packages with what they depend on.

    Args:
        packages: requirements, as pip takes them.
        target: the directory, which is made.
        python: the interpreter that they are for.
        environ: the environment, in which `PIP_*` and `UV_*` variables count.
        tell: called with each line of the installer that says how far it is.

    Raises:
        InstallError: it failed; the message has the installer's last lines.
    """
    command = [*_installer(python, environ), "--target", str(target), "--", *packages]
    clean = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    try:
        with subprocess.Popen(  # noqa: S603, SIM117 - what the user asked for; the second needs the first
            command, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as installer:
            with _ended_with_us(installer):
                for line in _lines(installer):
                    said.append(line)
                    if _TELLING.match(line):
                        tell(line.strip()[:_SHOWN])
    except OSError as error:
        msg = f"the installer {command[0]} can't be started: {error.strerror}"
        raise InstallError(msg) from None
    if installer.returncode:
        last = "\n  ".join(said) or f"it said nothing, and exited with {installer.returncode}"
        msg = f"{', '.join(packages)} could not be installed for {python}, so nothing was run:\n  {last}"
        raise InstallError(msg)


def _installer(python: str, environ: Mapping[str, str]) -> list[str]:
    """Return the command that installs for a Python: uv, its own pip, or another's pip that can install for it."""
    uv = shutil.which("uv", path=environ.get("PATH", os.defpath))
    if uv is not None:
        return [uv, "pip", "install", "--no-progress", "--python", python]
    quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    if _has_pip([python], environ):
        return [python, "-m", "pip", "install", *quiet]
    if _has_pip([sys.executable], os.environ):
        return [sys.executable, "-m", "pip", "--python", python, "install", *quiet]
    msg = f"nothing can install packages: {python} has no pip, and there is no uv; get one of them"
    raise InstallError(msg)


def _has_pip(python: Sequence[str], environ: Mapping[str, str]) -> bool:
    clean = {name: value for name, value in environ.items() if name != "PYTHONPATH"}
    try:
        asked = subprocess.run(  # noqa: S603 - the Python that the user runs
            [*python, "-m", "pip", "--version"],
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_ASK_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


@contextlib.contextmanager
def _ended_with_us(installer: subprocess.Popen[bytes]) -> Generator[None]:
    """See to it that an installer doesn't go on after an interrupt."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            installer.send_signal(signal.SIGTERM)
        raise


def _lines(installer: subprocess.Popen[bytes]) -> Iterator[str]:
    assert installer.stdout is not None  # noqa: S101 - it is a pipe
    for line in installer.stdout:
        text = line.decode(errors="replace").rstrip()
        if text:
            yield text
