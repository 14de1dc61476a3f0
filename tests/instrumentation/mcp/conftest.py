"""Fixtures of these tests: the instrumentor switched on."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aotel.instrumentation import instrument, switch, uninstrument
from tests.envelope_schema import every_envelope_is_valid
from tests.recording import recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

collect_ignore_glob = [] if find_spec("mcp") else ["test_*.py"]  # it is no dependency of ours

__all__ = ["every_envelope_is_valid", "recorded"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let versions before 1.26 warn of their own settings, which newer versions of pydantic find odd."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:Field 'lifespan' has an incomplete definition"))


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    instrument("mcp")
    yield
    uninstrument("mcp")
    switch._off.discard("mcp")
