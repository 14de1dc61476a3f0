"""What a person sees of the example agent on Phoenix's pages, in a browser, is what the agent did."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.reading import documents
from tests.e2e.test_demo import CALL, MODEL, said

if TYPE_CHECKING:
    from tests.e2e.demo import Demo
    from tests.e2e.pages import Pages
    from tests.e2e.phoenix import Phoenix, Span

SHOWN = 50  # characters of a message that a page shows without being asked for more


def test_the_tree_shows_names_kinds_and_nesting(demo: Demo, pages: Pages) -> None:
    assert [(row.depth, row.kind, row.name) for row in pages.tree(demo)] == [
        (depth, span.kind.lower(), span.name) for depth, span in in_order(demo)
    ]


def squeezed(text: str) -> str:
    """Return a text without blanks."""
    return "".join(text.split())


def test_the_tree_shows_errors_and_tokens(demo: Demo, pages: Pages) -> None:
    rows = pages.tree(demo)
    assert [row.name for row in rows if row.failed] == ["Library.read_document"]
    assert [row.tokens for row in rows if row.tokens] == [each.usage["total_tokens"] for each in demo.exchanges]


def test_a_model_call_shows_its_messages_and_tool_calls(demo: Demo, pages: Pages) -> None:
    for number, conversation in enumerate(said(demo)):
        shown = squeezed(pages.span(demo, CALL, number))  # arguments are laid out anew, as soon as it gets to that
        at = 0
        for message in conversation:
            calls = [f"{call['name']}({call['arguments']})" for call in message["calls"][:1]]
            for text in filter(None, [message["content"], *calls]):
                assert squeezed(text)[:SHOWN] in shown[at:], (number, text, shown)
            at = shown.index(message["role"], at) + 1
        assert squeezed(f"{MODEL} 3 tools") in shown
        assert f"{demo.exchanges[number].usage['total_tokens']:,}" in shown


def test_the_answer_is_shown_as_text(demo: Demo, pages: Pages) -> None:
    last = len(demo.exchanges) - 1
    answer = demo.exchanges[last].message["content"]
    assert " ".join(answer.split()) in pages.span(demo, CALL, last)


def test_documents_are_shown_with_scores(demo: Demo, pages: Pages) -> None:
    shown = pages.span(demo, "Library.search")
    (search,) = demo.named("Library.search")
    found = documents(search.attributes, "retrieval.documents")
    assert found
    for document in found:
        score = re.search(rf"document {re.escape(document['id'])} score ([0-9.]+)", shown)
        assert score is not None, document["id"]
        assert float(score[1]) == pytest.approx(document["score"], abs=0.01)
        assert " ".join(document["text"].split())[:SHOWN] in shown


def test_ranked_documents_are_shown(demo: Demo, pages: Pages) -> None:
    shown = pages.span(demo, "Library.rank")
    (ranking,) = demo.named("Library.rank")
    given, kept = (documents(ranking.attributes, f"reranker.{way}_documents") for way in ("input", "output"))
    assert f"Input {len(given)} documents" in shown
    assert f"Output {len(kept)} documents" in shown
    assert all(f"document {document['id']}" in shown for document in kept)


def test_a_tool_shows_what_it_was_given_and_what_came(demo: Demo, pages: Pages) -> None:
    tool = demo.named("Library.read_section")[0]
    shown = pages.span(demo, "Library.read_section")
    assert shown.startswith("tool Library.read_section")
    assert json.loads(tool.attributes["input.value"])["address"] in shown
    assert tool.attributes["output.value"].split("\n")[0][:SHOWN] in shown


def test_an_error_shows_its_exception(demo: Demo, pages: Pages) -> None:
    shown = pages.span(demo, "Library.read_document", tab="Events")
    assert "tool Library.read_document Error" in shown
    assert "Events 1" in shown
    assert "exception there is no docs/faq.md" in shown


def test_the_session_shows_its_trace_and_its_tokens(demo: Demo, pages: Pages, phoenix: Phoenix) -> None:
    shown = pages.session(demo)
    (session,) = phoenix.sessions(demo.project)
    assert session["session_id"] in shown
    assert f"Total Tokens {session['token_count_total']:,}" in shown
    assert "Turns 1" in shown
    assert demo.spans[0].trace in shown


def in_order(demo: Demo) -> list[tuple[int, Span]]:
    """Return the spans as a tree is drawn, each with how many it is inside of."""
    found: list[tuple[int, Span]] = []

    def add(parent: str | None, depth: int) -> None:
        for span in demo.spans:
            if span.parent == parent:
                found.append((depth, span))
                add(span.id, depth + 1)

    add(None, 0)
    return found
