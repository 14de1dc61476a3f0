"""Phoenix's pages in a real browser, read as a person reads them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from playwright.sync_api import sync_playwright

from tests.view.report.browser import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright
    from typing_extensions import Self

    from tests.e2e.demo import Demo
    from tests.e2e.phoenix import Phoenix

T = TypeVar("T")

PATIENCE = 60_000  # milliseconds: the pages are megabytes of JavaScript
ROW = ".span-node-wrap"
HEADING = ".span-node__heading"
DETAILS = "[data-testid=span-details]"

_DRAWN = f"count => document.querySelectorAll('{HEADING}').length === count"
_ROWS = """rows => rows.map(row => ({
  depth: Number(row.style.getPropertyValue("--trace-tree-nesting-level")),
  kind: row.querySelector(".span-node__icon [title]").title,
  name: row.querySelector(".span-node__heading span").innerText,
  failed: row.querySelector(".span-node__heading svg") !== null,
  tokens: (row.querySelector(".span-metrics").innerText.split("\\n")[1] || "").replace(",", ""),
}))"""


@dataclass(frozen=True)
class Row:
    """A span in the tree of a trace.

    Attributes:
        depth: how many it is inside of.
        kind: what its icon says.
        name: its name.
        failed: whether it is marked as an error.
        tokens: how many it says, or 0.
    """

    depth: int
    kind: str
    name: str
    failed: bool
    tokens: int


class Pages:
    """A browser that looks at a Phoenix, in a thread of its own; for as long as a `with` block runs.

    Args:
        phoenix: whose pages.
        path: of the browser.
    """

    def __init__(self, phoenix: Phoenix, path: str) -> None:
        self._phoenix = phoenix
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chromium")
        self._playwright: Playwright
        self._browser: Browser
        self._context: BrowserContext
        self._page: Page
        self._shown = ""

    def __enter__(self) -> Self:
        self._run(self._start)
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._browser.close)
        self._run(self._playwright.stop)
        self._thread.shutdown()

    def tree(self, demo: Demo) -> list[Row]:
        """Return the spans that the page of a run's trace shows, from top to bottom."""

        def read(page: Page) -> list[Row]:
            found: list[dict[str, Any]] = page.eval_on_selector_all(ROW, _ROWS)
            return [Row(**{**row, "tokens": int(row["tokens"] or 0)}) for row in found]

        return self._run(lambda: read(self._trace(demo)))

    def span(self, demo: Demo, name: str, number: int = 0, tab: str = "Info") -> str:
        """Return what is shown of a span once it is clicked: all text, with one space between words.

        Args:
            demo: the run.
            name: the span's.
            number: which of those of this name, from the top.
            tab: what to look at: "Info", "Attributes" or "Events".
        """

        def read() -> str:
            details = self._select(demo, name, number)
            details.get_by_role("tab", name=tab).click()
            panel = details.get_by_role("tabpanel").last
            panel.wait_for()
            before = None  # parts of it are drawn one after another
            while before != (shown := " ".join(details.inner_text().split())):
                before = shown
                details.page.wait_for_timeout(500)
            return shown

        return self._run(read)

    def session(self, demo: Demo) -> str:
        """Return what the page of a run's session shows, which is reached from the trace."""

        def read() -> str:
            page = self._trace(demo)
            page.get_by_role("link", name="View Session").click()
            page.wait_for_url("**/sessions/**")
            self._shown = ""
            dialog = page.get_by_test_id("dialog").last
            dialog.get_by_text("Turn 01").wait_for()
            return " ".join(dialog.inner_text().split())

        return self._run(read)

    def picture(self, demo: Demo, file: Path, name: str | None = None, number: int = 0, tab: str = "Info") -> None:
        """Save a picture of a run's trace with a span selected, or of its session where none is named."""

        def take() -> None:
            if name is not None:
                details = self._select(demo, name, number)
                details.get_by_role("tab", name=tab).click()
            self._page.mouse.move(0, 0)
            self._page.wait_for_timeout(3000)
            self._page.screenshot(path=file)

        if name is None:
            self.session(demo)
        self._run(take)

    def _run(self, function: Callable[[], T]) -> T:
        return self._thread.submit(function).result()

    def _start(self) -> None:
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=self._path, args=list(ARGUMENTS))
        self._context = self._browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="light", timezone_id="UTC"
        )
        self._context.set_default_timeout(PATIENCE)
        self._page = self._context.new_page()

    def _trace(self, demo: Demo) -> Page:
        project = self._phoenix.project_id(demo.project)
        address = f"{self._phoenix.url}/projects/{project}/traces/{demo.spans[0].trace}"
        if self._shown != address:
            self._page.goto(address)
            self._page.wait_for_function(_DRAWN, arg=len(demo.spans))
            self._shown = address
        return self._page

    def _select(self, demo: Demo, name: str, number: int) -> Any:
        page = self._trace(demo)
        page.locator(HEADING, has_text=name).nth(number).click()
        details = page.locator(DETAILS)
        details.locator("[data-testid=span-header-row]", has_text=name).wait_for()
        chosen = demo.named(name)[number].id
        details.get_by_text(chosen).first.wait_for()
        return details
