"""Fixtures of these tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.e2e_collector.collector import COMMAND, ROOT
from tests.e2e_collector.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    if not os.access(COMMAND, os.X_OK):
        pytest.fail(f"there is no {COMMAND.relative_to(ROOT)}: `make e2e-collector` builds it", pytrace=False)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Make both layers, with the gateway's variables; what a test leaves running is ended."""
    made: list[Fleet] = []

    def make(gateways: int = 1, more: str = "", **gateway: str) -> Fleet:
        made.append(Fleet(tmp_path, gateways, more, **gateway))
        return made[-1]

    yield make
    for one in made:
        one.__exit__()
