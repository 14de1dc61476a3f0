"""What a retrieval and a ranking of ours say of their documents, which backends show one by one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import aotel

if TYPE_CHECKING:
    from tests.recording import Recorded

A: dict[str, Any] = {"id": "a.md", "text": "Spans go to OTLP.", "score": 0.5}
B: dict[str, Any] = {"id": "b.md", "content": "Envelopes go to the pod.", "score": 2}


def documents(attributes: Any, family: str) -> list[tuple[Any, ...]]:
    names = [f"{family}.%d.document.{name}" for name in ("id", "content", "score")]
    found: list[tuple[Any, ...]] = []
    while any(name % len(found) in attributes for name in names):
        found.append(tuple(attributes.get(name % len(found)) for name in names))
    return found


def test_a_ranking_has_what_it_was_given_and_what_came(recorded: Recorded) -> None:
    @aotel.coat("rerank")
    def rank(query: str, words: list[str], hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [hits[1]]

    rank("Where do spans go?", ["spans"], [A, B])
    attributes = recorded.operation.attributes
    assert attributes["openinference.span.kind"] == "RERANKER"
    assert attributes["reranker.query"] == "Where do spans go?"
    assert documents(attributes, "reranker.input_documents") == [
        ("a.md", "Spans go to OTLP.", 0.5),
        ("b.md", "Envelopes go to the pod.", 2.0),
    ]
    assert documents(attributes, "reranker.output_documents") == [("b.md", "Envelopes go to the pod.", 2.0)]
    assert json.loads(attributes["output.value"]) == [B]


def test_texts_are_what_is_ranked_where_there_is_nothing_else(recorded: Recorded) -> None:
    @aotel.coat("rerank")
    def rank(query: str, texts: list[str]) -> list[str]:
        return texts[::-1]

    rank("q", ["one", "two"])
    attributes = recorded.operation.attributes
    assert documents(attributes, "reranker.input_documents") == [(None, "one", None), (None, "two", None)]
    assert documents(attributes, "reranker.output_documents") == [(None, "two", None), (None, "one", None)]


@pytest.mark.parametrize("more", [{"others": [B]}, {"others": 3}])
def test_of_two_lists_of_documents_nobody_can_say_which_is_ranked(more: dict[str, Any], recorded: Recorded) -> None:
    @aotel.coat("rerank")
    def rank(hits: list[dict[str, Any]], others: Any) -> int:
        return len(hits)

    rank([A], **more)
    found = documents(recorded.operation.attributes, "reranker.input_documents")
    assert len(found) == (0 if more["others"] == [B] else 1)
    assert not documents(recorded.operation.attributes, "reranker.output_documents")
