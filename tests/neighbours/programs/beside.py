"""What the programs beside other SDKs have in common: calls of ours with a secret in them, and what is told of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import aotel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

QUESTION = "quokka-asked"
SECRET = "sk-proj-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"


class Kept(SpanExporter):
    """Keeps what an exporter of theirs gets."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += [shown(span) for span in spans]
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        return True


def shown(span: ReadableSpan) -> dict[str, Any]:
    assert span.context is not None
    return {
        "name": span.name,
        "id": f"{span.context.span_id:016x}",
        "parent": "" if span.parent is None else f"{span.parent.span_id:016x}",
        "attributes": dict(span.attributes or {}),
        "whole": span.to_json(),
    }


@aotel.coat("tool")
def search(query: str, api_key: str) -> list[str]:
    aotel.tie("found", {"documents": 1, "api_key": api_key})
    return ["found", query]


@aotel.coat("agent")
def agent(question: str) -> list[str]:
    return search(question, api_key=SECRET)


@aotel.coat("tool")
def fail(query: str) -> None:
    raise ValueError(f"{query} with {SECRET}")


def configured_in_order(theirs: Callable[[], object]) -> None:
    """Set up theirs and ours, as the command line says: "theirs", "again" (the same) or "aotel"."""
    for who in sys.argv[1].split(","):
        if who == "aotel":
            aotel.configure()
        else:
            theirs()


def report(**found: Any) -> None:
    aotel.flush()
    print(json.dumps(found))
