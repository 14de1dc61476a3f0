"""Carries what was seen to the pod, in a thread of its own: repeats are folded, and nothing waits for it."""

from __future__ import annotations

import atexit
import json
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from aotel.envelopes.times import timestamp
from aotel.export.connection import Connection, NoReplyError
from aotel.forking import Forking, watch

if TYPE_CHECKING:
    from threading import local

_INTERVAL: Final = 0.2  # seconds in which repeats are folded
_MOST: Final = 10_000  # events that wait
_REQUEST: Final = 200  # events of one request
_TIMEOUT: Final = 1.0
_CLOSING: Final = 1.5

_logger = logging.getLogger("aotel")


class Telling(Forking):
    """Sends events to a pod's queue socket, the oldest first.

    Args:
        path: of the socket.
        own: marks the threads whose doings are not told.
    """

    def __init__(self, path: str, own: local) -> None:
        self._path = path
        self._own = own
        self._dropped = 0
        self._failed = False
        self._renew()
        watch(self)
        atexit.register(self.close)

    def _renew(self) -> None:
        self._waiting: deque[tuple[dict[str, Any], int]] = deque(maxlen=_MOST)
        self._connection = Connection(self._path, timeout=_TIMEOUT)
        self._closing = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def after_fork_in_child(self) -> None:
        """Start anew: what waits is the parent's to tell."""
        self._connection.close()
        self._renew()

    def put(self, event: dict[str, Any], time: int) -> None:
        """Take an event; never waits.

        Args:
            event: what happened.
            time: when, ns since the epoch.
        """
        if len(self._waiting) == _MOST:
            self._dropped += 1
        self._waiting.append((event, time))
        if self._thread is None and not self._closing.is_set() and self._starting.acquire(blocking=False):
            try:
                if self._thread is None:
                    thread = threading.Thread(target=self._work, name="aotel-sensor", daemon=True)
                    thread.start()
                    self._thread = thread
            except RuntimeError:  # the interpreter ends: `close` sends what waits
                return
            finally:
                self._starting.release()

    def close(self) -> None:
        """Send what waits, within a second or so."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_CLOSING)
        else:
            self._send()
        self._connection.close()

    def _work(self) -> None:
        self._own.busy = True
        while not self._closing.wait(_INTERVAL):
            self._send()
        self._send()

    def _send(self) -> None:
        before, self._own.busy = getattr(self._own, "busy", False), True
        try:
            with suppress_instrumentation():
                while self._waiting:
                    self._request(self._folded())
        except NoReplyError as error:
            self._waiting.clear()
            if not self._failed:
                self._failed = True
                _logger.warning("aotel: the pod is not told what this process does (%s); this is said once", error)
        finally:
            self._own.busy = before

    def _folded(self) -> list[dict[str, Any]]:
        """Return the events of the next request; the same again is one with a higher count."""
        folded: dict[str, dict[str, Any]] = {}
        while self._waiting and len(folded) < _REQUEST:
            event, time = self._waiting.popleft()
            key = json.dumps(event, sort_keys=True)
            known = folded.get(key)
            if known is None:
                folded[key] = {**event, "ts": timestamp(time), "count": 1}
            else:
                known["count"] += 1
        return list(folded.values())

    def _request(self, events: list[dict[str, Any]]) -> None:
        line = json.dumps({"type": "activity", "events": events}).encode() + b"\n"
        self._connection.exchange(line)
