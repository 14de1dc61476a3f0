"""What happened, as a tree of the recorded spans: what each was, how long it took, and what it came to."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

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


class Line(NamedTuple):
    """A line of the tree, before it is laid out."""

    name: str
    kind: str = ""
    envelope: str = ""
    milliseconds: float | None = None
    brief: str = ""
    failed: bool = False


def render(spans: Iterable[ReadableSpan], style: Style) -> Iterator[str]:
    """Yield a line for each span, and for each event that was reported inside, in the order in which they began."""
    lines = list(_lines(list(spans), style))
    width = max((len(line.name) for line in lines), default=0)
    for line in lines:
        took = "" if line.milliseconds is None else f"{line.milliseconds:.1f} ms"
        columns = f"{line.name:<{width}}  {line.kind:<9}  {line.envelope:<21}  {took:>9}  "
        brief = shorten(line.brief, max(style.width - len(columns), 0), style)
        if style.colours:
            yield f"{columns}{RED if line.failed else DIM}{brief}{PLAIN}"
        else:
            yield f"{columns}{brief}".rstrip()


def shorten(text: str, width: int, style: Style) -> str:
    """Return a text in one line, cut to a width."""
    text = " ".join(text.split())
    ending = "…" if style.boxes else "..."
    return text if len(text) <= width else f"{text[: max(width - len(ending), 0)]}{ending}"[:width]


def _lines(spans: list[ReadableSpan], style: Style) -> Iterator[Line]:
    known = {span.context.span_id for span in spans if span.context}
    children = defaultdict(list)
    for span in spans:
        parent = span.parent.span_id if span.parent else 0
        children[parent if parent in known else 0].append(span)
    for root in sorted(children[0], key=_began):
        yield from _below(root, children, style, "", "")


def _below(
    what: ReadableSpan | Event, children: dict[int, list[ReadableSpan]], style: Style, first: str, others: str
) -> Iterator[Line]:
    line = describe(what)
    yield line._replace(name=f"{first}{line.name}")
    inside = sorted([*_children(what, children), *_reports(what)], key=_began)
    branch, last_branch, bar, gap = style.branches
    for child in inside[:-1]:
        yield from _below(child, children, style, others + branch, others + bar)
    for child in inside[-1:]:
        yield from _below(child, children, style, others + last_branch, others + gap)


def _began(what: ReadableSpan | Event) -> int:
    return getattr(what, "start_time", None) or getattr(what, "timestamp", None) or 0


def _children(what: ReadableSpan | Event, children: dict[int, list[ReadableSpan]]) -> list[ReadableSpan]:
    context = getattr(what, "context", None)
    return children[context.span_id] if context else []


def _reports(what: ReadableSpan | Event) -> list[Event]:
    """Return what `aotel.tie` reported in a span; a stream's events are counted instead."""
    if (what.attributes or {}).get("aot.operation") == "stream":
        return []
    return [event for event in getattr(what, "events", ()) if event.name != "exception"]


def describe(what: ReadableSpan | Event) -> Line:
    """Return what there is to say of a span or event."""
    attributes = dict(what.attributes or {})
    status = getattr(what, "status", None)
    if status is None:
        return Line(f"* {what.name}", brief=str(attributes.get("aot.data", "")))
    failed = status.status_code is StatusCode.ERROR
    return Line(
        what.name,
        str(attributes.get("openinference.span.kind", "")),
        str(attributes.get("aot.kind", "")),
        ((getattr(what, "end_time", None) or 0) - _began(what)) / 1e6,
        f"{status.description}" if failed else _brief(attributes),
        failed,
    )


def _brief(attributes: dict[str, Any]) -> str:
    match attributes.get("aot.operation"):
        case "session":
            return str(attributes.get("session.id", ""))
        case "llm":
            asked, answered = (attributes.get(f"gen_ai.usage.{way}_tokens") for way in ("input", "output"))
            return f"{attributes.get('gen_ai.request.model')}: {asked} tokens in, {answered} out"
        case "stream":
            return f"{attributes.get('aot.stream.count')} events, {attributes.get('aot.stream.bytes')} bytes"
    return _brief_result(str(attributes.get("output.value", "")))


def _brief_result(text: str) -> str:
    try:
        result = json.loads(text)
    except ValueError:
        return text
    return f"{len(result)} results" if isinstance(result, list) else text
