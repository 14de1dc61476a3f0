"""Ten thousand operations and more: the page does not freeze, the writer holds on to little; numbers are printed."""

from __future__ import annotations

import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from aotel.view.report import Limits, write_report
from aotel.view.report.writing import pieces
from tests.view.report.runs import Run, document, large_run

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.view.report.browser import Chromium

OPERATIONS = 528 * 19
_TYPED = """
async (text) => {
  const field = document.getElementById("search");
  const took = [];
  for (let length = 1; length <= text.length; length += 1) {
    field.value = text.slice(0, length);
    const began = performance.now();
    field.dispatchEvent(new Event("input"));
    document.getElementById("list").getBoundingClientRect(); // with layout
    took.push(Math.round(performance.now() - began));
    await new Promise((done) => setTimeout(done, 20));
  }
  return took;
}
"""
_SCROLLED = """
async () => {
  const list = document.getElementById("list");
  const took = [];
  for (let step = 0; step < 30; step += 1) {
    const began = performance.now();
    list.scrollTop = (list.scrollHeight * step) / 30;
    list.dispatchEvent(new Event("scroll"));
    list.getBoundingClientRect();
    took.push(Math.round(performance.now() - began));
    await new Promise(requestAnimationFrame);
  }
  return took;
}
"""
_ZOOMED = """
async () => {
  const took = [];
  for (let step = 0; step < 20; step += 1) {
    document.getElementById(step < 10 ? "zoom-in" : "zoom-out").click();
    const began = performance.now();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    took.push(Math.round(performance.now() - began));
  }
  return took;
}
"""


@pytest.fixture(scope="module")
def large_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = large_run()
    directory = run.write(tmp_path_factory.mktemp("large"))
    began = time.perf_counter()
    write_report(directory, directory / "report.html")
    took = time.perf_counter() - began
    size = (directory / "report.html").stat().st_size / 1e6
    print(f"\n{len(run.entries):,} entries written as {size:.1f} MB in {took:.1f} s")
    assert took < 30
    return directory / "report.html"


def test_opens_without_freezing(chromium: Chromium, large_report: Path) -> None:
    page = chromium.open(large_report)
    ready = page.evaluate("Math.round(performance.now())")
    paint = page.evaluate("Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)")
    tasks = page.evaluate("window.longTasks")
    print(f"\nfirst paint {paint} ms, drawn before {ready} ms, tasks of more than 50 ms: {tasks}")
    assert paint < 5_000
    assert max(tasks, default=0) < 5_000
    assert page.locator(".tile b").all_text_contents()[1] == f"{OPERATIONS:,}"
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500  # what is out of sight is not in the page


def times(page: Page, what: str, script: str, argument: str | None = None) -> None:
    took = page.evaluate(script, argument)
    print(f"\n{what}: {took} ms")
    assert max(took) < 2_000


def test_typing_scrolling_and_zooming(chromium: Chromium, large_report: Path) -> None:
    page = chromium.open(large_report)
    page.wait_for_timeout(1_500)  # meanwhile the page prepares for being searched
    page.locator("#expand").click()
    assert page.locator("#list").get_attribute("aria-rowcount") == str(OPERATIONS)
    times(page, "scrolling through all rows", _SCROLLED)
    times(page, "zooming", _ZOOMED)
    times(page, "typing in the search", _TYPED, "no such file")
    assert "of 10,032" in page.locator("#found").inner_text()
    page.locator("#tab-events").click()
    times(page, "typing in the search of events", _TYPED, "part-47.csv")
    times(page, "scrolling through events", _SCROLLED)


def test_more_rows_than_a_browser_has_pixels_for(chromium: Chromium, tmp_path: Path) -> None:
    """They are scrolled through in longer steps, and each can be reached all the same."""
    found = document(Run().write(tmp_path))
    found["events"] = [["files", "file_open", number, -1, 0, 0, 1, f"{number}"] for number in range(300_000)]
    (tmp_path / "report.html").write_text("".join(pieces(found)), encoding="utf-8")
    page = chromium.open(tmp_path / "report.html")
    assert page.locator("#list").get_attribute("aria-rowcount") == "300000"
    page.locator("#list").focus()
    page.keyboard.press("End")
    assert page.locator(".row.selected .label").inner_text() == "299999"
    page.keyboard.press("ArrowUp")
    assert page.locator(".row.selected .label").inner_text() == "299998"
    page.locator("#list").evaluate("(list) => (list.scrollTop = list.scrollHeight / 2)")
    page.wait_for_timeout(100)
    assert 140_000 < int(page.locator(".row .label").first.inner_text()) < 160_000


def test_operations_beyond_the_bound_are_counted_and_said(chromium: Chromium, tmp_path: Path) -> None:
    run = large_run(20, events=2)
    write_report(run.write(tmp_path), tmp_path / "report.html", limits=Limits(operations=100, events=30))
    page = chromium.open(tmp_path / "report.html")
    tiles = page.locator(".tile").all_inner_texts()
    assert tiles[1].split("\n") == ["380", "operations"]
    notes = page.locator("#run-notes").inner_text()
    assert "Only the first 100 of 380 operations are shown; the numbers above count all." in notes
    assert "events of the machine are left out" in notes
    assert page.locator("#tab-operations").inner_text().split() == ["Operations", "100"]


def test_long_texts_are_cut_and_that_is_said(chromium: Chromium, tmp_path: Path) -> None:
    run = Run()
    run.operation("agent.tool.call", "read", 0, 1, result_preview="x" * 50_000)
    write_report(run.write(tmp_path), tmp_path / "report.html")
    page = chromium.open(tmp_path / "report.html")
    page.locator(".row").click()
    assert page.locator(".text").inner_text().endswith("x … (46,000 more characters)")
    assert page.locator("#run-notes").inner_text() == "1 long text is cut; the audit log has it in full."


def test_writing_holds_on_to_little(tmp_path: Path) -> None:
    run = Run()
    for number in range(60):
        run.operation("agent.tool.call", "read", number, 1, result_preview=f"{number}" + "x" * 1_000_000)
    directory = run.write(tmp_path)
    assert (directory / "audit.jsonl").stat().st_size > 60_000_000
    run.entries.clear()
    tracemalloc.start()
    write_report(directory, tmp_path / "report.html")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\nat most {most / 1e6:.1f} MB to report on a log of 60 MB")
    assert most < 20_000_000
    assert (tmp_path / "report.html").stat().st_size < 1_000_000


def test_all_texts_together_are_bounded(tmp_path: Path) -> None:
    run = Run()
    for number in range(200):
        run.operation("agent.tool.call", "read", number, 1, result_preview="x" * 3_000)
    limits = Limits(texts=100_000)
    write_report(run.write(tmp_path), tmp_path / "report.html", limits=limits)
    assert (tmp_path / "report.html").stat().st_size < 100_000 + 200 * 700 + 150_000
