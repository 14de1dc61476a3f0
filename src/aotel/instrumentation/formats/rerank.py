"""Reranking, Cohere's API and everybody's who speaks it: `POST /rerank`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.formats.format import Format, count, items, mapping, number, text
from aotel.instrumentation.plain import text_of
from aotel.operation import Document, Operation, RequestParameters, Reranking, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading

_MOST: Final = 256  # documents


class RerankApi(Format):
    """See the module; Cohere API reference, Rerank v2."""

    tag = "rerank"
    operation = "rerank"

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        operation = Operation(op=self.tag, operation_name=self.operation, request_model=text(said.get("model")))
        operation.request = RequestParameters()
        operation.reranking = Reranking(top_k=count(said.get("top_n")))
        if reading.inputs:
            operation.reranking.query = reading.text(said.get("query"))
            given = items(said.get("documents"))[:_MOST]
            operation.reranking.input_documents = tuple(
                [Document(content=reading.text(_words(each))) for each in given]
            )
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        said = mapping(answer)
        operation.response_id = text(said.get("id"))
        operation.response_model = text(said.get("model"))
        operation.usage = self.usage(answer)
        asked = operation.reranking or Reranking()
        ranked = [mapping(each) for each in items(said.get("results"))[:_MOST]]
        documents = tuple([_ranked(each, asked.input_documents, reading) for each in ranked])
        operation.reranking = Reranking(asked.query, asked.top_k, asked.input_documents, documents)

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts; search units are none."""
        meta = mapping(mapping(answer).get("meta"))
        tokens, billed = mapping(meta.get("tokens")), mapping(meta.get("billed_units"))
        asked, told, whole = [
            count(tokens.get(name, billed.get(name))) for name in ("input_tokens", "output_tokens", "total_tokens")
        ]
        return None if asked is told is whole is None else Usage(asked, told, whole)

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the last event: a ranking comes in one piece."""
        return next(iter(list(events)[-1:]), {})


def _words(document: Plain) -> Plain:
    """Return what a document says: one that is an object has its words in `text`."""
    return mapping(document).get("text", document)


def _ranked(result: dict[str, Any], given: tuple[Document, ...], reading: Reading) -> Document:
    """Return a document as it was ranked: which of those that were given, how relevant, what it says."""
    index = count(result.get("index"))
    content: str | None = None
    if reading.outputs:
        said = _words(result.get("document"))
        content = reading.text(said) if said is not None else None
        if content is None and index is not None and index < len(given):
            content = given[index].content
    return Document(None if index is None else text_of(index), content, number(result.get("relevance_score")))


RERANK: Final = RerankApi()
