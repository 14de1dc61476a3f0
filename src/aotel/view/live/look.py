"""How the rich form looks: signs, colours and bars, with a plainer set where the encoding has no others."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.text import Text

from aotel.view.clean_text import clean_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLOURS: Final = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}
_STYLES: Final = {
    "": "",
    "agent": "bold cyan",
    "bad": "bold red",
    "bar": "cyan",
    "bar.empty": "dim",
    "decision": "blue",
    "dim": "dim",
    "error": "red",
    "file": "dim",
    "good": "green",
    "head": "bold",
    "human": "bold yellow",
    "install": "blue",
    "lifecycle": "dim",
    "llm": "magenta",
    "memory": "blue",
    "metrics": "dim",
    "delegation": "cyan",
    "network": "dim",
    "operation": "blue",
    "output": "green",
    "policy": "bold yellow",
    "retrieval": "blue",
    "session": "cyan",
    "step": "blue",
    "success": "green",
    "tool": "yellow",
    "warning": "yellow",
}


@dataclass(frozen=True)
class Signs:
    """What is drawn, where characters differ."""

    icons: Mapping[str, str]
    pipe: str
    branch: str
    corner: str
    rule: str
    arrow: str
    ellipsis: str
    separator: str
    path: str
    full: str
    empty: str
    parts: str
    levels: str
    stroke: str
    unknown: str


UNICODE: Final = Signs(
    icons={
        "agent": "◆",
        "session": "◇",
        "delegation": "◈",
        "llm": "✦",
        "tool": "▪",
        "retrieval": "○",
        "memory": "●",
        "human": "☺",
        "decision": "◌",
        "step": "•",
        "operation": "•",
        "emitted": "·",
        "progress": "»",
        "lifecycle": "·",
        "metrics": "∿",
        "file": "·",
        "network": "⇄",
        "policy": "⊘",
        "install": "↓",
        "output": "▣",
        "warning": "▲",
        "error": "✗",
        "success": "✓",
        "failed": "✗",
        "stopped": "■",
        "ended": "✓",
    },
    pipe="│ ",
    branch="├ ",
    corner="╰ ",
    rule="─",
    arrow="→",
    ellipsis="…",
    separator=" · ",
    path=" ▸ ",
    full="█",
    empty="░",
    parts="▏▎▍▌▋▊▉",
    levels="▁▂▃▄▅▆▇█",
    stroke="━",
    unknown="—",
)
ASCII: Final = Signs(
    icons={
        "agent": "@",
        "session": "@",
        "delegation": "@",
        "llm": "*",
        "tool": "+",
        "retrieval": "o",
        "memory": "o",
        "human": "?",
        "decision": "-",
        "step": "-",
        "operation": "-",
        "emitted": ".",
        "progress": ">",
        "lifecycle": ".",
        "metrics": "~",
        "file": ".",
        "network": "=",
        "policy": "!",
        "install": ">",
        "output": ">",
        "warning": "!",
        "error": "x",
        "success": "v",
        "failed": "x",
        "stopped": "#",
        "ended": "v",
    },
    pipe="| ",
    branch="|-",
    corner="`-",
    rule="-",
    arrow=">",
    ellipsis="...",
    separator=", ",
    path=" > ",
    full="#",
    empty=".",
    parts="",
    levels="_.-=^",
    stroke="=",
    unknown="-",
)


class Look:
    """Makes lines for a terminal.

    Args:
        encoding: what the terminal's stream writes.
        environ: where the terminal's abilities stand (`TERM`, `COLORTERM`).
    """

    def __init__(self, encoding: str, environ: Mapping[str, str]) -> None:
        self._encoding = encoding
        self.signs = UNICODE if _holds(encoding, UNICODE) else ASCII
        self._console = Console(
            file=io.StringIO(),
            force_terminal=True,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            _environ=dict(environ),
        )
        self._colours = _COLOURS.get(self._console.color_system or "")
        self._styles = {name: Style.parse(style) if style else Style.null() for name, style in _STYLES.items()}

    def clean(self, text: object, limit: int = 300) -> str:
        """Return any text as the terminal can show it, and in one line."""
        written = clean_text(str(text), limit)
        return written if written.isascii() else self._encodable(written)

    def _encodable(self, text: str) -> str:
        text = text.replace("…", self.signs.ellipsis)
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def text(self, *parts: tuple[str, str]) -> Text:
        """Return a line.

        Args:
            parts: texts, clean ones, each with the name of its style.
        """
        made = Text(no_wrap=True, end="")
        for part, style in parts:
            made.append(part, self._styles[style])
        return made

    def icon(self, name: str) -> str:
        """Return the sign of a kind of operation or event."""
        return self.signs.icons.get(name, self.signs.icons["operation"])

    def style_of(self, name: str) -> str:
        """Return the name of the style of a kind of operation or event."""
        return name if name in self._styles else "operation"

    def fit(self, text: Text, columns: int) -> Text:
        """Return a line of that many columns at most; the sign of a cut is among them."""
        if text.cell_len <= columns:
            return text
        text.truncate(max(columns - len(self.signs.ellipsis), 0), overflow="crop")
        text.append(self.signs.ellipsis[: max(columns, 0)], self._styles["dim"])
        return text

    def spread(self, left: Text, right: Text, columns: int) -> Text:
        """Return a line of exactly that many columns, with something at either end; the left is cut if need be."""
        room = columns - right.cell_len - (1 if right.cell_len else 0)
        left = self.fit(left, max(room, 0))
        left.append(" " * max(columns - left.cell_len - right.cell_len, 0))
        return self.fit(left.append_text(right), columns)

    def bar(self, share: float, columns: int, style: str = "bar") -> Text:
        """Return a bar that is filled to a share of its columns."""
        share = min(max(share, 0.0), 1.0)
        parts = self.signs.parts
        steps = len(parts) + 1
        full, rest = divmod(round(share * columns * steps), steps)
        filled = self.signs.full * full + (parts[rest - 1] if rest else "")
        return self.text((filled, style), (self.signs.empty * (columns - len(filled)), "bar.empty"))

    def spark(self, values: Sequence[float], columns: int, style: str = "bar") -> Text:
        """Return the latest values as small columns, against the largest of them."""
        shown = list(values)[-columns:]
        most, levels = max(shown, default=0.0), self.signs.levels
        drawn = "".join([levels[round(value / most * (len(levels) - 1))] if most > 0 else levels[0] for value in shown])
        return self.text((levels[0] * (columns - len(drawn)), "bar.empty"), (drawn, style))

    def ansi(self, text: Text) -> str:
        """Return a line as it is sent to the terminal."""
        return "".join(
            [
                segment.style.render(segment.text, color_system=self._colours) if segment.style else segment.text
                for segment in text.render(self._console)
            ]
        )


def _holds(encoding: str, signs: Signs) -> bool:
    drawn = "".join([str(value) for value in vars(signs).values() if isinstance(value, str)])
    try:
        f"{drawn}{''.join(signs.icons.values())}".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
