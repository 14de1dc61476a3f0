"""`notify` and `progress`: what a person who watches should see, whether or not an operation is under way."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

from opentelemetry import trace

from aotel.calls.port import PORT
from aotel.tracing.tie import current_capture, hand_on

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from aotel.content import Capture, Tree

KINDS = ("lifecycle", "metrics", "activity", "warning", "error", "success")
NOTIFY = "notify"
PROGRESS = "progress"

_PAUSE = 0.1
"""Seconds between two reports of one progress: more than an eye can follow, and less than a log can take."""


def notify(kind: str, message: str, **details: object) -> None:
    """Tell the person who watches: in the live view, in the audit log, and as an event on the current span.

    Args:
        kind: "lifecycle", "metrics", "activity", "warning", "error" or "success".
        message: a sentence; written as the capture mode says, as are the details.
        details: what else there is to say, by name; any values.

    Raises:
        TypeError: `message` is not a string.
        ValueError: `kind` is none of those.
    """
    if kind not in KINDS:
        msg = f"kind is one of {', '.join(KINDS)}, got {kind!r:.80}"
        raise ValueError(msg)
    if not isinstance(message, str):
        msg = f"message is a string, got {type(message).__name__}: {message!r:.80}"
        raise TypeError(msg)
    _tell(NOTIFY, {"kind": kind}, {"message": message, **details})


class progress:  # noqa: N801 - used like a function, as the other blocks are
    """Shows how far a long piece of work has come: a bar in the live view.

        with aotel.progress("indexing", total=len(files)) as bar:
            for file in files:
                index(file)
                bar.advance()

    A sync and async context manager; `advance` may be called by many threads. It reports its start and its end, and
    in between at most ten times a second.

    Args:
        name: what the work is.
        total: how much there is to do; None if that is not known.

    Raises:
        TypeError: `name` is not a string, or `total` is not a number.
        ValueError: `total` is negative.
    """

    def __init__(self, name: str, total: float | None = None) -> None:
        if not isinstance(name, str):
            msg = f"name is a string, got {type(name).__name__}: {name!r:.80}"
            raise TypeError(msg)
        self._name = name
        self._total = None if total is None else _amount("total", total)
        self._done: float = 0
        self._told = 0.0
        self._lock = threading.Lock()

    def advance(self, n: float = 1) -> None:
        """Say that more was done.

        Args:
            n: how much, in the unit of `total`.

        Raises:
            TypeError: `n` is not a number.
            ValueError: `n` is negative.
        """
        amount = _amount("n", n)
        with self._lock:
            self._done += amount
            now = monotonic()
            due = now - self._told >= _PAUSE
            if due:
                self._told = now
        if due:
            self._tell("advanced")

    def __enter__(self) -> Self:
        self._told = monotonic()
        self._tell("started")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell("done" if kind is None else "failed")

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _tell(self, state: str) -> None:
        _tell(PROGRESS, {"done": self._done, "total": self._total, "state": state}, {"name": self._name})


def _amount(what: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        msg = f"{what} is a number, got {type(value).__name__}: {value!r:.80}"
        raise TypeError(msg)
    if not value >= 0:
        msg = f"{what} is a number from 0, got {value!r}"
        raise ValueError(msg)
    return value


def _tell(tag: str, facts: dict[str, Tree], content: dict[str, object]) -> None:
    """Hand a report on.

    Args:
        tag: what kind of report it is.
        facts: what is no content, and is written as it is wherever anything is written at all.
        content: what is content.
    """
    if not PORT.enabled:
        return
    try:
        PORT.open()
        capture = current_capture()
        hand_on(trace.get_current_span(), tag, _written(facts, content, capture), capture)
    except Exception as error:  # noqa: BLE001 - the host program must not suffer
        PORT.report(tag, error)


def _written(facts: dict[str, Tree], content: dict[str, object], capture: Capture) -> Tree:
    if not capture.writes:
        return None
    written = capture.value(content)
    # A hash or a summary of the content is one string.
    return {**(written if isinstance(written, dict) else {"content": written}), **facts}
