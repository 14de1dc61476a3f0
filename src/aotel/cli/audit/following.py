"""Until Ctrl-C: what follows a log ends in order, with what it still holds."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self


class UntilInterrupted:
    """Takes the first SIGINT as the wish to end; a second one interrupts, as ever."""

    def __init__(self) -> None:
        self.is_over = False

    def __enter__(self) -> Self:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _end(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        self.is_over = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
