"""Fixtures of these tests: an OTLP receiver, and programs that export to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.distro.programs import Programs
from tests.servers import OtlpReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as found:
        yield found


@pytest.fixture
def programs(tmp_path: Path, receiver: OtlpReceiver) -> Programs:
    return Programs(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
