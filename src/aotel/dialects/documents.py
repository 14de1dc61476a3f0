"""Documents of a search: GenAI's one JSON array, against OpenInference's indexed attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aotel.dialects.json_text import embed, encode, objects, said, source
from aotel.dialects.values import MAX_ITEMS, content, score, text
from aotel.operation import Document
from aotel.semconv import attributes as names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.util.types import AttributeValue

    from aotel.dialects.json_text import Fields

__all__ = ["read_documents", "read_flat_documents", "write_documents", "write_flat_documents"]


def read_documents(value: object) -> tuple[Document, ...]:
    """The documents of `gen_ai.retrieval.documents`, JSON text or structured; the first `MAX_ITEMS`."""
    return tuple([_document(found) for found in objects(source(value))[:MAX_ITEMS]])


def write_documents(documents: Iterable[Document]) -> str:
    """JSON text of documents as the GenAI schema has them."""
    return encode([_fields(document) for document in documents])


def read_flat_documents(entries: Iterable[Mapping[str, object]]) -> tuple[Document, ...]:
    """The documents of a family such as `retrieval.documents`, from its items."""
    return tuple([_flat_document(entry) for entry in entries])


def write_flat_documents(documents: Iterable[Document], family: str, out: dict[str, AttributeValue]) -> None:
    """Adds documents to attributes, one indexed group each."""
    for index, document in zip(range(MAX_ITEMS), documents, strict=False):
        prefix = f"{family}.{index}."
        if document.id is not None:
            out[prefix + names.DOCUMENT_ID] = document.id
        if document.content is not None:
            out[prefix + names.DOCUMENT_CONTENT] = document.content
        if document.score is not None:
            out[prefix + names.DOCUMENT_SCORE] = document.score
        if document.metadata is not None:
            out[prefix + names.DOCUMENT_METADATA] = document.metadata


def _document(found: Fields) -> Document:
    relevance = score(said(found, "score"))
    return Document(said(found, "id") or None, said(found, "content"), relevance, said(found, "metadata"))


def _flat_document(entry: Mapping[str, object]) -> Document:
    metadata = entry.get(names.DOCUMENT_METADATA)
    return Document(
        text(entry.get(names.DOCUMENT_ID)),
        content(entry.get(names.DOCUMENT_CONTENT)),
        score(entry.get(names.DOCUMENT_SCORE)),
        None if metadata is None else source(metadata),
    )


def _fields(document: Document) -> dict[str, object]:
    found: dict[str, object] = {}
    if document.id is not None:
        found["id"] = document.id
    if document.score is not None:
        found["score"] = document.score
    if document.content is not None:
        found["content"] = document.content
    if document.metadata is not None:
        found["metadata"] = embed(document.metadata)
    return found
