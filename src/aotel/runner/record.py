"""The run's own lines in the audit log: what is seen of the program from outside."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from aotel.envelopes.times import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.pod.embedded import EmbeddedPod

_SOURCE: Final = "runner"


class Record:
    """Writes to the log of the embedded pod, from any thread.

    Args:
        pod: keeps the log.
        complain: is told, once, that the log can't be written to any more; the program goes on.
    """

    def __init__(self, pod: EmbeddedPod, complain: Callable[[str], None]) -> None:
        self._pod = pod
        self._complain = complain
        self._lock = threading.Lock()
        self._failed = False
        self.agent: str | None = None

    def add(self, action: str, detail: dict[str, object], *, success: bool = True) -> None:
        """Add an entry; what is None in its detail is left out."""
        said = {name: value for name, value in detail.items() if value is not None}
        told = {"ts": timestamp(time.time_ns()), **said, "source": _SOURCE}
        try:
            self._pod.append(action, told, success=success, agent=self.agent)
        except Exception as error:  # noqa: BLE001 - the program is not to suffer from what becomes of its record
            with self._lock:
                first, self._failed = not self._failed, True
            if first:
                self._complain(f"the record can't be written any more ({error}); the program goes on")
