"""The signals that reach us while a child runs: each with who sent it, where the system tells."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import FrameType, TracebackType

    from typing_extensions import Self

_WATCHED: Final = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGCHLD,
    signal.SIGWINCH,
)
_SI_KERNEL: Final = 0x80
_SHARED_STEP: Final = 0.1  # seconds: where another thread may get the signal, it wakes nobody
_THREADS: Final = Path("/proc/self/task")


@contextlib.contextmanager
def held_back() -> Generator[None]:
    """Block the signals that a run watches: threads that are started meanwhile leave them to the main thread."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


class Received(NamedTuple):
    """A signal.

    Attributes:
        number: which.
        terminal: whether the terminal sent it, which sends to all of the foreground; None where the system doesn't say.
        sender: process that sent it, 0 if that is not known.
        time: seconds of the monotonic clock.
    """

    number: int
    terminal: bool | None
    sender: int
    time: float


class Signals:
    """Holds signals back and hands them out, for as long as the block lasts; in the main thread only.

    A signal that was ignored when we came stays so, for us and for the child: `nohup` means it.

    Attributes:
        mask: the signals that were blocked when we came; a child has to be started with it.
    """

    def __init__(self, *, tells_senders: bool = hasattr(signal, "sigtimedwait")) -> None:
        self._tells_senders = tells_senders
        self._numbers: tuple[int, ...] = ()
        self._former: dict[int, Any] = {}
        self._seen: list[Received] = []
        self._pipe: tuple[int, int] | None = None
        self._former_wakeup = -1
        self._alone = True
        self.mask: set[signal.Signals | int] = set()

    def __enter__(self) -> Self:
        self._numbers = tuple(n for n in _WATCHED if n == signal.SIGCHLD or signal.getsignal(n) is not signal.SIG_IGN)
        self.mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers if self._tells_senders else ()))
        if not self._tells_senders:
            reader, writer = os.pipe()
            for end in (reader, writer):
                os.set_blocking(end, False)
            self._pipe = (reader, writer)
            self._former_wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        # Also where they are blocked: a thread that was there before us doesn't block them.
        self._former = {number: signal.signal(number, self._see) for number in self._numbers}
        self._alone = _all_threads_hold_back(self._numbers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.wait(0)  # what came for the child must not end us after it
        for number, handler in self._former.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)
        if self._pipe is not None:
            signal.set_wakeup_fd(self._former_wakeup)
            for end in self._pipe:
                os.close(end)
            self._pipe = None

    def wait(self, timeout: float) -> list[Received]:
        """Return the signals that came, as soon as there is one; none after `timeout` seconds, or a little earlier."""
        if not self._tells_senders:
            self._wait_for_pipe(timeout)
        else:
            pause = timeout if self._alone else min(timeout, _SHARED_STEP)
            while (found := signal.sigtimedwait(self._numbers, max(pause, 0))) is not None:
                sender = 0 if found.si_code == _SI_KERNEL else found.si_pid
                self._seen.append(
                    Received(found.si_signo, found.si_code == _SI_KERNEL, sender, time.monotonic()),
                )
                pause = 0
        seen, self._seen = self._seen, []
        return seen

    def stop_here(self) -> None:
        """Do what the terminal's stop signal does to a program that doesn't watch it; return when we go on."""
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        former = signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTSTP])  # here we stop
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        signal.signal(signal.SIGTSTP, self._see)

    def _see(self, number: int, _frame: FrameType | None) -> None:
        self._seen.append(Received(number, None, 0, time.monotonic()))

    def _wait_for_pipe(self, timeout: float) -> None:
        assert self._pipe is not None  # noqa: S101 - inside the block it is there
        if not self._seen and select.select([self._pipe[0]], [], [], max(timeout, 0))[0]:
            while True:
                try:
                    if not os.read(self._pipe[0], 512):
                        return
                except BlockingIOError:
                    return


def _all_threads_hold_back(numbers: Iterable[int]) -> bool:
    """Say whether every thread of this process blocks some signals; false where the system doesn't tell."""
    wanted = sum(1 << (number - 1) for number in numbers)
    try:
        for thread in _THREADS.iterdir():
            text = (thread / "status").read_text()
            blocked = int(text.partition("SigBlk:")[2].split(maxsplit=1)[0], 16)
            if blocked & wanted != wanted:
                return False
    except (OSError, ValueError, IndexError):
        return False
    return True
