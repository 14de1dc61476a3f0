"""Log records and spans for exporter tests, and what was logged meanwhile."""

from __future__ import annotations

import json
import logging
import os
import time
import warnings
from typing import TYPE_CHECKING, cast

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.util.types import AnyValue, AttributeValue

RESOURCE = Resource({"service.name": "exporter-test"})
_SCOPE = InstrumentationScope("aotel", "0")


def record(body: object, *, attributes: Mapping[str, AttributeValue] | None = None) -> ReadableLogRecord:
    """Return a log record with a body of any kind."""
    content = LogRecord(
        timestamp=time.time_ns(),
        body=cast("AnyValue", body),
        event_name="agent.tool.call",
        severity_number=SeverityNumber.INFO,
        severity_text="INFO",
        attributes=attributes or {"aot.kind": "agent.tool.call"},
    )
    return ReadableLogRecord(content, RESOURCE, _SCOPE)


def envelope(seq: int, padding: str = "") -> ReadableLogRecord:
    """Return a log record with a small envelope in it."""
    fields = {"spec": "aotp/0.1", "kind": "agent.tool.call", "seq": seq, "payload": {"fn": padding}}
    return record(json.dumps(fields, ensure_ascii=False))


def envelopes(number: int, first: int = 0) -> list[ReadableLogRecord]:
    """Return that many log records, numbered by `seq`."""
    return [envelope(seq) for seq in range(first, first + number)]


def seqs(found: list[dict[str, object]]) -> list[object]:
    """Return the numbers of decoded envelopes."""
    return [each["seq"] for each in found]


def span(name: str = "work", attributes: Mapping[str, AttributeValue] | None = None) -> ReadableSpan:
    """Return an ended span."""
    started = TracerProvider(resource=RESOURCE, shutdown_on_exit=False).get_tracer("test").start_span(name)
    started.set_attributes(attributes or {})
    started.end()
    return cast("ReadableSpan", started)  # as every span of the SDK is


def said(caplog: pytest.LogCaptureFixture, level: int = logging.WARNING) -> list[str]:
    """Return every message of at least that level, of all loggers."""
    return [each.getMessage() for each in caplog.records if each.levelno >= level]


def fork() -> int:
    """Fork although there are threads: that is what these tests are about, and what Python 3.12 warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(action: Callable[[], None], timeout: float = 20.0) -> int:
    """Run an action in a forked child; return its exit code, negative for a signal.

    Raises:
        TimeoutError: it hangs.
    """
    pid = fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        finally:
            os._exit(code)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise TimeoutError(f"the child still ran after {timeout} s")
