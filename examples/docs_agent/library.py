"""The documentation as the agent sees it: what it can search, and the tools that read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corpus import Hit, Index, Section, keywords, load, read

import aotel

if TYPE_CHECKING:
    from pathlib import Path

FOUND, KEPT = 8, 3


class Library:
    """The documents of a project.

    Args:
        root: the project's directory.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._index = Index(load(root))

    def __len__(self) -> int:
        return len(self._index)

    @aotel.coat("retrieval")
    def search(self, words: list[str]) -> list[Hit]:
        """Return the sections that hold some of the words."""
        return self._index.search(words, FOUND)

    @aotel.coat("rerank")
    def rank(self, words: list[str], hits: list[Hit]) -> list[Hit]:
        """Return the best of the hits: those that hold the most *different* words, the rare ones above all."""

        def coverage(hit: Hit) -> float:
            return sum(self._index.rarity(word) for word in set(words) & set(keywords(f"{hit.id} {hit.text}")))

        return sorted(hits, key=lambda hit: (-coverage(hit), -hit.score))[:KEPT]

    @aotel.coat("tool")
    def read_section(self, address: str) -> str:
        """Return the text of a section, from its file."""
        path = address.partition("#")[0]
        for section in read(path, self._root):
            if section.id == address:
                return section.text
        raise LookupError(f"there is no {address}")

    @aotel.coat("tool")
    def read_document(self, path: str) -> list[Section]:
        """Return the sections of a document."""
        return read(path, self._root)
