"""Reports of runs, and a browser to look at them: one for each process of the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aotel.view.report import write_report
from tests.view.report.browser import Chromium, executable
from tests.view.report.runs import docs_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.view.report.runs import Run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that looks at pages in the browser's thread."""
    chromium = pyfuncitem.funcargs.get("chromium")
    if not isinstance(chromium, Chromium):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    chromium.run(pyfuncitem.obj, **{name: pyfuncitem.funcargs[name] for name in names})
    return True


@pytest.fixture(scope="session")
def started() -> Iterator[Chromium]:
    path = executable()
    if path is None:
        pytest.skip("there is no Chromium to look at pages with: `make browser` installs one")
    browser = Chromium(path)
    yield browser
    browser.close()


@pytest.fixture
def chromium(started: Chromium) -> Iterator[Chromium]:
    """A browser; whatever it opened asked nobody for anything, and did not complain."""
    yield started
    tabs = started.run(started.forget)
    for tab in tabs:
        assert tab.requests == [tab.requests[0]], "the page asked for more than itself"
        assert tab.requests[0].startswith("file://")
        assert not tab.complaints


@pytest.fixture
def look_at(chromium: Chromium, tmp_path: Path) -> Callable[..., Page]:
    """Return a function that opens the report of a run."""

    def look(run: Run, **options: Any) -> Page:
        report = tmp_path / "report.html"
        write_report(run.write(tmp_path / "run"), report)
        return chromium.open(report, **options)

    return look


@pytest.fixture(scope="session")
def docs_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with something of everything."""
    directory = docs_run().write(tmp_path_factory.mktemp("docs-run"))
    write_report(directory, directory / "report.html")
    return directory / "report.html"


@pytest.fixture
def page(chromium: Chromium, docs_report: Path) -> Page:
    """That report, opened."""
    return chromium.run(chromium.open, docs_report)
