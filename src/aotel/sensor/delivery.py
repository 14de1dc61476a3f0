"""Tells a pod what was noted: a queue that never makes anybody wait, and a daemon thread that empties it.

What is noted may come from a signal handler or from garbage collection, in the middle of anything: nothing on the way
in takes a lock or waits.
"""

from __future__ import annotations

import _thread
import contextlib
import itertools
import logging
import threading
import time
from collections import deque
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from aotel.envelopes import protocol
from aotel.export.connection import Connection, NoReplyError
from aotel.export.health import Backoff, Health, say
from aotel.sensor import activity, origin

if TYPE_CHECKING:
    from aotel.sensor.event import Event

QUEUE_LIMIT: Final = 16_384
"""Events that wait at most, and kinds of them that wait for a pod that is away; what is more is dropped and counted."""
INTERVAL: Final = 0.25
"""Seconds that an event waits for others."""

_TIMEOUT: Final = 2.0  # seconds for a pod to answer
_REFUSALS: Final = 3  # in a row, after which a pod is one that doesn't take activity
_DEFAULT_PAUSE: Final = 0.5  # seconds, for a pod that asks to wait and doesn't say how long
_LONGEST_PAUSE: Final = 30.0
_PAUSE: Final = 0.05  # seconds between attempts of a flush


