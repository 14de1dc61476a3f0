"""The pytest plugin: fixtures `record_envelopes` and `record_spans`, ready once aotel is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.testing import RecordedEnvelopes, RecordedSpans


@pytest.fixture(name="record_envelopes")
def _record_envelopes() -> Iterator[RecordedEnvelopes]:
    """Every envelope emitted during the test: `.envelopes`, `.kinds`."""
    from aotel.testing import record_envelopes

    with record_envelopes() as recorded:
        yield recorded


@pytest.fixture(name="record_spans")
def _record_spans() -> Iterator[RecordedSpans]:
    """Every span that ends during the test: `.spans`."""
    from aotel.testing import record_spans

    with record_spans() as recorded:
        yield recorded
