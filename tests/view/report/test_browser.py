"""The browser that reports are looked at with gets on with tests that have an event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.view.report.browser import Chromium


async def test_an_event_loop_beside_the_browser(started: Chromium) -> None:
    started.run(lambda: None)
    await asyncio.sleep(0)
    assert asyncio.get_running_loop().is_running()
