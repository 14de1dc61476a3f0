"""The documents as sections, and a BM25 index over them: what the agent looks things up in."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

WORD = re.compile(r"[A-Za-z0-9_]+")
HEADING = re.compile(r"#{1,6}\s+(.+)")
FENCE = re.compile(r"\s*(```|~~~)")
ENDINGS = ("ations", "ation", "ions", "ings", "ing", "ion", "ies", "ed", "es", "s", "e")

# The constants of BM25 (Robertson and Zaragoza, 2009): how soon repetition stops counting, how much length does.
K1 = 1.4
B = 0.75
TITLE_WEIGHT = 3  # a word of a title says more than one of the text

COMMON = frozenset(
    WORD.findall(
        "a about all an and any are as at be been but by can could did do does for from had has have how i if in into "
        "is it its me my no not of on or our out say says so some than that the their them then there these they this "
        "to up us was we were what when where which who why will with would you your"
    )
)


@dataclass(frozen=True)
class Section:
    """What stands under one heading of a document."""

    path: str
    title: str
    text: str

    @property
    def id(self) -> str:
        """Where it stands, as a link says it: `docs/envelopes.md#kinds`."""
        return f"{self.path}#{re.sub(r'[^a-z0-9_ -]', '', self.title.lower()).strip().replace(' ', '-')}"


@dataclass(frozen=True)
class Hit:
    """A section that was found, with how well it fits."""

    id: str
    score: float
    text: str


class Index:
    """Finds sections by their words.

    Args:
        sections: what can be found.
    """

    def __init__(self, sections: Iterable[Section]) -> None:
        self._entries = [(section, _count(section)) for section in sections]
        self._holders = Counter(word for _, counts in self._entries for word in counts)
        self._mean_length = sum(sum(counts.values()) for _, counts in self._entries) / max(len(self._entries), 1)

    def __len__(self) -> int:
        return len(self._entries)

    def rarity(self, word: str) -> float:
        """Return how much it says that a section holds a word: little if most of them do."""
        holders = self._holders[word]
        return math.log(1 + (len(self._entries) - holders + 0.5) / (holders + 0.5))

    def search(self, words: Iterable[str], limit: int) -> list[Hit]:
        """Return the sections that fit best, the best first; none that holds none of the words."""
        asked = list(dict.fromkeys(words))
        hits = [Hit(section.id, self._score(counts, asked), section.text) for section, counts in self._entries]
        return sorted((hit for hit in hits if hit.score > 0), key=lambda hit: -hit.score)[:limit]

    def _score(self, counts: Counter[str], words: list[str]) -> float:
        length = K1 * (1 - B + B * sum(counts.values()) / self._mean_length)
        return round(sum(self.rarity(word) * counts[word] * (K1 + 1) / (counts[word] + length) for word in words), 3)


def keywords(text: str) -> list[str]:
    """Return the words of a text that mean something, without their commonest endings."""
    return [_stem(word) for word in WORD.findall(text.lower()) if word not in COMMON]


def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= len("find"):
            return word.removesuffix(ending)
    return word


def load(root: Path) -> list[Section]:
    """Return the sections of a project's documentation: `README.md`, `ARCHITECTURE.md` and all that is in `docs`."""
    files = [root / "README.md", root / "ARCHITECTURE.md", *sorted((root / "docs").rglob("*.md"))]
    return [section for file in files if file.is_file() for section in read(file.relative_to(root).as_posix(), root)]


def read(path: str, root: Path) -> list[Section]:
    """Return the sections of a Markdown file.

    Args:
        path: the file, from the root.
        root: the directory that nothing is read outside of.

    Raises:
        PermissionError: the file is outside, or no Markdown.
        FileNotFoundError: there is no such file.
    """
    file = (root / path).resolve()
    if not file.is_relative_to(root.resolve()) or file.suffix != ".md":
        raise PermissionError(f"{path} is none of the documents")
    if not file.is_file():
        raise FileNotFoundError(f"there is no {path}")
    parts: list[tuple[str, list[str]]] = [(file.stem, [])]
    for line in _prose(file.read_text(encoding="utf-8")):
        heading = HEADING.match(line)
        if heading:
            parts.append((heading[1].strip(), []))
        else:
            parts[-1][1].append(line)
    sections = [Section(path, title, "\n".join(lines).strip()) for title, lines in parts]
    return [section for section in sections if section.text]


def _prose(text: str) -> Iterator[str]:
    """Yield the lines that are not code: code answers no question in words."""
    fenced = False
    for line in text.splitlines():
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield line


def _count(section: Section) -> Counter[str]:
    counts = Counter(keywords(section.text))
    for word in keywords(f"{section.title} {section.path.removesuffix('.md')}"):
        counts[word] += TITLE_WEIGHT
    return counts
