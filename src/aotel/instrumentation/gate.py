"""Whether a call into an instrumented library is to be recorded."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider

from aotel.calls import PORT


class _Asked:
    """Whether the program asked for instrumentation in code: then a first call configures, as a coated one does."""

    by_code: bool = False


def ask_by_code() -> None:
    """Note that the program asked for instrumentation itself."""
    _Asked.by_code = True


def is_recording() -> bool:
    """Say whether a call is recorded; where not, it passes through untouched.

    It is where aotel is configured and not switched off, and the code around it does not suppress instrumentation
    (which exporters do). Where nobody has configured it yet, a first call does so by the environment if the program
    asked for instrumentation in code, or has set a tracer provider up itself.
    """
    if not PORT.enabled or not is_instrumentation_enabled():
        return False
    if PORT.tracer is not None:
        return True
    if PORT.autostart is None or not (_Asked.by_code or _has_provider()):
        return False
    PORT.open()
    return PORT.tracer is not None and PORT.enabled


def _has_provider() -> bool:
    return not isinstance(trace.get_tracer_provider(), (ProxyTracerProvider, NoOpTracerProvider))
