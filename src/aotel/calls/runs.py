"""Runs of LangChain: their instrumentor keeps a span for each, and attaches none of them to the context.

A call that is made inside a run is made below it on the stack, also in a task or in an executor's thread: there the
run's manager is a local variable of the name under which LangChain hands it to whoever writes a model
(`_generate(…, run_manager=…)`). That is exact where a guess by time and model would mix parallel calls up.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types import CodeType, FrameType

_INSTRUMENTOR: Final = "openinference.instrumentation.langchain"
_MANAGERS: Final = "langchain_core.callbacks.manager"
_MANAGER: Final = "run_manager"
_DEPTH: Final = 200  # frames


def span_of_run() -> Any:
    """Return the span of the innermost LangChain run that the caller is in; None outside one, or where nobody has it.

    It costs nothing to speak of where LangChain is not instrumented.
    """
    if _INSTRUMENTOR not in sys.modules:
        return None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, and what `inspect` calls
    for _ in range(_DEPTH):
        if frame is None:
            return None
        if _has_manager(frame.f_code):
            span = _span_of(frame.f_locals.get(_MANAGER))
            if span is not None:
                return span
        frame = frame.f_back
    return None


def _has_manager(code: CodeType) -> bool:
    # Only of such a frame are the locals asked for: up to Python 3.12 that keeps them alive until the frame ends.
    return _MANAGER in code.co_varnames or _MANAGER in code.co_cellvars or _MANAGER in code.co_freevars


def _span_of(manager: Any) -> Any:
    if type(manager).__module__ != _MANAGERS:
        return None
    for handler in getattr(manager, "handlers", None) or ():
        if type(handler).__module__.startswith(_INSTRUMENTOR):
            found = handler.get_span(manager.run_id)
            return getattr(found, "__wrapped__", found)  # OpenInference's stand-in for a span, and the span
    return None
