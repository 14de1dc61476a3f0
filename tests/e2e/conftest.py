"""Fixtures of these tests: one Phoenix and one browser for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.demo import run_agent
from tests.e2e.pages import Pages
from tests.e2e.phoenix import Phoenix
from tests.view.report.browser import executable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.demo import Demo


@pytest.fixture(scope="session")
def phoenix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phoenix]:
    with Phoenix(tmp_path_factory.mktemp("phoenix")) as running:
        yield running


@pytest.fixture(scope="session")
def demo(phoenix: Phoenix, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """What the example agent did under `opentelemetry-instrument`, and what Phoenix has of it."""
    return run_agent(phoenix, tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def pages(phoenix: Phoenix) -> Iterator[Pages]:
    """Phoenix in a browser."""
    path = executable()
    if path is None:
        pytest.skip("there is no Chromium to look at pages with: `make browser` installs one")
    with Pages(phoenix, path) as opened:
        yield opened
