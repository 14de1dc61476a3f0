"""Local variables of a coated function, captured at its return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from aotel.calls import Call


def watched(call: Call, fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return `fn` so that `call` learns its local variables."""
    del call
    return fn
