"""An action that may take longer than there is time for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aotel.calls import PORT

if TYPE_CHECKING:
    from collections.abc import Callable


def within(seconds: float, action: Callable[[], object]) -> bool:
    """Run an action in a thread of its own; return whether it ended in time, and didn't return False.

    Args:
        seconds: to wait for it at most; it goes on in any case.
        action: what to do.
    """
    results: list[object] = []

    def act() -> None:
        try:
            results.append(action())
        except Exception as error:  # noqa: BLE001 - a thread of ours must not print its traceback
            PORT.report("a flush", error)

    thread = threading.Thread(target=act, name="aotel-flush", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is shutting down: `shutdown` sends what there is
        return False
    thread.join(max(seconds, 0))
    return bool(results) and results[0] is not False
