"""The child process: started with our descriptors as they are, watched for its end, and told of signals."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

from aotel.runner.command import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_SHELL = "/bin/sh"
# Python ignores them for itself; a child must not inherit that.
_RESET = tuple(getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ") if hasattr(signal, name))


class Exit(NamedTuple):
    """How a process ended: with an exit code, or by a signal."""

    code: int | None
    signal: int | None

    @property
    def status(self) -> int:
        """The exit status as a shell has it."""
        return self.code if self.code is not None else 128 + (self.signal or 0)

    @property
    def signal_name(self) -> str | None:
        """The signal's name, `SIGKILL`."""
        if self.signal is None:
            return None
        try:
            return signal.Signals(self.signal).name
        except ValueError:
            return f"SIG{self.signal}"


class Child:
    """A child of this process.

    Args:
        pid: its process id; it stays its own until `poll` has seen the end.

    Attributes:
        exit: how it ended, None while it runs.
        stopped_by: the signal that stopped it, None while it runs on.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.started = time.monotonic()
        self.exit: Exit | None = None
        self.stopped_by: int | None = None
        self.ended = 0.0

    @classmethod
    def start(cls, executable: str, argv: Sequence[str], environ: Mapping[str, str], mask: Iterable[int] = ()) -> Child:
        """Start a program, in our process group, with every inheritable descriptor of ours.

        Args:
            executable: path of the file.
            argv: its arguments, its own name first.
            environ: its environment.
            mask: signals that it starts with blocked.

        Raises:
            CommandError: the system doesn't start it.
        """
        spawn = {"setsigmask": tuple(mask), "setsigdef": _RESET}
        try:
            pid = os.posix_spawn(executable, list(argv), environ, **spawn)  # type: ignore[arg-type]
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise refused(argv[0], error) from None
            # A script without a first line that names its interpreter is the shell's: POSIX has it so for execvp.
            try:
                pid = os.posix_spawn(_SHELL, [_SHELL, executable, *argv[1:]], environ, **spawn)  # type: ignore[arg-type]
            except OSError as second:
                raise refused(argv[0], second) from None
        return cls(pid)

    def poll(self) -> bool:
        """Look how it is; return whether it has ended."""
        while self.exit is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:  # somebody else in this process has waited for it
                self._end(Exit(None, None))
                break
            if pid == 0:
                return False
            if os.WIFSTOPPED(status):
                self.stopped_by = os.WSTOPSIG(status)
            elif os.WIFCONTINUED(status):
                self.stopped_by = None
            elif os.WIFSIGNALED(status):
                self._end(Exit(None, os.WTERMSIG(status)))
            else:
                self._end(Exit(os.WEXITSTATUS(status), None))
        return True

    def _end(self, found: Exit) -> None:
        self.exit = found
        self.stopped_by = None
        self.ended = time.monotonic()

    def send(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.exit is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def is_in_our_group(self) -> bool:
        """Say whether the terminal's signals that reach us reach it too."""
        try:
            return os.getpgid(self.pid) == os.getpgrp()
        except ProcessLookupError:
            return True
