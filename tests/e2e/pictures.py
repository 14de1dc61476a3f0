"""Takes the pictures of Phoenix that pages show: `python -m tests.e2e.pictures`, after `make e2e`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.e2e.demo import run_agent
from tests.e2e.pages import Pages
from tests.e2e.phoenix import Phoenix
from tests.e2e.test_demo import CALL
from tests.view.report.browser import executable

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"


def main() -> None:
    """Take them."""
    path = executable()
    if path is None:
        raise SystemExit("there is no Chromium: `make browser` installs one")
    with tempfile.TemporaryDirectory() as directory, Phoenix(Path(directory)) as phoenix:
        demo = run_agent(phoenix, Path(directory), project="docs-demo", AOTEL_CAPTURE="")
        with Pages(phoenix, path) as pages:
            pages.picture(demo, IMAGES / "phoenix-trace.png", CALL, len(demo.exchanges) - 1)
            pages.picture(demo, IMAGES / "phoenix-documents.png", "Library.search")
            pages.picture(demo, IMAGES / "phoenix-error.png", "Library.read_document", tab="Events")
            pages.picture(demo, IMAGES / "phoenix-session.png")
    for image in sorted(IMAGES.glob("phoenix-*.png")):
        print(image.name)


if __name__ == "__main__":
    main()
