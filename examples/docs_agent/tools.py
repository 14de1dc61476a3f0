"""What the model may ask for: its tools as the wire format describes them, and what becomes of a call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from corpus import keywords

import aotel

if TYPE_CHECKING:
    from collections.abc import Callable

    from library import Library
    from model import ToolCall

OPENING = 120  # characters of a section that a search shows

Passage = tuple[str, str]  # the address of a section, and its text


def _tool(name: str, description: str, argument: str, meaning: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {argument: {"type": "string", "description": meaning}},
        "required": [argument],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


TOOLS = [
    _tool("search", "Find the sections that fit best.", "query", "A few words to look for."),
    _tool("read_section", "Read a section that a search found.", "address", "Its address, as the search gave it."),
    _tool("read_document", "Read a whole document.", "path", "Its path, such as docs/envelopes.md."),
]


class Tools:
    """Calls what the model asks for, in the library.

    Args:
        library: where things are looked up.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._tools: dict[str, Callable[..., str | list[Passage]]] = {
            "search": self._search,
            "read_section": self._read_section,
            "read_document": self._read_document,
        }

    def call(self, call: ToolCall) -> str | list[Passage]:
        """Return what was read, or what the model should be told instead: an error is for it to find a way round."""
        try:
            return self._tools[call.name](**json.loads(call.arguments))
        except (LookupError, OSError, TypeError, ValueError) as error:
            aotel.tie("passed over", {"tool": call.name, "because": type(error).__name__})
            return f"{type(error).__name__}: {error}"

    def _search(self, query: str) -> str:
        words = keywords(query)
        hits = self._library.rank(words, self._library.search(words))
        found = (f"- {hit.id}: {' '.join(hit.text.split())[:OPENING]}" for hit in hits)
        return "\n".join(found) or "nothing was found"

    def _read_section(self, address: str) -> list[Passage]:
        return [(address, self._library.read_section(address))]

    def _read_document(self, path: str) -> list[Passage]:
        return [(section.id, section.text) for section in self._library.read_document(path)]
