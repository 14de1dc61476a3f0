"""Searches as OpenInference writes them: documents found, documents ranked, texts embedded, under indexed names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.dialect import Table, merged
from aotel.dialects.documents import read_documents, read_flat_documents, write_flat_documents
from aotel.dialects.flatten import has_family
from aotel.dialects.json_text import decode
from aotel.dialects.values import MAX_ITEMS, content, tokens
from aotel.operation import Embeddings, Reranking, Retrieval
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.operation import Document, Operation

__all__ = ["SEARCH_FAMILIES", "read_search", "write_search"]

_DOCUMENT_FAMILIES = (names.RETRIEVAL_DOCUMENTS, names.RERANKER_INPUT_DOCUMENTS, names.RERANKER_OUTPUT_DOCUMENTS)

SEARCH_FAMILIES = (*_DOCUMENT_FAMILIES, names.EMBEDDING_EMBEDDINGS)
"""Indexed families that `read_search` reads."""

_RERANKING = Table(
    ("query", names.RERANKER_QUERY, content),
    ("top_k", names.RERANKER_TOP_K, tokens),
)


def read_search(
    attributes: Mapping[str, object],
    found: Mapping[str, list[dict[str, object]]],
    operation: Operation,
) -> None:
    """Fills what an operation doesn't say yet of its search.

    Args:
        attributes: a span's.
        found: items of its indexed families.
        operation: to be filled.
    """
    operation.reranking = merged(operation.reranking, Reranking, _RERANKING.read(attributes))
    documents = {family: _documents(attributes, found, family) for family in _DOCUMENT_FAMILIES}
    retrieved = documents[names.RETRIEVAL_DOCUMENTS]
    if retrieved:
        operation.retrieval = merged(operation.retrieval, Retrieval, {"documents": retrieved})
    ranked = {
        "input_documents": documents[names.RERANKER_INPUT_DOCUMENTS],
        "output_documents": documents[names.RERANKER_OUTPUT_DOCUMENTS],
    }
    if any(ranked.values()):
        operation.reranking = merged(operation.reranking, Reranking, ranked)
    if names.EMBEDDING_EMBEDDINGS in found:
        embedded = _embeddings(found[names.EMBEDDING_EMBEDDINGS])
        operation.embeddings = merged(operation.embeddings, Embeddings, embedded)


def write_search(operation: Operation, out: dict[str, AttributeValue], present: Mapping[str, object]) -> None:
    """Adds what an operation says of its search to attributes, but for families that are there already."""
    if operation.retrieval is not None:
        _write_documents(operation.retrieval.documents, names.RETRIEVAL_DOCUMENTS, out, present)
    if operation.reranking is not None:
        _RERANKING.write(operation.reranking, out)
        _write_documents(operation.reranking.input_documents, names.RERANKER_INPUT_DOCUMENTS, out, present)
        _write_documents(operation.reranking.output_documents, names.RERANKER_OUTPUT_DOCUMENTS, out, present)
    if operation.embeddings is not None and not has_family(present, names.EMBEDDING_EMBEDDINGS):
        for index, said in enumerate(operation.embeddings.texts[:MAX_ITEMS]):
            out[f"{names.EMBEDDING_EMBEDDINGS}.{index}.{names.EMBEDDING_TEXT}"] = said


def _write_documents(
    documents: tuple[Document, ...],
    family: str,
    out: dict[str, AttributeValue],
    present: Mapping[str, object],
) -> None:
    if documents and family not in present and not has_family(present, family):
        write_flat_documents(documents, family, out)


def _documents(
    attributes: Mapping[str, object],
    found: Mapping[str, list[dict[str, object]]],
    family: str,
) -> tuple[Document, ...]:
    """The documents of a family, also where an emitter put them into one JSON text."""
    if family in found:
        return read_flat_documents(found[family])
    value = attributes.get(family)
    return () if value is None else read_documents(value)


def _embeddings(entries: list[dict[str, object]]) -> dict[str, object]:
    said = (content(entry.get(names.EMBEDDING_TEXT)) for entry in entries)
    found: dict[str, object] = {"texts": tuple(one for one in said if one is not None)}
    vectors = [entry[names.EMBEDDING_VECTOR] for entry in entries if names.EMBEDDING_VECTOR in entry]
    if vectors:
        found["count"] = len(vectors)
        found["dimension"] = _length(vectors[0])
    return found


def _length(vector: object) -> int | None:
    if isinstance(vector, str):
        vector = decode(vector)
    return len(vector) if isinstance(vector, (list, tuple)) else None
