"""Sections of Markdown, and the index over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples.programs import ROOT, module

if TYPE_CHECKING:
    from pathlib import Path

corpus = module("corpus")

PAGE = """Before any heading.

# First title

Some `code` and words.

```python
# no heading, and no words
```

## What's *new*?

More words.

## Empty
"""


def test_sections_stand_under_their_headings_without_code(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE)
    sections = corpus.read("page.md", tmp_path)
    assert [(section.id, section.text) for section in sections] == [
        ("page.md#page", "Before any heading."),
        ("page.md#first-title", "Some `code` and words."),
        ("page.md#whats-new", "More words."),
    ]


def test_document_that_is_not_there_is_named_as_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^there is no docs/missing\.md$"):
        corpus.read("docs/missing.md", tmp_path)


@pytest.mark.parametrize("path", ["../secret.md", "/etc/hosts", "docs/../../secret.md"])
def test_nothing_outside_is_read(path: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "secret.md").write_text("# Secret")
    with pytest.raises(PermissionError):
        corpus.read(path, root)


def test_documentation_of_the_project_is_found() -> None:
    sections = corpus.load(ROOT)
    paths = {section.path for section in sections}
    assert {"README.md", "ARCHITECTURE.md", "docs/quickstart.md", "docs/reference/operations.md"} <= paths
    assert len({section.id for section in sections}) > 50


def test_section_with_the_words_comes_first_and_others_not_at_all() -> None:
    index = corpus.Index(
        [
            corpus.Section("a.md", "Redaction", "Secrets are redacted."),
            corpus.Section("b.md", "Streams", "A secret stream of words, and many more words that say other things."),
            corpus.Section("c.md", "Sessions", "One conversation."),
        ]
    )
    hits = index.search(corpus.keywords("How are secrets redacted?"), 8)
    assert [hit.id for hit in hits] == ["a.md#redaction", "b.md#streams"]
    assert hits[0].score > hits[1].score > 0


def test_index_of_nothing_finds_nothing() -> None:
    assert corpus.Index([]).search(["word"], 3) == []


def test_words_are_found_in_their_other_forms() -> None:
    assert corpus.keywords("the redacted sessions") == corpus.keywords("Redaction of a session")


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5), st.text(), st.integers(0, 5))
def test_any_text_can_be_indexed_and_searched(parts: list[tuple[str, str]], question: str, limit: int) -> None:
    index = corpus.Index(corpus.Section("page.md", title, text) for title, text in parts)
    hits = index.search(corpus.keywords(question), limit)
    assert len(hits) <= limit
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(hit.score > 0 for hit in hits)
