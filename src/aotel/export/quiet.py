"""Silence for the stock exporters' own log lines, but only for exports that we make.

A user may run the same stock exporters beside ours, on the same loggers: a filter drops the records made inside our
calls and no others, keeps their words for our one message, and is gone when the last of our exporters is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator

_KEPT = 4
_ALSO: Final = (
    "opentelemetry.exporter.otlp.common.http",
    "opentelemetry.exporter.otlp.proto.common._internal",
    "opentelemetry.exporter.otlp.proto.http._common",
    "opentelemetry.sdk._shared_internal",
    "opentelemetry.sdk.trace.export",
)


@dataclass
class Heard:
    """What would have been logged during a call.

    Attributes:
        messages: the last few, formatted.
        arguments: everything that was put into them: status codes among it.
    """

    messages: list[str] = field(default_factory=list[str])
    arguments: list[object] = field(default_factory=list[object])

    def note(self, record: logging.LogRecord) -> None:
        """Keep a record's words."""
        with contextlib.suppress(Exception):  # whoever logs may have botched the format
            if isinstance(record.args, tuple):
                self.arguments = [*self.arguments, *record.args][-_KEPT * 4 :]
            self.messages = [*self.messages, record.getMessage()][-_KEPT:]


_listening: ContextVar[Heard | None] = ContextVar("aotel_listening", default=None)


@contextlib.contextmanager
def listening() -> Generator[Heard]:
    """Keep what the loggers that are `hushed` say in this context, instead of letting it through."""
    heard = Heard()
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


class _OwnCalls(logging.Filter):
    """Lets everything pass that isn't said during a call of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        heard = _listening.get()
        if heard is None:
            return True
        if record.levelno >= logging.INFO:
            heard.note(record)
        return False


class Hush:
    """The filter on the loggers of an exporter, for as long as it is needed.

    Args:
        exporter: a stock exporter; its loggers are those of the modules its classes are from.
    """

    lock = threading.Lock()
    _users: dict[str, int] = {}  # noqa: RUF012  one count for the process, under the lock
    _filter = _OwnCalls()

    def __init__(self, exporter: object) -> None:
        modules = {each.__module__ for each in type(exporter).__mro__}
        self._names = sorted({name for name in modules if name.startswith("opentelemetry.exporter")}.union(_ALSO))
        self._lifted = False
        with self.lock:
            for name in self._names:
                self._users[name] = self._users.get(name, 0) + 1
                if self._users[name] == 1:
                    _put_first(logging.getLogger(name), self._filter)

    def lift(self) -> None:
        """Take the filter away, unless another exporter needs it."""
        with self.lock:
            if self._lifted:
                return
            self._lifted = True
            for name in self._names:
                self._users[name] -= 1
                if not self._users[name]:
                    del self._users[name]
                    logger = logging.getLogger(name)
                    logger.filters = [each for each in logger.filters if each is not self._filter]


def _put_first(logger: logging.Logger, own: logging.Filter) -> None:
    # Before the stock filter against repeated messages: it would remember ours, and swallow the user's next one.
    # Bound anew instead of changed: another thread may be going through the list.
    logger.filters = [own, *logger.filters]


def _renew_lock() -> None:
    Hush.lock = threading.Lock()


# Another thread may hold the lock while the process forks.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