class Delivery:
    """Events on their way to a pod.

    Args:
        socket_path: the pod's queue socket.
        limit: events that wait at most.
        interval: seconds that an event waits for others.
    """

    def __init__(self, socket_path: str, *, limit: int = QUEUE_LIMIT, interval: float = INTERVAL) -> None:
        self.socket_path = socket_path
        self._limit = limit
        self._interval = interval
        self._queue: deque[Event] = deque()
        self._kept: dict[activity.Key, activity.Folded] = {}
        self._connection = Connection(socket_path, timeout=_TIMEOUT)
        self._lost_said = False
        self.renew()

    def renew(self) -> None:
        """Start empty, with the locks of nobody: what waits is the parent's to tell, and its thread is not here."""
        self._queue.clear()
        self._kept = {}
        self._connection.close()
        self._connection = Connection(self.socket_path, timeout=_TIMEOUT)
        self._health = Health(
            f"the pod at {self.socket_path}",
            consequence="files, hosts and processes are told of when it is back, as many as can be kept",
            tolerated=1,
            backoff=Backoff(first=0.25, longest=10.0),
        )
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._flushes: deque[SimpleQueue[bool]] = deque()
        self._starting = _thread.allocate_lock()
        self._sending = threading.RLock()
        self._is_running = self._is_idle = self._in_a_hurry = self._stopped = False
        self._is_absent = False
        self._refusals = 0
        self._not_before = 0.0
        self._lost = itertools.count()

    @property
    def lost(self) -> int:
        """How many events were dropped."""
        # Looking at a counter without moving it: its text is `count(7)`.
        return int(repr(self._lost)[6:-1])

    def note(self, event: Event) -> None:
        """Take an event; never waits, never raises."""
        if len(self._queue) >= self._limit or self._stopped:
            next(self._lost)
            return
        self._queue.append(event)
        if not self._is_running:
            self._start()
        elif self._is_idle:
            self._is_idle = False
            self._wake.put(None)

    def flush(self, timeout: float) -> bool:
        """Tell what was noted, within `timeout` seconds; say whether all of it was."""
        deadline = time.monotonic() + timeout
        while not self._flush_once(deadline - time.monotonic()):
            # There is no use in waiting for a pod that isn't there; one that was slow may answer the next time.
            if self._is_absent or self._stopped or time.monotonic() + _PAUSE > deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def _flush_once(self, timeout: float) -> bool:
        if not self._is_running or _thread.get_ident() in origin.muted:
            return self._send_here(timeout)
        answer: SimpleQueue[bool] = SimpleQueue()
        self._flushes.append(answer)
        self._in_a_hurry = True
        self._wake.put(None)
        try:
            return answer.get(timeout=max(timeout, 0))
        except Empty:
            return False

    def stop(self, timeout: float) -> None:
        """Tell what was noted and end the thread, within `timeout` seconds."""
        self.flush(timeout)
        self._stopped = True
        self._wake.put(None)

    def _start(self) -> None:
        # Not by `threading`, whose locks the interrupted code may hold, and which waits for the thread to begin.
        if not self._starting.acquire(blocking=False):
            return
        try:
            if not self._is_running:
                _thread.start_new_thread(self._run, ())
                self._is_running = True
        except RuntimeError:  # no more threads, or the interpreter is about to end: `flush` sends what waits
            pass
        finally:
            self._starting.release()

    def _run(self) -> None:
        origin.muted.add(_thread.get_ident())
        try:
            while not self._stopped:
                self._round()
        except BaseException as error:  # noqa: BLE001 - the end of the interpreter, or a fault of ours
            say(logging.DEBUG, "aotel: the sensor's thread ended: %r", error)
        finally:
            self._is_running = False
            origin.muted.discard(_thread.get_ident())

    def _round(self) -> None:
        if not self._in_a_hurry:
            self._sleep(self._interval)
        self._in_a_hurry = False
        flushes = [self._flushes.popleft() for _ in range(len(self._flushes))]
        try:
            self._send(at_once=bool(flushes))
        finally:
            for answer in flushes:
                answer.put(not self._kept)
        self._is_idle = True
        # What was put between the last look and the flag has woken nobody.
        if not self._queue and not self._flushes and not self._stopped:
            self._sleep(self._interval * 4 if self._kept else None)
        self._is_idle = False

    def _sleep(self, timeout: float | None) -> None:
        with contextlib.suppress(Empty):
            self._wake.get(timeout=timeout)
            while True:
                self._wake.get_nowait()

    def _send_here(self, timeout: float) -> bool:
        """Send from the thread that asks: there is no other."""
        ident = _thread.get_ident()
        was_muted = ident in origin.muted
        origin.muted.add(ident)
        try:
            return self._send(at_once=True, timeout=timeout)
        finally:
            if not was_muted:
                origin.muted.discard(ident)

    def _send(self, *, at_once: bool, timeout: float = _TIMEOUT) -> bool:
        """Send all that waits, as far as the pod takes it now; say whether nothing is left."""
        deadline = time.monotonic() + timeout
        if not self._sending.acquire(timeout=timeout):
            return False
        try:
            self._fold()
            self._say_lost()
            while self._kept:
                if not at_once and (not self._health.due or time.monotonic() < self._not_before):
                    break
                if not self._send_request(deadline - time.monotonic()):
                    break
        finally:
            self._sending.release()
        return not self._kept

    def _fold(self) -> None:
        for _ in range(len(self._queue)):
            if len(self._kept) >= self._limit:
                self._drop(1)
                self._queue.popleft()
                continue
            activity.fold(self._queue.popleft(), self._kept)

    def _send_request(self, timeout: float) -> bool:
        """Send one request; say whether to go on."""
        keys: list[activity.Key] = []
        events: list[bytes] = []
        size = 0
        for key, folded in islice(self._kept.items(), activity.REQUEST_EVENTS):
            event = activity.encode(key, folded)
            size += len(event)
            if events and size > activity.REQUEST_BYTES:
                break
            keys.append(key)
            events.append(event)
        try:
            reply = protocol.decode_reply(self._connection.exchange(activity.request(events), max(timeout, 0.001)))
        except (NoReplyError, protocol.ProtocolError) as error:
            # Rather twice in the log than not at all.
            self._is_absent = isinstance(error, NoReplyError) and not error.connected
            self._health.failed(str(error))
            return False
        self._health.worked()
        self._is_absent = False
        if isinstance(reply, protocol.RateLimited):
            pause = _DEFAULT_PAUSE if reply.retry_after is None else reply.retry_after
            self._not_before = time.monotonic() + min(pause, _LONGEST_PAUSE)
            return False
        counts = [self._kept.pop(key).count for key in keys]
        if isinstance(reply, protocol.Refused):
            self._refused(reply.message, sum(counts))
        else:
            self._refusals = 0
        return True

    def _refused(self, message: str, events: int) -> None:
        self._drop(events)
        self._refusals += 1
        if self._refusals == 1:
            say(logging.WARNING, "aotel: the pod at %s takes no activity: %s", self.socket_path, message)
        if self._refusals >= _REFUSALS:
            self._stopped = True
            self._drop(sum(folded.count for folded in self._kept.values()))
            self._kept.clear()

    def _drop(self, events: int) -> None:
        for _ in range(events):
            next(self._lost)

    def _say_lost(self) -> None:
        if not self._lost_said and not self._refusals and self.lost:
            self._lost_said = True
            say(
                logging.WARNING,
                "aotel: there are more files, hosts and processes than the pod at %s can be told of; some are left out",
                self.socket_path,
            )
