"""What holds for every test: a clean environment, and a context that is always left where it was entered."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import hypothesis
import pytest
from opentelemetry.sdk.trace import TracerProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

# A loaded machine makes single examples slow; what a whole test may take is bounded by pytest-timeout.
hypothesis.settings.register_profile("aotel", deadline=None)
hypothesis.settings.load_profile("aotel")

_OTHERS = "openai,langchain,genai_openai,openai_v2,anthropic,litellm"
"""Instrumentors that are here for the tests of neighbours; they import what they instrument, which takes seconds."""
_READ_BY_US = ("AOTEL_", "ENVPOD_", "OPENINFERENCE_", "OTEL_", "TRACELOOP_", "TRACEPARENT", "TRACESTATE", "BAGGAGE")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(_READ_BY_US):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", _OTHERS)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it asks the network when it is imported


@pytest.fixture(autouse=True)
def _no_watch_on_providers() -> Iterator[None]:
    """Take a watch on new tracer providers off again: it would attach to those of the tests that follow."""
    make = vars(TracerProvider)["__init__"]
    yield
    if vars(TracerProvider)["__init__"] is not make:
        TracerProvider.__init__ = make  # type: ignore[method-assign]
        delattr(TracerProvider, "_aotel_watched")


class _FailedDetaches(logging.Handler):
    """Keeps the complaints of OpenTelemetry's context about a token detached where it was not attached."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "Failed to detach context" in message:
            self.messages.append(message)


@pytest.fixture(autouse=True)
def _no_failed_detach() -> Iterator[None]:
    failed = _FailedDetaches()
    logger = logging.getLogger("opentelemetry.context")
    logger.addHandler(failed)
    yield
    logger.removeHandler(failed)
    if failed.messages:
        pytest.fail(f"the context was detached where it was not attached, {len(failed.messages)} times: see the log")
