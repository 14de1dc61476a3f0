"""What happened, as a tree of the recorded spans: what each was, how long it took, and what it came to."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

Children = dict[int, list["ReadableSpan"]]
NAME_WIDTH = 30
RED, DIM, PLAIN = "\033[31m", "\033[2m", "\033[0m"


class SpanCollector(SpanProcessor):
    """Keeps every span that ends; its attributes are complete by then, in every vocabulary."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)


@dataclass(frozen=True)
class Style:
    """What the place that is written to can show."""

    width: int = 110
    boxes: bool = True
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Return what a stream can show: colours and its own width only on a terminal, boxes only where UTF-8 is."""
        terminal = stream.isatty()
        width = shutil.get_terminal_size((cls.width, 0)).columns if terminal else cls.width
        boxes = (stream.encoding or "").lower().replace("-", "").startswith("utf")
        return cls(max(width, 60), boxes, terminal and "NO_COLOR" not in os.environ)

    @property
    def branches(self) -> tuple[str, str, str, str]:
        """What stands before a child, the last child, and what is below either of them."""
        return ("├─ ", "└─ ", "│  ", "   ") if self.boxes else ("|- ", "`- ", "|  ", "   ")


def render(spans: list[ReadableSpan], style: Style) -> Iterator[str]:
    """Yield a line for each span, children under their parents, in the order in which they began."""
    children = _children(spans)
    for root in children[0]:
        yield from _subtree(root, children, style, "", "")


def _children(spans: list[ReadableSpan]) -> Children:
    """Return the spans by the id of their parent; 0 for those whose parent is not among them."""
    known = {span.context.span_id for span in spans if span.context}
    found: Children = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.start_time or 0):
        parent = span.parent.span_id if span.parent else 0
        found[parent if parent in known else 0].append(span)
    return found


def _subtree(span: ReadableSpan, children: Children, style: Style, before: str, below: str) -> Iterator[str]:
    yield _line(span, before, style)
    inside = children[span.context.span_id] if span.context else []
    branch, last_branch, bar, gap = style.branches
    for child in inside[:-1]:
        yield from _subtree(child, children, style, below + branch, below + bar)
    for child in inside[-1:]:
        yield from _subtree(child, children, style, below + last_branch, below + gap)


def _line(span: ReadableSpan, before: str, style: Style) -> str:
    facts = describe(span)
    name = shorten(f"{before}{facts['name']}", NAME_WIDTH, style)
    columns = f"{name:<{NAME_WIDTH}} {facts['kind']:<10} {facts['envelope']:<22} {facts['milliseconds']:>8.1f} ms  "
    brief = shorten(facts["brief"], max(style.width - len(columns), 0), style)
    if not style.colours:
        return (columns + brief).rstrip()
    return f"{columns}{RED if facts['failed'] else DIM}{brief}{PLAIN}"


def shorten(text: str, width: int, style: Style) -> str:
    """Return a text in one line, cut to a width."""
    line = " ".join(text.split()) if "\n" in text else text
    ending = "…" if style.boxes else "..."
    return line if len(line) <= width else f"{line[: max(width - len(ending), 0)]}{ending}"[:width]


def describe(span: ReadableSpan) -> dict[str, Any]:
    """Return what there is to say of a span, as plain values."""
    attributes = dict(span.attributes or {})
    failed = span.status.status_code is StatusCode.ERROR
    return {
        "name": span.name,
        "kind": attributes.get("openinference.span.kind", ""),
        "envelope": attributes.get("aot.kind", ""),
        "milliseconds": ((span.end_time or 0) - (span.start_time or 0)) / 1e6,
        "failed": failed,
        "brief": f"failed: {span.status.description}" if failed else _brief(attributes),
    }


def _brief(attributes: dict[str, Any]) -> str:
    said = str(attributes.get("output.value", ""))
    match attributes.get("aot.operation"):
        case "session":
            return f"{attributes.get('session.id')}"
        case "llm":
            tokens = attributes.get("gen_ai.usage.input_tokens"), attributes.get("gen_ai.usage.output_tokens")
            return f"{attributes.get('gen_ai.request.model')}: {tokens[0]} tokens in, {tokens[1]} out"
        case "stream":
            return f"{attributes.get('aot.stream.count')} events, {attributes.get('aot.stream.bytes')} bytes"
        case "retrieval" | "rerank":
            found = {key.split(".")[-3] for key in attributes if key.endswith((".document.id", ".document.content"))}
            return f"{len(found)} sections" if found else said
        case _:
            return said
