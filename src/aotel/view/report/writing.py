"""The page: a template, a style sheet, a program and the data, in one file that asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aotel.view.report.fields import Object

_STYLES: Final = ("page.css", "rows.css", "panes.css")
_PROGRAM: Final = (
    "format.js",
    "data.js",
    "axis.js",
    "filters.js",
    "list.js",
    "rows.js",
    "lanes.js",
    "curves.js",
    "overview.js",
    "detail.js",
    "header.js",
    "main.js",
)
_DANGEROUS: Final = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def pieces(document: Object) -> Iterator[str]:
    """Yield the page's text, piece by piece.

    The data stand in a block that no browser runs, as JSON in which no letter can end that block. Style and program are
    the only ones that the page's own policy lets a browser use, by their hashes.
    """
    style = "\n".join(_part(name) for name in _STYLES)
    program = '"use strict";\n(() => {\n' + "\n".join(_part(name) for name in _PROGRAM) + "\n})();\n"
    before, _, rest = _part("page.html").partition("@data@")
    yield (
        before.replace("@style-hash@", _hash(style)).replace("@program-hash@", _hash(program)).replace("@style@", style)
    )
    yield as_inert_json(document)
    yield rest.replace("@program@", program)


def as_inert_json(document: Object) -> str:
    """Return JSON that stays text wherever it stands in a page."""
    return msgspec.json.encode(document).decode().translate(_DANGEROUS)


def _part(name: str) -> str:
    return (files("aotel.view.report") / "page" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
