"""The project's pages as tests see them: their code blocks, links and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = tuple(
    sorted(
        path.relative_to(ROOT).as_posix()
        for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        if path.name != "CHANGELOG.md"
    )
)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    `python` blocks run, those of a page as one program; with a title they are written to a file of that name instead.
    `bash` blocks run in the same directory. `text` blocks with the title "prints" are what the block before prints.
    Others are only shown.
    """

    page: str
    line: int
    language: str
    title: str
    text: str


def text_of(page: str) -> str:
    """Return a page's text."""
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    text = text_of(page)
    for found in _FENCE.finditer(text):
        language, _, rest = found["info"].partition(" ")
        title = _TITLE.search(rest)
        indent = len(found["indent"])
        code = "".join(line[indent:] if line.strip() else line for line in found["text"].splitlines(keepends=True))
        line_number = text.count("\n", 0, found.start()) + 2
        yield Block(page, line_number, language, title[1] if title else "", code)


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text_of(page))


def anchors(page: str) -> set[str]:
    """Return what a link may point to in a page, made of its headings as code hosts do."""
    return {_anchor(heading) for heading in _HEADING.findall(prose(page))}


def links(page: str) -> list[str]:
    """Return the targets of a page's links that are not on the web."""
    return [target for target in _LINK.findall(prose(page)) if "://" not in target and not target.startswith("mailto:")]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
