"""A pseudo-terminal with a session of its own, in which a command runs in the foreground; keys can be typed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self


class Terminal:
    """Runs a command in it; a context manager that leaves nothing behind.

    Args:
        command: the program and its arguments.
        cwd: its working directory.
        env: its environment.
        size: rows and columns.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, env: Mapping[str, str], size: tuple[int, int] = (40, 120)
    ) -> None:
        self.output = b""
        self.status: int | None = None
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execvpe(command[0], list(command), dict(env))
            finally:
                os._exit(70)
        self.resize(*size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.hang_up()

    def hang_up(self) -> None:
        """Close it, as a window is closed, or a line breaks."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def resize(self, rows: int, columns: int) -> None:
        """Give it another size."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        """Type; `b"\\x03"` is Ctrl-C."""
        os.write(self._master, keys)

    def read(self, seconds: float = 0.05) -> bytes:
        """Read what is there, or comes within a moment; return all there was so far."""
        deadline = time.monotonic() + seconds
        while (
            self._master >= 0
            and (left := deadline - time.monotonic()) > 0
            and select.select([self._master], [], [], left)[0]
        ):
            try:
                chunk = os.read(self._master, 1 << 16)
            except OSError:  # EIO: nobody has it open any more
                break
            if not chunk:
                break
            self.output += chunk
        return self.output

    def wait_for(self, text: bytes, seconds: float = 15) -> None:
        """Read until a text has come.

        Raises:
            TimeoutError: it doesn't come in time.
        """
        deadline = time.monotonic() + seconds
        while text not in self.read():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {text!r} in {self.output!r}")

    def wait(self, seconds: float = 20) -> int:
        """Read until the command has ended; return its exit status, 128+n for a signal.

        Raises:
            TimeoutError: it doesn't end in time.
        """
        deadline = time.monotonic() + seconds
        while self.status is None:
            self.read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = code if code >= 0 else 128 - code
            elif time.monotonic() > deadline:
                raise TimeoutError(f"it still runs: {self.output!r}")
        self.read()
        return self.status
