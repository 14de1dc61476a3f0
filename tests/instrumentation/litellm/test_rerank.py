"""Requests and answers of the rerank API, as they are and as they should not be."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aotel.content import active
from aotel.instrumentation.formats.rerank import RERANK
from aotel.instrumentation.reading import Reading
from aotel.operation import Document, Usage

NAMES = st.sampled_from(
    [
        "model",
        "query",
        "documents",
        "top_n",
        "results",
        "index",
        "relevance_score",
        "document",
        "text",
        "meta",
        "tokens",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


def reading() -> Reading:
    return Reading(active().for_call(None))


def test_documents_are_found_by_their_index() -> None:
    operation = RERANK.request({"model": "m", "query": "q", "documents": ["a", {"text": "b"}], "top_n": 1}, reading())
    RERANK.answer({"id": "r", "results": [{"index": 1, "relevance_score": 0.5}]}, operation, reading())
    found = operation.reranking
    assert found is not None
    assert (found.query, found.top_k) == ("q", 1)
    assert found.input_documents == (Document(content="a"), Document(content="b"))
    assert found.output_documents == (Document("1", "b", 0.5),)


def test_document_in_the_answer_wins() -> None:
    operation = RERANK.request({"documents": ["a"]}, reading())
    RERANK.answer({"results": [{"index": 0, "document": {"text": "whole"}}]}, operation, reading())
    assert operation.reranking is not None
    assert operation.reranking.output_documents == (Document("0", "whole", None),)


def test_tokens_are_tokens_and_search_units_are_none() -> None:
    assert RERANK.usage({"meta": {"tokens": {"input_tokens": 9}}}) == Usage(9)
    assert RERANK.usage({"meta": {"billed_units": {"total_tokens": 5}}}) == Usage(None, None, 5)
    assert RERANK.usage({"meta": {"billed_units": {"search_units": 1}}}) is None


@given(request=JSON, answer=JSON)
def test_nothing_raises(request: Any, answer: Any) -> None:
    operation = RERANK.request(request, reading())
    RERANK.answer(answer, operation, reading())
    RERANK.usage(answer)
    RERANK.assemble([answer] if isinstance(answer, dict) else [])
