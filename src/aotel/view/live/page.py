"""The end of a run: a timeline of its operations, and what it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aotel.view import digest, wording

if TYPE_CHECKING:
    from rich.text import Text

    from aotel.view.live.look import Look
    from aotel.view.summary import Span, Summary

_ROWS: Final = 14  # of the timeline
_LABEL: Final = 12  # columns of what a part of the summary is about
_TOOK: Final = 8
_MOST_LINES: Final = 3  # rows that one text may take
_WIDEST: Final = 120
_COUNTED: Final = 8  # columns of a count
_STATES: Final = {"failed": "bad", "stopped": "warning", "open": "dim"}
_PART_STYLES: Final = {"errors": "error", "violations": "policy"}


def page(summary: Summary, look: Look, title: str, columns: int) -> list[str]:
    """Return the rows of a summary.

    Args:
        summary: what the run came to.
        look: how it looks.
        title: what was run.
        columns: how wide the terminal is; wide ones are not filled.
    """
    columns = min(columns - 1, _WIDEST)
    rows = [look.text(), _rule(look, title, summary, columns)]
    if summary.timeline and summary.seconds:
        rows += [*_timeline(summary, look, columns), look.text()]
    for label, lines in digest.digest(summary):
        rows += _part(summary, look, label, lines, columns)
    return [look.ansi(row) for row in rows]


def _rule(look: Look, title: str, summary: Summary, columns: int) -> Text:
    line = look.signs.rule
    style = "bad" if summary.error_count or summary.violation_count else "good"
    left = look.text((line * 2, "dim"), (f" {look.clean(title, 60) or 'summary'} ", "head"))
    right = look.text((f" {digest.headline(summary)} ", style), (line * 2, "dim"))
    if left.cell_len + right.cell_len > columns:
        left = look.fit(left, max(columns - right.cell_len, 10))
    left.append_text(look.text((line * max(columns - left.cell_len - right.cell_len, 0), "dim")))
    return look.fit(left.append_text(right), columns)


def _timeline(summary: Summary, look: Look, columns: int) -> list[Text]:
    spans = sorted(sorted(summary.timeline, reverse=True)[:_ROWS], key=lambda span: (span.start, span.depth))
    label = min(max(columns // 3, 24), 40)
    width = columns - label - _TOOK - 2
    rows = [_axis(look, summary, label, width)]
    shallowest = min(span.depth for span in spans)
    for span in spans:
        style = look.style_of(span.operation)
        sign = span.state if span.state in {"failed", "stopped"} else span.operation
        indent = "  " * min(span.depth - shallowest, 5)
        left = look.text(
            (f" {indent}", ""),
            (f"{look.icon(sign)} ", _STATES.get(span.state, style)),
            (f"{look.clean(span.operation, 20)} ", style),
            (look.clean(span.name, 80), ""),
        )
        left = look.spread(left, look.text(), label)
        left.append_text(look.text((" ", ""))).append_text(_stroke(look, summary, span, width))
        rows.append(look.spread(left, look.text((f"{wording.duration(span.seconds):>{_TOOK}}", "")), columns))
    return rows


def _stroke(look: Look, summary: Summary, span: Span, width: int) -> Text:
    """Return where an operation stood in the run."""
    begin = (span.start - (summary.start or 0.0)) / summary.seconds
    share = span.seconds / summary.seconds
    first = min(max(int(begin * width), 0), width - 1)
    count = max(min(round(share * width), width - first), 1)
    style = _STATES.get(span.state, look.style_of(span.operation))
    return look.text((" " * first, ""), (look.signs.stroke * count, style))


def _axis(look: Look, summary: Summary, label: int, width: int) -> Text:
    middle = wording.duration(summary.seconds / 2)
    end = wording.duration(summary.seconds)
    place = width // 2 - len(middle) // 2
    marks = f"{'0':<{place}}{middle}"
    marks += " " * max(width - len(marks) - len(end), 1) + end
    return look.text((" " * (label + 1), ""), (marks, "dim"))


def _part(summary: Summary, look: Look, label: str, lines: list[str], columns: int) -> list[Text]:
    if label == "operations":
        bodies = _operations(summary, look)
    elif label == "slowest":
        bodies = [_slow(span, look, columns) for span in summary.slowest]
    else:
        style = _PART_STYLES.get(label, "")
        bodies = [body for line in lines for body in _wrapped(look, line, style, columns - _LABEL - 1)]
    rows: list[Text] = []
    for place, body in enumerate(bodies):
        row = look.text((f" {label if not place else '':<{_LABEL}}", "dim"))
        rows.append(look.fit(row.append_text(body), columns))
    return rows


def _operations(summary: Summary, look: Look) -> list[Text]:
    made: list[Text] = []
    for family, group in sorted(summary.operations.items(), key=lambda item: -item[1].count):
        row = look.text(
            (f"{group.count:>{_COUNTED},}  ", ""),
            (f"{look.clean(family, 20):<11}", look.style_of(family)),
            (f"{wording.duration(group.seconds):>{_TOOK}}", "dim"),
        )
        if group.failed:
            row.append_text(look.text((f"   {group.failed:,} failed", "bad")))
        if group.stopped:
            row.append_text(look.text((f"   {group.stopped:,} stopped", "warning")))
        made.append(row)
    if summary.still_open:
        made.append(look.text((f"{summary.still_open:>{_COUNTED},}  without an end", "warning")))
    return made


def _slow(span: Span, look: Look, columns: int) -> Text:
    left = look.text(
        (f"{wording.duration(span.seconds):>{_TOOK}}  ", "dim"),
        (f"{look.clean(span.operation, 20)} ", look.style_of(span.operation)),
        (look.clean(span.name, 120), ""),
    )
    return look.fit(left, columns - _LABEL - 1)


def _wrapped(look: Look, line: str, style: str, columns: int) -> list[Text]:
    rest, rows = look.clean(line, _MOST_LINES * columns), list[str]()
    while rest and len(rows) < _MOST_LINES:
        if look.text((rest, "")).cell_len <= columns or len(rows) == _MOST_LINES - 1:
            rows.append(rest)
            break
        at = rest.rfind(" ", columns // 2, columns)
        at = columns if at < 0 else at
        rows.append(rest[:at])
        rest = rest[at:].lstrip()
    return [look.fit(look.text((row, style)), columns) for row in rows]
