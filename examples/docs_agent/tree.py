"""What happened, as a tree of the recorded spans: what each was, how long it took, and what it came to."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.sdk.trace import Event, ReadableSpan

RED, DIM, PLAIN = "\033[31m", "\033[2m", "\033[0m"


class SpanCollector(SpanProcessor):
    """Keeps every span that ends; by then its attributes are complete, in every vocabulary."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self.spans.append(span)


@dataclass(frozen=True)
class Style:
    """What the place that is written to can show."""

    width: int = 104
    boxes: bool = True
    colours: bool = False

    @classmethod
    def of(cls, stream: TextIO) -> Style:
        """Return what a stream can show: boxes where it is UTF-8, colours and a width of its own on a terminal."""
        terminal = stream.isatty()
        width = shutil.get_terminal_size((cls.width, 0)).columns if terminal else cls.width
        boxes = (stream.encoding or "").lower().startswith("utf")
        return cls(width, boxes, terminal and "NO_COLOR" not in os.environ)

    @property
    def branches(self) -> tuple[str, str, str, str]:
        """What stands before a child and before the last one, and what stands below each of them."""
        return ("├─ ", "└─ ", "│  ", "   ") if self.boxes else ("|- ", "`- ", "|  ", "   ")


@dataclass
class Node:
    """Something that happened, and what happened inside it."""

    began: int
    name: str
    brief: str = ""
    kind: str = ""
    envelope: str = ""
    milliseconds: float | None = None
    failed: bool = False
    inside: list[Node] = field(default_factory=list)


def render(spans: Iterable[ReadableSpan], style: Style) -> Iterator[str]:
    """Yield a line for each span, and for each event that was reported inside one."""
    lines = [line for root in grow(spans) for line in _draw(root, style)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, node in lines:
        took = "" if node.milliseconds is None else f"{node.milliseconds:.1f} ms"
        columns = f"{name:<{width}}  {node.kind:<9}  {node.envelope:<21}  {took:>9}  "
        brief = shorten(node.brief, max(style.width - len(columns), 0), style)
        if style.colours:
            yield f"{columns}{RED if node.failed else DIM}{brief}{PLAIN}"
        else:
            yield f"{columns}{brief}".rstrip()


def shorten(text: str, width: int, style: Style) -> str:
    """Return a text in one line, cut to a width."""
    text = " ".join(text.split())
    ending = "…" if style.boxes else "..."
    return text if len(text) <= width else f"{text[: max(width - len(ending), 0)]}{ending}"[:width]


def grow(spans: Iterable[ReadableSpan]) -> list[Node]:
    """Return the spans that have no parent among them, each with what happened inside, in the order it began."""
    in_order = sorted(spans, key=lambda span: span.start_time or 0)
    nodes = {span.context.span_id: node_of(span) for span in in_order if span.context}
    roots: list[Node] = []
    for span in in_order:
        parent = nodes.get(span.parent.span_id) if span.parent else None
        if span.context:
            (parent.inside if parent else roots).append(nodes[span.context.span_id])
    for node in nodes.values():
        node.inside.sort(key=lambda inner: inner.began)
    return roots


def node_of(span: ReadableSpan) -> Node:
    """Return what there is to say of a span, with the events that `aotel.tie` reported in it."""
    attributes = dict(span.attributes or {})
    failed = span.status.status_code is StatusCode.ERROR
    began = span.start_time or 0
    streamed = attributes.get("aot.operation") == "stream"  # its events are counted instead
    return Node(
        began=began,
        name=span.name,
        brief=str(span.status.description) if failed else _brief(attributes),
        kind=str(attributes.get("openinference.span.kind", "")),
        envelope=str(attributes.get("aot.kind", "")),
        milliseconds=((span.end_time or began) - began) / 1e6,
        failed=failed,
        inside=[_report(event) for event in span.events if event.name != "exception" and not streamed],
    )


def _report(event: Event) -> Node:
    return Node(event.timestamp, f"* {event.name}", str((event.attributes or {}).get("aot.data", "")))


def _draw(node: Node, style: Style, first: str = "", others: str = "") -> Iterator[tuple[str, Node]]:
    yield f"{first}{node.name}", node
    branch, last_branch, bar, gap = style.branches
    for inner in node.inside[:-1]:
        yield from _draw(inner, style, others + branch, others + bar)
    for inner in node.inside[-1:]:
        yield from _draw(inner, style, others + last_branch, others + gap)


def _brief(attributes: dict[str, Any]) -> str:
    match attributes.get("aot.operation"):
        case "session":
            return str(attributes.get("session.id", ""))
        case "llm":
            asked, answered = (attributes.get(f"gen_ai.usage.{way}_tokens", "?") for way in ("input", "output"))
            first = attributes.get("gen_ai.response.time_to_first_chunk")
            if first is None:
                return f"{asked} tokens in, {answered} out"
            return f"{asked} in, {answered} out, 1st {1000 * first:.0f} ms"
        case "stream":
            return f"{attributes.get('aot.stream.count')} events, {attributes.get('aot.stream.bytes')} bytes"
        case _:
            return _brief_result(str(attributes.get("output.value", "")))


def _brief_result(text: str) -> str:
    try:
        result = json.loads(text)
    except ValueError:
        return text
    return f"{len(result)} results" if isinstance(result, list) else text
