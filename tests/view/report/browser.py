"""A real browser in a thread of its own: playwright's event loop would be in the way of tests that have one."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Playwright

T = TypeVar("T")

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 15_000  # milliseconds
_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push(Math.round(entry.duration));
}).observe({ type: "longtask", buffered: true });
"""


def executable() -> str | None:
    """Return the path of a Chromium, or None if there is none."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@dataclass
class Tab:
    """A page that was opened, and what it did.

    Attributes:
        page: playwright's page.
        requests: addresses that were asked for.
        complaints: errors and warnings on its console, and exceptions that it did not catch.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Chromium:
    """One browser for all tests of a process; everything that touches it runs in its thread."""

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._contexts: list[BrowserContext] = []
        self.tabs: list[Tab] = []
        self._playwright: Playwright
        self._browser: Browser
        self.run(self._start, path)

    def run(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Return what a function returns that is called in the browser's thread."""
        return self._thread.submit(function, *arguments, **keywords).result()

    def _start(self, path: str) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))

    def open(self, file: Path, *, scheme: Any = "light", width: int = 1440, height: int = 900) -> Page:
        """Open a report from disk, without a network, and wait until it is drawn. To be called in the thread."""
        context = self._browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        self._contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_WATCH)
        tab = Tab(context.new_page())
        self.tabs.append(tab)
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.on("console", lambda message: _note(tab, message))
        tab.page.on("dialog", lambda dialog: _dismiss(tab, dialog))
        tab.page.goto(file.as_uri())
        tab.page.wait_for_selector("html[data-ready]")
        return tab.page

    def forget(self) -> list[Tab]:
        """Close what was opened, and return it."""
        for context in self._contexts:
            context.close()
        tabs, self.tabs, self._contexts = self.tabs, [], []
        return tabs

    def close(self) -> None:
        """End the browser and its thread."""
        self.run(self._browser.close)
        self.run(self._playwright.stop)
        self._thread.shutdown()


def _dismiss(tab: Tab, dialog: Dialog) -> None:
    tab.complaints.append(f"a dialog: {dialog.message}")
    dialog.dismiss()


def _note(tab: Tab, message: ConsoleMessage) -> None:
    if message.type in {"error", "warning"}:
        tab.complaints.append(message.text)
