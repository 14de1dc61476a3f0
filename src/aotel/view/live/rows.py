"""A line of the tree as a row of the terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aotel.view import wording
from aotel.view.events import Event, Kind, Level
from aotel.view.lines import Line, Part

if TYPE_CHECKING:
    from rich.text import Text

    from aotel.view.live.look import Look

_DEEPEST: Final = 10  # levels that have guides of their own
_TOOK: Final = 7  # columns of a duration
_WIDE: Final = 100  # columns from which on there is room for more
_STATES: Final = {"failed": "bad", "stopped": "warning"}


class Rows:
    """Writes lines as rows, each with a time at its left and numbers at its right.

    Args:
        look: how they look.
    """

    def __init__(self, look: Look) -> None:
        self._look = look

    def row(self, line: Line, columns: int) -> str:
        """Return a line as it is sent to the terminal."""
        event = line.event
        left = self._look.text((f"{_clock(event.time)} ", "dim"), (self._guides(line), "dim"))
        is_operation = event.kind is Kind.OPERATION and "operation" in event.fields
        left.append_text(self._operation(line, columns) if is_operation else self._other(event))
        if line.inside:
            left.append_text(self._look.text((f"  in {self._look.clean(line.inside, 40)}", "dim")))
        right = self._numbers(event) if is_operation and line.part is not Part.HEAD else self._look.text()
        return self._look.ansi(self._look.spread(left, right, columns))

    def note(self, text: str, columns: int) -> str:
        """Return a row that stands for others."""
        return self._look.ansi(self._look.fit(self._look.text((f"         {text}", "dim")), columns))

    def _guides(self, line: Line) -> str:
        signs = self._look.signs
        depth = min(line.depth, _DEEPEST)
        if line.part is Part.FOOT:
            return signs.pipe * depth + signs.corner
        return signs.pipe * (depth - 1) + signs.branch if depth else ""

    def _operation(self, line: Line, columns: int) -> Text:
        look, fields = self._look, line.event.fields
        family, state = str(fields["operation"]), str(fields.get("event", ""))
        style = look.style_of(family)
        # At its end, how it went; the beginning of something longer stands out by its weight.
        sign = state if state in _STATES or line.part is Part.FOOT else family
        colour = _STATES.get(state, "good" if line.part is Part.FOOT else style)
        name = look.clean(fields.get("name", ""), 200)
        made = look.text(
            (f"{look.icon(sign)} ", colour),
            (f"{look.clean(family, 20)} ", style),
            (name, "head" if line.part is Part.HEAD else ""),
        )
        for words, words_style in self._details(line, name, columns):
            made.append_text(look.text((f"  {words}", words_style)))
        return made

    def _details(self, line: Line, name: str, columns: int) -> list[tuple[str, str]]:
        """Return what there is to say beside the name, the most important first: what is last may be cut."""
        look, fields = self._look, line.event.fields
        said: list[tuple[str, str]] = []
        if fields.get("event") == "stopped":
            said.append((look.clean(fields.get("outcome", "stopped"), 40), "warning"))
        if fields.get("event") == "failed":
            parts = [look.clean(fields[key]) for key in ("error_type", "message") if key in fields]
            said.append((": ".join(parts) or "an error", "error"))
        model = fields.get("model")
        if isinstance(model, str) and look.clean(model) not in name:
            said.append((look.clean(model, 40), "dim"))
        found = fields.get("documents")
        if isinstance(found, int):
            said.append((wording.several(found, "document"), "dim"))
        preview = line.began.fields.get("preview") if line.began else fields.get("preview")
        if isinstance(preview, str) and line.part is not Part.FOOT and (columns >= _WIDE or not said):
            said.append((look.clean(preview, 120), "dim"))
        return said

    def _numbers(self, event: Event) -> Text:
        look, fields = self._look, event.fields
        said: list[tuple[str, str]] = []
        sent, got = fields.get("input_tokens"), fields.get("output_tokens")
        if isinstance(sent, int) or isinstance(got, int):
            sent, got = (wording.short(count) if isinstance(count, int) else "" for count in (sent, got))
            said.append((f"{sent}{look.signs.arrow}{got}", "dim"))
        spent = fields.get("cost_usd")
        if isinstance(spent, int | float):
            said.append((f"  {wording.cost(spent)}", "dim"))
        took = fields.get("duration_ms")
        if isinstance(took, int | float):
            said.append((f"  {wording.duration(took / 1000):>{_TOOK}}", ""))
        return look.text(*said)

    def _other(self, event: Event) -> Text:
        """Return what is no operation: a sign and its words."""
        look = self._look
        name = str(event.fields.get("event", "")) if event.kind is Kind.OPERATION else event.kind.value
        style = look.style_of(event.kind.value)
        if event.level >= Level.ERROR:
            name, style = "error", "bad"
        elif event.level >= Level.WARNING and event.kind is not Kind.POLICY:
            name, style = "warning", "warning"
        words = "dim" if event.level < Level.INFO or event.kind is Kind.FILE or event.kind is Kind.NETWORK else ""
        if event.level >= Level.WARNING:
            words = "error" if event.level >= Level.ERROR else "warning"
        return look.text((f"{look.icon(name)} ", style), (look.clean(event.text, 500), words))


def _clock(seconds: float) -> str:
    try:
        return time.strftime("%H:%M:%S", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return "--:--:--"
