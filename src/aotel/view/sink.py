"""Where a view writes: a stream that may be full, closed or gone, which is nobody's business but the view's."""

from __future__ import annotations

import contextlib
import os
import select
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_LOOK: Final = 0.2  # seconds between looks at whether it is still worth waiting for a full pipe


class Sink:
    """Writes text in one piece, past the stream's own buffer where there is a descriptor below it.

    The buffer's lock, held by a thread of ours, would be fatal while the interpreter ends.

    Args:
        stream: what to write to.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.descriptor = _descriptor(stream)
        self.is_broken = stream is None
        self.is_abandoned = False
        """Whether nobody waits any more for what a full pipe doesn't take."""
        if self.descriptor is not None:
            with contextlib.suppress(Exception):
                stream.flush()  # type: ignore[union-attr]  # what was written before comes first

    @property
    def is_terminal(self) -> bool:
        """Whether somebody sits at the other end."""
        return self.descriptor is not None and _is_terminal(self.descriptor)

    def write(self, text: str, *, patience: float | None = None) -> bool:
        """Write a text; return whether that could be done. Never raises; once broken, it stays so.

        Args:
            text: what to write.
            patience: seconds to wait for a terminal that was stopped (Ctrl-S); None for ever.
        """
        if self.is_broken or not text:
            return not self.is_broken
        if patience is not None and not self._takes_more(patience):
            return False
        try:
            if self.descriptor is None:
                self._write_to_stream(text)
            else:
                self._write_all(self.descriptor, text.encode(self.encoding, "backslashreplace"))
        except Exception:  # noqa: BLE001 - closed, a broken pipe, no space: there is no place left to say it in
            self.is_broken = True
        return not self.is_broken

    def _takes_more(self, patience: float) -> bool:
        try:
            return self.descriptor is None or bool(select.select([], [self.descriptor], [], patience)[1])
        except (OSError, ValueError):
            return False

    def _write_to_stream(self, text: str) -> None:
        stream = self._stream
        assert stream is not None  # noqa: S101 - else it is broken
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()

    def _write_all(self, descriptor: int, data: bytes) -> None:
        while data and not self.is_abandoned:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:  # somebody who shares the terminal has made it so
                select.select([], [descriptor], [], _LOOK)


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (AttributeError, OSError, ValueError):  # io.UnsupportedOperation is both of the latter
        return None


def _is_terminal(descriptor: int) -> bool:
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def size(descriptor: int | None) -> tuple[int, int]:
    """Return how many columns and rows a terminal has; the usual ones where it doesn't say."""
    with contextlib.suppress(OSError):
        columns, rows = os.get_terminal_size(-1 if descriptor is None else descriptor)
        if columns > 0 and rows > 0:
            return columns, rows
    return 80, 24
