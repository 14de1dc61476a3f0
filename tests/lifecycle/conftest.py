"""Fixtures of these tests: a receiver of spans, and programs that export to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lifecycle.processes import LONG, Launcher
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as found:
        yield found


@pytest.fixture
def launcher(tmp_path: Path, receiver: OtlpReceiver) -> Launcher:
    return Launcher(tmp_path, {**LONG, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
