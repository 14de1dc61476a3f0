"""From a call of ours to the neutral `Operation`: what went in and came out, in the words of its kind."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, NamedTuple

from aotel.content import to_json
from aotel.operation import Agent, Document, Message, Operation, Reranking, Retrieval, TextPart, Tool
from aotel.semconv import kinds
from aotel.semconv.operations import lookup

if TYPE_CHECKING:
    from aotel.calls import Call
    from aotel.content import Tree
    from aotel.envelopes import Recording

JSON = "application/json"
TEXT = "text/plain"
_DOCUMENT_TEXT = ("content", "text", "page_content", "document")


class Texts(NamedTuple):
    """What went into a call and came out, as span attributes write it."""

    named: Tree
    given: str | None
    found: Tree
    output: str | None
    output_type: str | None


NO_TEXTS = Texts(None, None, None, None, None)


def texts_of(recording: Recording, call: Call) -> Texts:
    """Return what there is to show of a call of ours."""
    named: Tree = None
    if recording.input is not None and not call.site.keywords_as_attributes:
        named = recording.input.get().named()
    given = to_json(named) if named else None
    if recording.output is None:
        return Texts(named, given, None, None, None)
    found = recording.output.get()
    return Texts(named, given, found, *((found, TEXT) if type(found) is str else (to_json(found), JSON)))


def operation_of(recording: Recording, texts: Texts) -> Operation:
    """Return what a call of ours did, as far as the call itself knows."""
    if recording.described is not None:  # an instrumentor knows better than arguments and result could tell
        operation = copy(recording.described.get())
    else:
        operation = _operation_of_call(recording, texts)
    if recording.failure is not None and recording.failure.outcome is None:
        operation.error_type = recording.failure.qualified_type
    return operation


def _operation_of_call(recording: Recording, texts: Texts) -> Operation:
    taxonomy = recording.taxonomy or lookup(None)
    operation = operation_of_texts(taxonomy.tag, recording.name, taxonomy.end_kind, texts)
    if operation.op == "retrieval":
        operation.retrieval = Retrieval(query=_only_text(texts.named), documents=_documents(texts.found))
    elif operation.op == "rerank":
        operation.reranking = Reranking(
            query=_only_text(texts.named),
            input_documents=_documents(_only_candidates(texts.named)),
            output_documents=_documents(texts.found),
        )
    elif operation.op == "llm":
        operation.input_messages = _prompt(texts.named)
        if type(texts.found) is str:
            operation.output_messages = (Message("assistant", (TextPart(texts.found),)),)
    return operation


def operation_of_texts(tag: str, name: str, end_kind: str, texts: Texts) -> Operation:
    """Return what a simple call did, of which there is no more to say than what went in and came out."""
    operation = Operation(op=tag, name=name)
    if texts.given is not None:
        operation.input_value, operation.input_mime_type = texts.given, JSON
    operation.output_value, operation.output_mime_type = texts.output, texts.output_type
    _name_by_kind(operation, name, end_kind)
    return operation


def _name_by_kind(operation: Operation, name: str, end_kind: str) -> None:
    if end_kind == kinds.AGENT_TOOL_RESULT:
        operation.tool = Tool(name=name)
    elif operation.op in {"agent", "delegation"}:
        operation.agent = Agent(name=name)


def _only_text(named: Tree) -> str | None:
    # One text among the arguments is what was asked for; of several, nobody can say which.
    if not isinstance(named, dict):
        return None
    texts = [value for value in named.values() if type(value) is str]
    return texts[0] if len(texts) == 1 else None


def _only_candidates(named: Tree) -> Tree:
    # Likewise: the one list of documents among the arguments is what is ranked; texts count where there are no others.
    lists = [value for value in named.values() if isinstance(value, list) and value] if isinstance(named, dict) else []
    for kind in (dict, str):
        found = [value for value in lists if all(isinstance(item, kind) for item in value)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _documents(found: Tree) -> tuple[Document, ...]:
    if not isinstance(found, list):
        return ()
    documents = [_document(item) for item in found]
    return tuple(document for document in documents if document is not None)


def _document(item: Tree) -> Document | None:
    if type(item) is str:
        return Document(content=item)
    if not isinstance(item, dict):
        return None
    content = next((item[key] for key in _DOCUMENT_TEXT if type(item.get(key)) is str), None)
    score = item.get("score")
    identity = item.get("id")
    return Document(
        id=str(identity) if isinstance(identity, (str, int)) else None,
        content=str(content) if content is not None else to_json(item),
        score=float(score) if isinstance(score, (int, float)) else None,
        metadata=to_json(item["metadata"]) if isinstance(item.get("metadata"), dict) else None,
    )


def _prompt(named: Tree) -> tuple[Message, ...]:
    if not isinstance(named, dict):
        return ()
    for value in named.values():
        if isinstance(value, list) and value:
            messages = [_message(item) for item in value]
            if all(message is not None for message in messages):
                return tuple(message for message in messages if message is not None)
    text = _only_text(named)
    return (Message("user", (TextPart(text),)),) if text is not None else ()


def _message(item: Tree) -> Message | None:
    if not isinstance(item, dict):
        return None
    role, content = item.get("role"), item.get("content")
    if type(role) is not str or type(content) is not str:
        return None
    return Message(role, (TextPart(content),))
