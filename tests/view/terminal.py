"""A terminal for tests: programs run in a real pseudo-terminal, and pyte shows what a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator

_ROOT = Path(__file__).parents[2]


class Screen(pyte.HistoryScreen):
    """What xterm and VTE do when their size changes, which pyte does differently."""

    pulls_back = False
    """Whether rows that were added show what had left the screen at the top, as VTE does; else they are empty."""

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        lines, columns = lines or self.lines, columns or self.columns
        fewer = max(self.lines - lines, 0)
        from_top = max(fewer - (self.lines - 1 - self.cursor.y), 0)  # empty rows below the cursor go first
        for _ in range(from_top):
            self.history.top.append(self.buffer[0])
            self._shift(-1)
        if self.pulls_back:
            for _ in range(min(lines - self.lines, len(self.history.top))):
                self._shift(1)
                self.buffer[0] = self.history.top.pop()
        for y in list(self.buffer):
            if y >= lines:
                del self.buffer[y]
        self.lines, self.columns = lines, columns
        self.margins = None
        self.cursor.y, self.cursor.x = min(self.cursor.y, lines - 1), min(self.cursor.x, columns - 1)
        self.dirty.update(range(lines))

    def _shift(self, by: int) -> None:
        rows = {y + by: row for y, row in self.buffer.items() if y + by >= 0}
        self.buffer.clear()
        self.buffer.update(rows)
        self.cursor.y += by


class Terminal:
    """A program and the screen that it writes to."""

    def __init__(
        self, program: str, *, columns: int = 80, rows: int = 24, environ: dict[str, str] | None = None
    ) -> None:
        self.screen = Screen(columns, rows, history=5_000)
        self._stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        self.master, slave = pty.openpty()
        self._set_size(columns, rows)
        variables = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "PYTHONPATH": f"{_ROOT / 'src'}{os.pathsep}{_ROOT}",
        }
        variables |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"} | (environ or {})
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={name: value for name, value in variables.items() if value},
            close_fds=True,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - it makes one system call
        )
        os.close(slave)

    @property
    def rows(self) -> list[str]:
        """What the screen shows, without spaces at the ends of rows."""
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    @property
    def everything(self) -> str:
        """What the screen shows, and what has left it at the top."""
        width = self.screen.columns
        above = ["".join(line[x].data for x in range(width)).rstrip() for line in self.screen.history.top]
        return "\n".join([*above, *self.rows])

    def pump(self, seconds: float = 0.05) -> bool:
        """Take what is there; return whether the program may write more."""
        deadline = time.monotonic() + seconds
        while True:
            readable, _, _ = select.select([self.master], [], [], max(deadline - time.monotonic(), 0))
            if not readable:
                return True
            try:
                data = os.read(self.master, 1 << 16)
            except OSError:  # EIO: nobody has the other end any more
                return False
            if not data:
                return False
            self.written += data
            self._stream.feed(data)

    def wait_for(self, holds: Callable[[], object], seconds: float = 10.0) -> None:
        """Look at the screen until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            more = self.pump()
            if holds():
                return
            if not more or time.monotonic() > deadline:
                pytest_fail(f"not seen on the screen:\n{self.everything}")

    def wait_for_text(self, text: str, seconds: float = 10.0) -> None:
        self.wait_for(lambda: text in self.everything, seconds)

    def finish(self, seconds: float = 15.0) -> int:
        """Read to the program's end, and return its status."""
        deadline = time.monotonic() + seconds
        while self.pump():
            if time.monotonic() > deadline:
                pytest_fail(f"the program goes on:\n{self.everything}")
            if self.process.poll() is not None and not self._has_more():
                break
        return self.process.wait(5)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as a person does who drags its corner."""
        self.pump(0.3)
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        self.process.wait(5)
        os.close(self.master)

    def _has_more(self) -> bool:
        return bool(select.select([self.master], [], [], 0)[0])

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextlib.contextmanager
def terminal(
    program: str, *, columns: int = 80, rows: int = 24, environ: dict[str, str] | None = None
) -> Iterator[Terminal]:
    """Run a program, and see to it that it ends."""
    opened = Terminal(program, columns=columns, rows=rows, environ=environ)
    try:
        yield opened
    finally:
        opened.close()


def pytest_fail(message: str) -> None:
    raise AssertionError(message)


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
