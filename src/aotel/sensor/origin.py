"""Who causes an event: in which span, and whether it is telemetry itself, which is neither told nor held."""

from __future__ import annotations

import threading
from _thread import get_ident
from typing import Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import get_current_span

_EXPORTING: Final = ("aotel-", "OtelBatch", "OtelPeriodic")
"""How the names of threads begin that deliver spans, logs and metrics."""

muted: set[int] = set()
"""Threads, by identifier, that work for the sensor itself."""


def span_ids() -> tuple[int, int]:
    """Return trace id and span id of the current span, zeros if there is none."""
    context = get_current_span().get_span_context()
    return (context.trace_id, context.span_id) if context.is_valid else (0, 0)


def is_ours() -> bool:
    """Say whether the current thread works for telemetry, the sensor's own included: that is not told of."""
    return get_ident() in muted or is_exporting()


def is_exporting() -> bool:
    """Say whether the current thread exports telemetry: no policy is held against that.

    Suppressed instrumentation alone doesn't tell: programs suppress it around doings of their own.
    """
    return not is_instrumentation_enabled() and threading.current_thread().name.startswith(_EXPORTING)
