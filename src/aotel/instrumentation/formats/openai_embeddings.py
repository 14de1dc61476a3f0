"""Embeddings: `POST /embeddings`. Of the vectors, number and length are carried, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aotel.instrumentation.formats.format import Format, count, items, mapping, text
from aotel.instrumentation.formats.openai_chat import usage_of
from aotel.operation import Embeddings, Operation, RequestParameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.operation import Usage

_FLOAT: Final = 4  # bytes, of which base64 makes 4/3 characters
_MOST: Final = 256  # texts


class EmbeddingsApi(Format):
    """See the module; OpenAI API reference, Embeddings."""

    tag = "embedding"
    operation = "embeddings"

    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for; see `Format.request`."""
        said = mapping(request)
        encoding = text(said.get("encoding_format"))
        operation = Operation(op=self.tag, request_model=text(said.get("model")))
        operation.request = RequestParameters(encoding_formats=(encoding,) if encoding else ())
        asked = said.get("input")
        texts = [asked] if type(asked) is str else [each for each in items(asked) if type(each) is str]
        operation.embeddings = Embeddings(dimension=count(said.get("dimensions")))
        if reading.inputs:
            operation.embeddings.texts = tuple([reading.text(each) or "" for each in texts[:_MOST]])
        return operation

    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add what an answer says; see `Format.answer`."""
        del reading
        said = mapping(answer)
        vectors = items(said.get("data"))
        operation.response_model = text(said.get("model"))
        operation.usage = self.usage(answer)
        asked = operation.embeddings or Embeddings()
        operation.embeddings = Embeddings(asked.texts, len(vectors), asked.dimension)
        if vectors:
            operation.embeddings.dimension = _dimension(mapping(vectors[0]).get("embedding")) or asked.dimension

    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts."""
        return usage_of(mapping(answer).get("usage"))

    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the last event: vectors come in one piece."""
        return next(iter(list(events)[-1:]), {})


def _dimension(vector: Plain) -> int | None:
    if type(vector) is str:  # base64 of floats
        return len(vector.rstrip("=")) * 3 // 4 // _FLOAT
    return len(vector) if type(vector) is list else None


EMBEDDINGS: Final = EmbeddingsApi()
