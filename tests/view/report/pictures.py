"""Takes the pictures of the pages that show a report: `python -m tests.view.report.pictures`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aotel.view.report import write_report
from tests.view.report.browser import Chromium, executable
from tests.view.report.runs import docs_run

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parents[3] / "docs" / "images"


def main() -> None:
    """Take them."""
    path = executable()
    if path is None:
        raise SystemExit("there is no Chromium: `make browser` installs one")
    chromium = Chromium(path)
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.html"
        write_report(docs_run().write(Path(directory)), report)
        chromium.run(_light, chromium, report)
        chromium.run(_dark, chromium, report)
    chromium.run(chromium.forget)
    chromium.close()


def _light(chromium: Chromium, report: Path) -> None:
    page = chromium.open(report)
    _save(page, "report.png")


def _dark(chromium: Chromium, report: Path) -> None:
    page = chromium.open(report, scheme="dark")
    page.keyboard.press("n")
    page.locator(".path .link", has_text="look up").click()
    _save(page, "report-dark.png")


def _save(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)  # until all of it is drawn
    page.screenshot(path=IMAGES / name)
    print(IMAGES / name)


if __name__ == "__main__":
    main()
